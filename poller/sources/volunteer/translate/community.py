"""Organizations and campaigns; facts: volunteer-api 1.7, where an organization's fields are not found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from common.domain.community import Campaign, Organization
from common.domain.records import Record
from common.domain.resources import CAMPAIGNS, ORGANIZATIONS
from poller.sources.volunteer.translate.fields import Fields


def campaign(item: Any, customer_id: str, *, answered_at: datetime) -> Record:
    fields = Fields.of(item, customer_id, CAMPAIGNS)
    found = Campaign(
        name=fields.text("campaign_name") or fields.text("name") or fields.required("campaign_name"),
        description=fields.text("description"),
        url=fields.text("url"),
    )
    return Record(
        resource=CAMPAIGNS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment_if_any("updated_at") or answered_at,
        body=found.to_body(),
        raw=item,
    )


def organization(item: Any, customer_id: str, *, answered_at: datetime) -> Record:
    fields = Fields.of(item, customer_id, ORGANIZATIONS)
    found = Organization(
        name=fields.required("name"), slug=fields.text("slug"), parent_id=fields.reference("parent_id")
    )
    return Record(
        resource=ORGANIZATIONS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment_if_any("updated_at") or answered_at,
        body=found.to_body(),
        raw=item,
    )
