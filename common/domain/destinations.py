"""What a destination connector must do: take lists of writes, in as few requests as its API allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from common.domain.entities import EntityKey
from common.domain.retry import Confirmation
from common.domain.writes import Answer, Found, Matched, NeedsReview, Preview, Write


class Destination(Protocol):
    """A destination bound to one customer's account."""

    #: How long after a change the API's look-ups may still not show it.
    visibility_seconds: float
    #: After this many seconds a write that got no answer is either visible or will never be: everything `apply` may
    #: take, plus the above.
    settle_seconds: float
    #: When to look for what it has accepted and does not show yet.
    confirmation: Confirmation

    def check(self, write: Write) -> None:
        """Raise RecordInvalid, naming field and mend, for what this destination could only refuse. No request."""
        ...

    def group(self, write: Write) -> str:
        """Writes of the same group may share a request. No request."""
        ...

    def group_limit(self, write: Write) -> int:
        """How many writes of its group fit in one request; 1 for those that go alone. No request."""
        ...

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        """At first sight: who is there already, of entities without a link. Missing from the answer: nobody."""
        ...

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one group, at most `group_limit` of them; one answer each, in order.

        An update or removal that goes alone reads before it writes and sends only what differs, so it may be repeated.
        Of a create, and of what goes with others, the caller has looked. Raises PermanentError when all were refused
        together (the caller bisects), TransientError, RateLimited or CustomerBlocked.
        """
        ...

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        """What is there of writes whose outcome is not known, sent at or after `since`.

        An entity that is not there, or not visible yet, is missing from the answer.
        """
        ...

    def differs(self, write: Write, found: Found) -> bool:
        """True if the write, sent now, would change something there; of a removal too. No request."""
        ...

    def missing_fields(self, resource: str, names: Sequence[str]) -> Sequence[str]:
        """Those custom fields that the account does not have for records of a resource, asked afresh."""
        ...

    def find(self, resource: str, destination_id: str) -> Found | None:
        """A record by its own id, for a person to look at; None if there is none."""
        ...

    def preview(self, write: Write) -> Sequence[Preview]:
        """The requests that this write would lead to, as far as they are known without sending one that writes."""
        ...


@runtime_checkable
class Probed(Protocol):
    """What a connector may have besides: it can tell whether the account can be reached, in one request."""

    def probe(self) -> bool:
        """False: it answers, but not at the path that it is to be probed at. Raises as `apply` does if it is away."""
        ...


@runtime_checkable
class SeesOthers(Protocol):
    """What a connector may have besides: it can tell another integration's traces in the account from ours."""

    def others_writing(self) -> Mapping[str, int]:
        """By the name another integration goes by there: how many of the newest records it has marked as its own.

        Empty: none that the customer's settings name has left a trace there. A few requests that write nothing.
        """
        ...
