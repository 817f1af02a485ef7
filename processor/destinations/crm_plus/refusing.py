"""Answers for one write among several: refused, or not sent for now."""

from __future__ import annotations

from datetime import datetime

from common.domain.errors import PermanentError, RecordInvalid
from common.domain.writes import Postponed, Refusal, Refused, Write


def refused(error: PermanentError) -> Refused:
    return Refused(
        refusal=Refusal(
            reason=error.reason, message=str(error), field=error.field, status=error.status, detail=error.detail
        )
    )


def invalid(write: Write, field: str, mend: str, *, reason: str = "record_invalid") -> Refused:
    """As RecordInvalid, for one of many; `reason` is the dead letter's stable word."""
    entity = write.entity
    error = RecordInvalid(entity.customer_id, entity.resource, field, mend)
    return Refused(refusal=Refusal(reason=reason, message=str(error), field=field))


def with_mend(write: Write, answer: Refused, contact_id: str) -> Refused:
    """A refusal of the contact's id says nothing that helps: the contact was deleted since its person was linked."""
    if "contactid" not in answer.refusal.field.lower():
        return answer
    mend = f"contact {contact_id} is gone from CRM+: link the person to another one and replay"
    return invalid(write, "user_id", mend, reason="contact_gone")


def put_off(until: datetime) -> Postponed:
    return Postponed(reason="the others of its group took all the time of the request", until=until)
