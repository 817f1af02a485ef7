"""Numbers and truths, which this API gives as numbers or as text (facts: volunteer-api 4, 11)."""

from __future__ import annotations

import re
from decimal import Decimal

#: What `int` and `Decimal` are too generous for: they take superscripts' kin, underscores, exponents and `nan`.
WHOLE = re.compile(r"[0-9]{1,18}(?:\.0+)?")
DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def read_whole(text: str) -> int:
    """Digits, or a float without a fraction. Raises ValueError."""
    if not WHOLE.fullmatch(text):
        raise ValueError("is no whole number")
    return int(text.partition(".")[0])


def read_hours(text: str) -> str:
    """Two decimals. Raises ValueError."""
    if not DECIMAL.fullmatch(text):
        raise ValueError("is no number of hours")
    return str(Decimal(text).quantize(Decimal("0.01")))


def read_truth(text: str) -> bool:
    """Raises ValueError."""
    if text.lower() not in TRUTHS:
        raise ValueError("is neither true nor false")
    return TRUTHS[text.lower()]


def spelled_id(text: str) -> str:
    """Ids come as numbers or as digits in a string, with or without zeros before them: the same id."""
    return str(int(text.partition(".")[0])) if WHOLE.fullmatch(text) else text
