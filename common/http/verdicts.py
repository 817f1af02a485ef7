"""From an answer or a failed exchange to an error. No other module looks at a status to decide.

| status                     | error              | why (facts: volunteer-api 3, crm-api 2.3)                   |
|----------------------------|--------------------|-------------------------------------------------------------|
| 401                        | TokenRejected      | no retry helps; only this customer is concerned             |
| 403                        | PermissionMissing  | the same                                                    |
| 429                        | RateLimited        | until Retry-After, or a minute where it is silent           |
| 5xx, 408, 3xx              | SystemUnavailable  | may pass, after Retry-After; a 5xx may have been applied    |
| other 4xx                  | RecordRefused      | the record, not the moment, is the problem                  |
| refused, unreachable       | SystemUnavailable  | nothing was sent                                            |
| sent, no answer in time    | UnknownOutcome     | it may have been applied                                    |
"""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from common.domain.errors import (
    PermissionMissing,
    RateLimited,
    RecordRefused,
    SyncError,
    SystemUnavailable,
    TokenRejected,
    TransientError,
    UnknownOutcome,
)
from common.http.answers import Answer

#: How long to wait after a 429 without Retry-After: one window of the shortest limit we know of.
SILENT_RATE_LIMIT_SECONDS = 60
UNAUTHORIZED, FORBIDDEN, REQUEST_TIMEOUT, TOO_MANY = 401, 403, 408, 429
CLIENT_ERRORS = range(400, 500)
SUCCESSES = range(200, 300)

#: Failures in which no byte of the request can have arrived.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def error_of(answer: Answer, where: str, now: datetime) -> SyncError | None:
    """The error an answer means, or None for a 2xx. `where` names customer, system and route, and nothing personal."""
    if answer.status in SUCCESSES:
        return None
    said = f"{where}: {answer.status}"
    if answer.status == UNAUTHORIZED:
        return TokenRejected(f"{said}: the token is not accepted; give a new one with `fleet customers token`")
    if answer.status == FORBIDDEN:
        return PermissionMissing(f"{said}: the token lacks permission; ask the account's administrator")
    if answer.status == TOO_MANY:
        until = answer.retry_at(now) or now + timedelta(seconds=SILENT_RATE_LIMIT_SECONDS)
        return RateLimited(f"{said}: over its rate limit{answer.mistrust(now)}", until=until)
    if answer.status in CLIENT_ERRORS and answer.status != REQUEST_TIMEOUT:
        return RecordRefused(
            said,
            reason=f"http_{answer.status}",
            field=answer.error_field(),
            detail=answer.detail(),
            status=answer.status,
        )
    said = f"{said}{answer.mistrust(now)}"
    return SystemUnavailable(
        said, sent=True, detail=answer.detail(), status=answer.status, retry_at=answer.retry_at(now)
    )


def error_of_failure(failure: httpx.HTTPError | httpx.InvalidURL, where: str) -> TransientError:
    """The error that a failed exchange means. The failure's own text may hold a URL, so only its type is told."""
    said = f"{where}: {type(failure).__name__}"
    if isinstance(failure, NOT_SENT):
        return SystemUnavailable(said, sent=False)
    return UnknownOutcome(said)
