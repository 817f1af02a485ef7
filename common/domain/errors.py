"""Errors as a tree whose type is the verdict. Nothing else in the product decides what an error means.

    SyncError
    |- TransientError              try again with backoff; counted as an attempt
    |  |- SystemUnavailable        5xx, refused connection: it was not, or may not have been, done
    |  |  `- BudgetUnavailable     our own count cannot be asked: not sent, and nobody else's fault
    |  |- UnknownOutcome           sent, and no answer: it may have been applied; look before writing again
    |  |- PageUnreadable           an answer that is not what the API promises (not JSON, no `data`)
    |  `- RateLimited              park until a known time; not counted
    |     |- BudgetExhausted       our own limit, before anything was sent
    |     |- BreakerOpen           the system has failed too often: nothing was sent
    |     `- BacklogFull           so much waits to be applied that no more is detected: nothing was sent
    |- PermanentError              never again: a dead letter
    |  |- RecordRefused            the destination said no (400, 404, 409, 422)
    |  |- RecordInvalid            a required field is missing or malformed
    |  `- EventUnreadable          an event of an unknown version, type or shape
    |- CustomerBlocked             pause this customer, alert
    |  |- CredentialsBlocked       stop what uses this one system, until `fleet credentials verify`; no pause
    |  |  |- TokenRejected         401
    |  |  `- PermissionMissing     403
    |  |- CustomerInvalid          its configuration is malformed
    |  `- DeadLetterLimitReached   too much of it fails: the fault is ours
    |- CursorExpired               the source has forgotten it: read all there is, and go on from a new one
    |- Interrupted                 stop here, keep what is saved; somebody else goes on
    |  |- RunFenced                another run owns this (customer, resource) now
    |  `- LockLost                 the partition may have another owner
    `- ConfigurationError          stop at boot

`str()` of any of them is one line without personal data or tokens: it may be logged. What a system said goes into
`detail`, which is stored with the dead letter and never logged.
"""

from __future__ import annotations

from datetime import datetime


class SyncError(Exception):
    """Anything the product raises on purpose."""


class TransientError(SyncError):
    """It may work later; retry with backoff."""

    def __init__(self, message: str, *, detail: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.detail = detail
        self.status = status


class SystemUnavailable(TransientError):
    """The other system answered 5xx or could not be reached; `sent` says if the request may have arrived."""

    def __init__(
        self, message: str, *, sent: bool, detail: str = "", status: int | None = None, retry_at: datetime | None = None
    ) -> None:
        super().__init__(message, detail=detail, status=status)
        self.sent = sent
        #: When it said to come back; None: it did not.
        self.retry_at = retry_at


class BudgetUnavailable(SystemUnavailable):
    """Our own count of requests cannot be asked, so none may be made; the other system is not to blame."""


class UnknownOutcome(TransientError):
    """The request was sent and no answer came: it may have been applied."""


class PageUnreadable(TransientError):
    """The answer is not of the shape the API promises."""


class RateLimited(TransientError):
    """The other system said to wait until `until`."""

    def __init__(self, message: str, *, until: datetime, detail: str = "") -> None:
        super().__init__(message, detail=detail, status=429)
        self.until = until


class BudgetExhausted(RateLimited):
    """Our own budget is used up; nothing was sent."""


class BreakerOpen(RateLimited):
    """The system has failed several times in a row; nothing was sent, and nothing may be before `until`."""


class BacklogFull(RateLimited):
    """The customer has so many open events that this run may not add to them; asked again at `until`."""


class OutsideHours(RateLimited):
    """The customer's backfill may go on at `until` only; nothing was sent."""


class PermanentError(SyncError):
    """Never retry: dead-letter it, with `reason` (a stable word), `field` and the mend."""

    def __init__(
        self, message: str, *, reason: str, field: str = "", detail: str = "", status: int | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.detail = detail
        self.status = status


class RecordRefused(PermanentError):
    """The destination refused the record."""


class RecordInvalid(PermanentError):
    """The record lacks a required field, or has one that cannot be read."""

    def __init__(self, customer_id: str, resource: str, field: str, mend: str, *, detail: str = "") -> None:
        message = f"customer {customer_id}: {resource} record: field {field!r}: {mend}"
        super().__init__(message, reason="record_invalid", field=field, detail=detail)


class EventUnreadable(PermanentError):
    """The event's version, type or payload is not one this release knows."""


class CustomerBlocked(SyncError):
    """Pause this customer and alert; no other is concerned."""


class CredentialsBlocked(CustomerBlocked):
    """One system does not accept the customer's credentials: it is asked no more until they are verified.

    What does not need that system goes on, so the customer is not paused.
    """


class TokenRejected(CredentialsBlocked):
    """The other system does not accept the customer's token."""


class PermissionMissing(CredentialsBlocked):
    """The token may not do what the sync needs."""


class CustomerInvalid(CustomerBlocked):
    """The customer's configuration is malformed; names customer, field and mend."""

    def __init__(self, customer_id: str, field: str, mend: str) -> None:
        super().__init__(f"customer {customer_id!r}: {field}: {mend}")
        self.field = field


class DeadLetterLimitReached(CustomerBlocked):
    """So many of the customer's events are refused that the fault is more likely ours than its data's."""


class CursorExpired(SyncError):
    """The source does not know what has changed since a cursor, or since the page that followed it, any more."""


class Interrupted(SyncError):
    """Stop without saving more; what is committed stays, and another owner goes on from there."""


class RunFenced(Interrupted):
    """Another run has taken this (customer, resource)."""


class LockLost(Interrupted):
    """The session that held the lock is gone, so another worker may own the partition."""


class ConfigurationError(SyncError):
    """The process cannot start like this; the message names the setting and the mend."""
