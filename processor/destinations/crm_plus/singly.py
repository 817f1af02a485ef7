"""Writes of one group sent one after another, each with an answer of its own, within the time that they may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from common.domain.errors import CustomerBlocked, PermanentError, RateLimited, SystemUnavailable
from common.domain.writes import Postponed, Refused
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.refusing import put_off, refused

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")


class Window:
    """The time in which an `apply` may begin a request that writes: what began later could land after it has settled,
    when another has looked already.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._ends = account.clock.monotonic() + account.api.deadline_seconds

    @property
    def is_over(self) -> bool:
        return self._account.clock.monotonic() > self._ends

    def require(self) -> None:
        """Raises SystemUnavailable, for nothing was sent yet."""
        if self.is_over:
            raise SystemUnavailable("the reads before a write took too long; it comes again", sent=False)

    @property
    def now(self) -> datetime:
        return self._account.clock.now()


def one_by_one(
    window: Window, items: Sequence[ItemT], send: Callable[[ItemT], DoneT]
) -> list[DoneT | Refused | Postponed]:
    """One answer each, in order. A refusal concerns its item alone.

    What stops the rest before it is sent (a limit, a token, the time) postpones it, so that nobody takes what is done
    for not sent. Raises what leaves the outcome of one open: then all must be looked at.
    """
    answers: list[DoneT | Refused | Postponed] = []
    done, until = False, None
    for item in items:
        if until is None and window.is_over:
            until = window.now
        if until is not None:
            answers.append(put_off(until))
            continue
        try:
            answers.append(send(item))
            done = True
        except PermanentError as error:
            answers.append(refused(error))
        except (RateLimited, CustomerBlocked, SystemUnavailable) as error:
            if not done or (isinstance(error, SystemUnavailable) and error.sent):
                raise
            until = error.until if isinstance(error, RateLimited) else window.now
            answers.append(put_off(until))
    return answers
