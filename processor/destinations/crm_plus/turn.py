"""One call about the participations of one opportunity: what was read for all of them, and what was sent.

An attendance is added only to a sign-up that was made, or whose attendances were read, in the same call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from common.domain.errors import RateLimited, RecordRefused, SystemUnavailable
from common.domain.writes import Answer, Applied, Found, Postponed, Refusal, Refused, Write
from processor.destinations.crm_plus import beside, hours
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, nothing_sent
from processor.destinations.crm_plus.signups import SignUps

#: How long a person who is linked to a contact, but to nobody in it yet, is waited for.
PERSON_COMES = timedelta(minutes=1)


class Turn:
    """One call about one opportunity: what was read for all, and what was sent."""

    def __init__(self, account: Account, signups: SignUps, opportunity_id: str) -> None:
        self._clock = account.clock
        self._until_visible = timedelta(seconds=account.settings.visibility_seconds)
        self._deadline = account.clock.monotonic() + account.api.deadline_seconds
        self._signups = signups
        self.opportunity_id = opportunity_id
        #: Sign-up by individual, as far as anybody's is needed.
        self._there: dict[str, str] = {}
        self._has_sent = False

    def read_sign_ups(self, writes: Sequence[Write]) -> None:
        wanted = {beside.individual(write) for write in writes if beside.known_sign_up(write) is None} - {""}
        if wanted:
            one = next(iter(wanted)) if len(wanted) == 1 else ""
            self._there = self._signups.of(self.opportunity_id, one)

    def answers(self, writes: Sequence[Write]) -> Sequence[Answer]:
        """Raises what stops all. If some are done when it is known that the next one was not sent, only that waits."""
        told: list[Answer] = []
        for write in writes:
            try:
                told.append(self._answer(write))
            except RecordRefused as error:
                told.append(_refused(write, error))
            except (RateLimited, SystemUnavailable) as error:
                if not self._has_sent or (isinstance(error, SystemUnavailable) and error.sent):
                    raise
                told += [self._later(error)] * (len(writes) - len(told))
                break
        return told

    def _later(self, error: RateLimited | SystemUnavailable) -> Postponed:
        """A sign-up that was just made must be visible by then, or it would be made again."""
        visible = self._clock.now() + self._until_visible
        until = max(error.until, visible) if isinstance(error, RateLimited) else visible
        return Postponed(reason=str(error), until=until)

    def _answer(self, write: Write) -> Answer:
        if self._is_over:
            return Postponed(reason="others of its opportunity took all the time", until=self._clock.now())
        if write.is_removal:
            return self._withdraw(write)
        individual_id, known = beside.individual(write), self._sign_up_of(write)
        if known is None and not individual_id:
            until = self._clock.now() + PERSON_COMES
            return Postponed(reason="its person is not on the contact yet", until=until)
        if known is not None:
            return self._bring(write, known, is_adopted=beside.known_sign_up(write) is None)
        with self._sending():
            made = self._signups.sign_up(self.opportunity_id, individual_id)
        self._there[individual_id] = made
        return self._hours(write, made, [], changed=True)

    @property
    def _is_over(self) -> bool:
        return self._clock.monotonic() > self._deadline

    @contextmanager
    def _sending(self) -> Iterator[None]:
        """Stops at the deadline, so that nothing lands after it has settled."""
        if self._is_over:
            # Of this participation a part may be done; whoever comes next reads before it writes.
            raise SystemUnavailable("crm_plus: a participation took too long", sent=False)
        yield
        self._has_sent = True

    def _sign_up_of(self, write: Write) -> str | None:
        return beside.known_sign_up(write) or self._there.get(beside.individual(write))

    def _bring(self, write: Write, volunteer_id: str, *, is_adopted: bool) -> Answer:
        rows = self._rows(volunteer_id)
        if rows is not None:
            return self._hours(write, volunteer_id, rows, changed=False, is_adopted=is_adopted)
        again = self._signups.of(self.opportunity_id, beside.individual(write)).get(beside.individual(write))
        if again is None:
            raise _sign_up_gone(write, volunteer_id)
        return self._hours(write, again, self._rows(again) or [], changed=True, is_adopted=True)

    def _rows(self, volunteer_id: str) -> list[Row] | None:
        if self._has_sent:
            return self._signups.attendances(self.opportunity_id, volunteer_id)
        with nothing_sent():
            return self._signups.attendances(self.opportunity_id, volunteer_id)

    def _hours(
        self, write: Write, volunteer_id: str, rows: Sequence[Row], *, changed: bool, is_adopted: bool = False
    ) -> Answer:
        row = hours.own(rows, write, others=beside.others(write))
        attendance_id = str(row["id"]) if row is not None else ""
        if hours.is_due(write, row):
            body = hours.body(write)
            if row is None:
                with self._sending():
                    attendance_id, changed = self._signups.attend(self.opportunity_id, volunteer_id, body), True
            elif not hours.same(row, body):
                with self._sending():
                    self._signups.change(self.opportunity_id, row, body)
                changed = True
        details = self._details(write, volunteer_id, attendance_id, is_adopted=is_adopted)
        return Applied(destination_id=volunteer_id, details=details, changed=changed)

    def _details(self, write: Write, volunteer_id: str, attendance_id: str, *, is_adopted: bool) -> dict[str, Any]:
        return {
            **(write.link.details if write.link is not None else {}),
            **({"adopted": True} if is_adopted else {}),
            "opportunity_id": self.opportunity_id,
            "volunteer_id": volunteer_id,
            "attendance_id": attendance_id,
        }

    def _withdraw(self, write: Write) -> Answer:
        """The sign-up stays, and with it what happened; the hours count no more."""
        if write.link is None:
            raise _may_be_there(write)
        rows = self._rows(write.link.destination_id) or []
        row = hours.own(rows, write, others=beside.others(write))
        changed = row is not None and hours.has_hours(row)
        if row is not None and changed:
            with self._sending():
                self._signups.change(self.opportunity_id, row, hours.zeroed(row))
        return Applied(destination_id=write.link.destination_id, details=write.link.details, changed=changed)

    def found(self, write: Write) -> Found | None:
        volunteer_id = self._sign_up_of(write)
        if volunteer_id is None:
            return None
        rows = self._signups.attendances(self.opportunity_id, volunteer_id) or []
        row = hours.own(rows, write, others=beside.others(write))
        details = self._details(write, volunteer_id, str(row["id"]) if row is not None else "", is_adopted=False)
        return Found(destination_id=volunteer_id, details=details, current={"attendance": row})


def _said(write: Write) -> str:
    return f"customer {write.entity.customer_id}: {write.entity.resource} record"


def _refused(write: Write, error: RecordRefused) -> Refused:
    message = f"{_said(write)}: field {error.field!r}: {error}"
    refusal = Refusal(
        reason=error.reason, message=message, field=error.field, status=error.status, detail=error.detail
    )  # fmt: skip
    return Refused(refusal=refusal)


def _sign_up_gone(write: Write, volunteer_id: str) -> RecordRefused:
    mend = "was removed there: sign the person up again in CRM+ and replay, or discard"
    return RecordRefused(
        f"{_said(write)}: sign-up {volunteer_id} {mend}", reason="sign_up_gone", field="user_id", status=NOT_FOUND
    )


def _may_be_there(write: Write) -> RecordRefused:
    mend = "look whether the person has hours there, set them to 0, then discard"
    return RecordRefused(
        f"{_said(write)}: it was removed at the source while its sign-up was under way: {mend}",
        reason="outcome_unknown",
        field="hours",
    )
