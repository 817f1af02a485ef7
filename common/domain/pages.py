"""Pages that a source has shown: which records were on each, when, in which run, and where it was read from.

Kept so that "the source did not show it" can be told from "we do not know". One line is kept for a page however often
it is read again without a change: what a poll reads anew of its overlap, every few minutes, makes no second line. So of
a page that was read several times the first and the last time are known, how often, and the last run; what came between
is not. A page without records makes none.

An address is kept as words that lists are asked for with, ids and times, and nothing else (`plain_address`): a link of
a source may carry a token, or somebody's name. By a list of what may stay, as in `common.domain.redaction`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from common.domain.entities import EntityKey
from common.domain.records import BrokenRecord, Record
from common.domain.redaction import GONE
from common.domain.stores import PageToSave

#: Bytes that tell a customer's pages of a resource apart: of 100,000 two are taken for one never, for all purposes.
DIGEST_BYTES = 16
#: Characters of a link that are looked at, and of an address that is kept: the links that we know have about 150.
LONGEST_LINK, LONGEST_ADDRESS = 4_000, 300
#: Parts of a path: what resources and their lists are called.
PATH_WORDS = frozenset(
    """
    api campaigns certificates completions contacts date dates deleted events form forms gifts group groups
    individuals list members organizations participations people project projects rest today user users volunteers
    """.split()  # noqa: SIM905 - a page of quotes is no easier to read
)
#: What the names of bounds and of places in a list are made of.
QUERY_WORDS = frozenset(
    """
    after at before count created cursor date deleted end filter from id limit modified number offset order page per
    since size skip sort start take to until updated
    """.split()  # noqa: SIM905
)
VERSION = re.compile(r"v\d{1,2}")
NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
#: An offset's `+` may come as a space.
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[ +-]\d\d:?\d\d)?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Showing:
    """The records of one resource that a page has shown."""

    resource: str
    #: Distinct, in order; the broken ones too.
    source_ids: tuple[str, ...]
    #: As `plain_address` gives it; empty: the first of its list.
    address: str
    #: The same for the same page of the same list.
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class SeenPage:
    """A page on which a record was seen."""

    #: Of the last time.
    run_id: str
    #: Of the page within that run, from 1 on.
    number: int
    scan_pass: int
    origin: str
    #: As `PageToSave.scope`.
    scope: str
    address: str
    first_seen_at: datetime
    seen_at: datetime
    #: How often it was read without a change.
    times: int


@dataclass(frozen=True, kw_only=True)
class SeenPages:
    """What is known of the pages on which a record was, or was not."""

    #: The newest, newest first.
    newest: Sequence[SeenPage] = ()
    #: Older ones on which it was, too.
    left_out: int = 0
    #: Pages of its resource that are kept, whether it was there or not.
    kept: int = 0
    #: When the customer's first page that is still kept was read first; None: none is.
    begins_at: datetime | None = None

    def known_since(self, now: datetime, kept_for: timedelta) -> datetime | None:
        """From then on every page is kept; None: none has been yet."""
        return None if self.begins_at is None else max(self.begins_at, now - kept_for)


class PageHistory(Protocol):
    """The pages that are kept."""

    def seen(self, entity: EntityKey, *, newest: int) -> SeenPages: ...

    def prune(self, before: datetime, *, at_most: int) -> int:
        """Forget so many pages that were seen last before then, the oldest; returns how many there were.

        Waits for nobody: a page that is being saved is left alone.
        """
        ...

    def count(self, customer_id: str) -> int: ...

    def forget(self, customer_id: str) -> int:
        """All of a customer's; returns how many."""
        ...


def showings(page: PageToSave) -> list[Showing]:
    """One for each resource that the page shows records of; none if it shows nothing."""
    shown: dict[str, set[str]] = {}
    items: list[Record | BrokenRecord] = [*page.records, *page.broken]
    for each in items:
        shown.setdefault(each.resource, set()).add(each.source_id)
    address = plain_address(page.address)
    return [_showing(page, resource, tuple(sorted(ids)), address) for resource, ids in sorted(shown.items())]


def _showing(page: PageToSave, resource: str, source_ids: tuple[str, ...], address: str) -> Showing:
    # Not the run and its number: neither makes it another page.
    told = json.dumps([page.origin, page.scope, page.scan_pass, address, source_ids])
    digest = hashlib.blake2b(told.encode(), digest_size=DIGEST_BYTES).digest()
    return Showing(resource=resource, source_ids=source_ids, address=address, digest=digest)


def plain_address(link: str | None) -> str:
    """Path and query of a link without what may be secret or personal, which becomes `…`; empty if there is none.

    Neither its host, for a link is followed to the account's own alone, nor what may stand before or after these.
    """
    if not link:
        return ""
    try:
        parts = urlsplit(link[:LONGEST_LINK])
    except ValueError:
        return GONE
    query = "&".join(_argument(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True))
    address = "/".join(map(_segment, parts.path.split("/"))) + (f"?{query}" if query else "")
    return address if len(address) <= LONGEST_ADDRESS else address[: LONGEST_ADDRESS - 1] + GONE


def _segment(text: str) -> str:
    may_stay = not text or _is_made_of(PATH_WORDS, text) or VERSION.fullmatch(text) or NUMBER.fullmatch(text)
    return text if may_stay else GONE


def _argument(name: str, value: str) -> str:
    if not _is_made_of(QUERY_WORDS, name):
        return f"{GONE}={GONE}"
    return f"{name}={value if not value or NUMBER.fullmatch(value) or TIME.fullmatch(value) else GONE}"


def _is_made_of(words: frozenset[str], text: str) -> bool:
    """`updated_after`, `page[size]`, `group-members`."""
    parts = [part for part in re.split(r"[\[\]_.-]", text) if part]
    return bool(parts) and all(part in words for part in parts)
