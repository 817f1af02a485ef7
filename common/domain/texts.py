"""A value of a canonical record as one text, for fields that hold nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text_of(value: Any) -> str:
    """Trimmed; empty if there is none; several with a comma between them. Raises ValueError for an object."""
    if isinstance(value, Mapping):
        raise ValueError("is an object, not text")  # noqa: TRY004 - what is wrong is a value, as for any transform
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(text_of, value)))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()
