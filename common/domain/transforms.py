"""The transforms that a customer's mapping may name: text in, text out, no others, so that a mapping cannot do harm.

Each raises ValueError, saying what it takes, for text that it cannot read. None of them is asked about an empty text.
There is no default value on purpose: a value that nobody gave must not look like one that somebody did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeAlias

Transform: TypeAlias = Callable[[str], str]

#: Digits of a number of the United States and Canada, without and with the country's.
NATIONAL_DIGITS, INTERNATIONAL_DIGITS = 10, 11
#: Fewest and most behind a plus: the shortest national numbers with their country, and the limit of E.164.
E164_DIGITS = (7, 15)
YES, NO = frozenset({"yes", "y", "true", "1", "on"}), frozenset({"no", "n", "false", "0", "off"})
#: Month first, as forms of the United States ask for it.
#: What follows the day in a time: 2025-11-05T10:00:00+00:00, 2025-11-05 10:00.
DAY_OF_TIME = re.compile(r"(?<=\d)[T ]\d\d:?\d\d.*$")
US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def digits(text: str) -> str:
    """Only the digits of it."""
    found = re.sub(r"[^0-9]", "", text)
    if not found:
        raise ValueError("takes text with a digit in it")
    return found


def phone_e164_us(text: str) -> str:
    """+15550102000 from any spelling of it; what starts with a plus keeps its own country."""
    found = digits(text)
    if text.strip().startswith("+"):
        return _international(text)
    if len(found) == INTERNATIONAL_DIGITS and found.startswith("1"):
        return f"+{found}"
    if len(found) != NATIONAL_DIGITS:
        raise ValueError("takes a phone number with ten digits, or one that starts with +")
    return f"+1{found}"


def _international(text: str) -> str:
    """Without the (0) that is dialled at home only. An extension is no part of it, so it is refused."""
    found = digits(text.replace("(0)", ""))
    if not E164_DIGITS[0] <= len(found) <= E164_DIGITS[1] or re.search(r"[^\W\d]", text):
        raise ValueError("takes a phone number with 7 to 15 digits behind its +, and nothing else")
    return f"+{found}"


def date_iso(text: str) -> str:
    """2025-11-05 from that, from a time that starts with it, or from 11/5/2025."""
    american = US_DATE.fullmatch(text.strip())
    try:
        if american is not None:
            month, day, year = map(int, american.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(DAY_OF_TIME.sub("", text.strip())).isoformat()
    except ValueError:
        raise ValueError("takes a date such as 2025-11-05 or 11/5/2025") from None


def yes_no(text: str) -> str:
    """`true` or `false`, as a Boolean custom field takes it."""
    word = text.strip().lower()
    if word not in YES | NO:
        raise ValueError("takes yes or no, true or false, 1 or 0")
    return "true" if word in YES else "false"


def first_word(text: str) -> str:
    """Up to the first blank."""
    return next(iter(text.split()), "")


def last_word(text: str) -> str:
    """From the last blank on."""
    return next(iter(reversed(text.split())), "")


TRANSFORMS: Mapping[str, Transform] = {
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "digits": digits,
    "phone_e164_us": phone_e164_us,
    "date_iso": date_iso,
    "yes_no": yes_no,
    "first_word": first_word,
    "last_word": last_word,
}


def replaced_by(table: Mapping[str, str]) -> Transform:
    """What the table has for it, letter case aside. A value that is not in it is an error, never passed on."""
    known = {name.strip().lower(): value for name, value in table.items()}

    def replaced(text: str) -> str:
        value = known.get(text.strip().lower())
        if value is None:
            raise ValueError(f"takes one of {', '.join(sorted(table))}")
        return value

    return replaced


def in_turn(transforms: tuple[Transform, ...]) -> Transform:
    """One after the other, as long as there is text left."""

    def run(text: str) -> str:
        for transform in transforms:
            text = transform(text) if text else text
        return text

    return run
