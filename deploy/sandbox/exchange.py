"""What a handler sees and what it answers, free of any web framework."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from deploy.sandbox.journal import Entry
from deploy.sandbox.organization import Organization

Details = list[dict[str, str]]


class Refusal(Exception):
    """Raised by a handler, or before one, to answer with an error."""

    def __init__(
        self, status: int, code: str, message: str, details: Details | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or []
        self.retry_after = retry_after


@dataclass(slots=True)
class Call:
    """One accepted request."""

    organization: Organization
    now: datetime
    url: str  #: without the query
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    entry: Entry

    def number(self, name: str) -> int:
        """A numeric path parameter; anything else is a missing record."""
        value = self.parameters[name]
        if not value.isdecimal():
            raise Refusal(404, "NOT_FOUND", "The requested record was not found.")
        return int(value)


@dataclass(slots=True)
class Reply:
    """An answer: JSON, or raw content, or nothing."""

    status: int = 200
    payload: Any = None
    content: bytes | None = None
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]


class Endpoint(NamedTuple):
    """A route of one of the two systems; the template is relative to the system's mount."""

    method: str
    template: str
    handle: Handler
