"""What a destination or source that obeys a script does with one request, and how that is written."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any

#: Steps that have a word: the connection is reset without a byte, nothing or everything done.
WORDS: Mapping[str, Mapping[str, Any]] = {
    "reset": {"reset": True},
    "applied_then_reset": {"reset": True, "applied": True},
}
#: The statuses an answer may have.
LOWEST_STATUS, HIGHEST_STATUS = 200, 599


class BadStepError(ValueError):
    """Raised for a step that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request's fate."""

    status: int = HTTPStatus.OK
    #: Done first, and then answered with the status all the same.
    applied: bool = False
    #: No answer: the connection ends with a reset.
    reset: bool = False
    retry_after_seconds: int | None = None
    #: html, empty or json.
    body: str = "html"

    @property
    def lets_through(self) -> bool:
        return self.status == HTTPStatus.OK and not self.reset


def parse_step(given: Any) -> Step:
    """A status, a word of `WORDS`, or an object with the fields of Step. Raises BadStepError."""
    if isinstance(given, str) and given in WORDS:
        return Step(**WORDS[given])
    if isinstance(given, Mapping):
        return _of_object(given)
    return Step(status=_status(given))


def _of_object(given: Mapping[str, Any]) -> Step:
    if unknown := set(given) - {field.name for field in fields(Step)}:
        raise BadStepError(f"unknown options {sorted(unknown)} of a step")
    return Step(**{**given, "status": _status(given.get("status", HTTPStatus.OK))})


def _status(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not LOWEST_STATUS <= given <= HIGHEST_STATUS:
        raise BadStepError(f"a step is a status from 200 to 599, one of {sorted(WORDS)}, or an object: not {given!r}")
    return given
