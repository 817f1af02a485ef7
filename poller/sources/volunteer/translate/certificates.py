"""Certificates, and who earned them; facts: volunteer-api 1.7, where their fields are not found.

Who earned what is shown, if at all, in a user's detail (`certificates`): unconfirmed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from common.domain.certificates import Certificate, EarnedCertificate
from common.domain.records import Record
from common.domain.resources import CERTIFICATES, EARNED_CERTIFICATES
from poller.sources.volunteer.translate.fields import Fields


def certificate(item: Any, customer_id: str, *, answered_at: datetime) -> Record:
    fields = Fields.of(item, customer_id, CERTIFICATES)
    days = fields.text("expires_after_days") and str(fields.whole("expires_after_days"))
    return Record(
        resource=CERTIFICATES,
        source_id=fields.identifier("id"),
        updated_at=fields.moment_if_any("updated_at") or answered_at,
        body=Certificate(name=fields.required("name"), expires_after_days=days).to_body(),
        raw=item,
    )


def earned_certificate(item: Any, customer_id: str, *, user_id: str, answered_at: datetime) -> Record:
    """A row in a user's detail, as new as the answer that shows it."""
    fields = Fields.of(item, customer_id, EARNED_CERTIFICATES)
    found = EarnedCertificate(
        certificate_id=fields.identifier("certificate_id"),
        user_id=user_id,
        earned_at=fields.time("earned_at"),
        expires_at=fields.time("expires_at"),
    )
    return Record(
        resource=EARNED_CERTIFICATES,
        source_id=f"{found.certificate_id}:{user_id}",
        updated_at=answered_at,
        body=found.to_body(),
        raw=item,
    )


def newest(records: list[Record]) -> list[Record]:
    """One certificate earned again is one record: what was earned last counts, in whatever order they come."""
    found: dict[str, Record] = {}
    for record in sorted(records, key=lambda each: (each.body["earned_at"], each.body["expires_at"])):
        found[record.source_id] = record
    return list(found.values())
