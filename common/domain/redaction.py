"""What another system said, without anything personal and without a token: for a person who mends it.

By a list of what may stay, not of what must go: nobody can list all names. A word stays if it is one that refusals and
field names are made of (`PLAIN_WORDS`) and does not stand in the record itself; punctuation stays; every other word,
and every number, becomes `…`. Words that are first or last names too are not on the list, useful as they may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: Characters of an excerpt: what fits in a terminal's two or three lines.
LONGEST = 300
#: In the place of a word or a number.
GONE = "…"

#: Words of refusals and of field names. None of them is somebody's name, a place, or a part of an address or a date.
PLAIN_WORDS = frozenset(
    """
    a about above accepted access account accounts action active add added address addresses after all allowed
    already an and another any api archived are array as at attribute bad badrequest be because been before below
    between birthdate birthday body boolean but by caller campaign can cannot category characters check code
    collection column conflict constraint contact contacts contain contains could count country create created
    currency custom data database date day days default delete deleted denied description designation detail details
    did disabled does domain duplicate during each either email emails empty enabled end entity entries entry enum
    error errors exceed exceeded exceeds exist existing exists expected expired failed failure field fields first
    forbidden foreign form format found from full gender general gift gifts given greater group groups had has have
    household id identifier if import in inactive index individual individuals integer internal invalid is issue it
    item items its key kind last least length less limit line lines list longer mandatory match matches maximum
    message messages method methods min minimum minor missing model modified more most must name named names
    negative no none not null number numeric object of on one only opportunity or organization other out outside
    over parameter parse permission phone phones please positive postal prefix primary project property query range
    rate read reason record records reference refused region rejected relation request required resource response
    restricted result row rows same schema server should size source start state status string subject suffix
    supported syntax system tag tags take taken temporarily than that the them then there this time timeout title to
    token too trace transaction true type unable unauthorized under unexpected unique unit unknown unprocessable
    unsupported until update updated url user users valid validation value values version violated violation
    volunteer was were when which with without write wrong zero zip
    """.split()  # noqa: SIM905 - a page of quotes is no easier to read
)
#: A run of letters and digits, of any script: what is not a word in this sense is punctuation.
RUN = re.compile(r"\w+", re.UNICODE)
#: Within `firstName` and `contact_methods`.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+|_+")


def excerpt(said: str, record: Mapping[str, Any], *, longest: int = LONGEST) -> str:
    """One line of what was said, cut at `longest` characters; `record`: whose words may not stay."""
    personal = set(_words_of(record))
    line = " ".join(RUN.sub(lambda found: _kept(found.group(), personal), said).split())
    line = re.sub(rf"{GONE}(?:[\s.@:/+-]*{GONE})+", GONE, line)
    return line if len(line) <= longest else line[: longest - 1] + GONE


def _kept(run: str, personal: set[str]) -> str:
    """As it is, if every part of it may stay."""
    parts = [part.lower() for part in PART.findall(run) if not part.startswith("_")]
    may_stay = bool(parts) and all(part in PLAIN_WORDS and part not in personal for part in parts)
    return run if may_stay and run.lower() not in personal else GONE


def _words_of(value: Any) -> Iterator[str]:
    """Of all values, whatever their depth, in lower case; not of the names of fields."""
    if isinstance(value, str):
        yield from (found.group().lower() for found in RUN.finditer(value))
    elif isinstance(value, Mapping):
        yield from _all_words(value.values())
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        yield from _all_words(value)


def _all_words(values: Iterable[Any]) -> Iterator[str]:
    for each in values:
        yield from _words_of(each)
