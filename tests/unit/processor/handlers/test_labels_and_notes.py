"""What groups, certificates, forms and gifts lead to."""

from __future__ import annotations

import pytest
from support.builders import an_entity, an_event

from common.domain.certificates import Certificate, EarnedCertificate
from common.domain.community import Campaign, Organization
from common.domain.errors import EventUnreadable
from common.domain.events import Action
from common.domain.forms import Form, FormCompletion
from common.domain.gifts import Gift
from common.domain.groups import Group, GroupMember
from common.domain.resources import (
    CAMPAIGNS,
    CERTIFICATES,
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    FORMS,
    GIFTS,
    GROUP_MEMBERS,
    GROUPS,
    ORGANIZATIONS,
    USERS,
)
from processor.handlers.decisions import Remove, Skip, Upsert
from processor.handlers.registry import HANDLERS

GROUP, CERTIFICATE = Group(name="Team Quonox"), Certificate(name="First Aid")
MEMBER = GroupMember(group_id="61", user_id="4101")
EARNED = EarnedCertificate(certificate_id="9", user_id="4101", expires_at="2027-01-02")
COMPLETION = FormCompletion(form_id="310", form_name="Waiver", user_id="4101")
NOBODYS = FormCompletion(form_id="310", form_name="Waiver", user_id="")
GIFT = Gift(amount="25.00", gift_date="2026-01-02", gift_type="Check", user_id="4101", project_code="GEN")
STRANGERS_GIFT = Gift(amount="25.00", gift_date="2026-01-02", gift_type="Check", first_name="A", last_name="B")


def decided(resource, record, action=Action.UPSERT):
    event = an_event(entity=an_entity("1", resource=resource), payload=record.to_body(), action=action)
    return HANDLERS[resource](event)


def needed(*parents):
    return tuple(an_entity(source_id, resource=resource) for resource, source_id in parents)


@pytest.mark.parametrize(
    ("resource", "record", "parents"),
    [
        (GROUPS, GROUP, ()),
        (CERTIFICATES, CERTIFICATE, ()),
        (GROUP_MEMBERS, MEMBER, ((USERS, "4101"), (GROUPS, "61"))),
        (EARNED_CERTIFICATES, EARNED, ((USERS, "4101"), (CERTIFICATES, "9"))),
        (FORM_COMPLETIONS, COMPLETION, ((USERS, "4101"),)),
        (GIFTS, GIFT, ((USERS, "4101"),)),
        (GIFTS, STRANGERS_GIFT, ()),
    ],
)
def test_a_record_waits_for_what_it_hangs_on(resource, record, parents):
    assert decided(resource, record) == Upsert(desired=record, needs=needed(*parents))


@pytest.mark.parametrize(
    ("resource", "record"),
    [
        (GROUPS, GROUP),
        (CERTIFICATES, CERTIFICATE),
        (GROUP_MEMBERS, MEMBER),
        (EARNED_CERTIFICATES, EARNED),
        (FORM_COMPLETIONS, COMPLETION),
        (FORM_COMPLETIONS, NOBODYS),
    ],
)
def test_what_is_gone_at_the_source_is_taken_back(resource, record):
    assert decided(resource, record, Action.DELETE) == Remove(desired=record)


def test_a_form_that_nobody_known_filled_in_is_skipped_with_the_reason():
    decision = decided(FORM_COMPLETIONS, NOBODYS)

    assert isinstance(decision, Skip)
    assert "no contact" in decision.reason


def test_a_gift_is_not_taken_back():
    decision = decided(GIFTS, GIFT, Action.DELETE)

    assert isinstance(decision, Skip)
    assert "refund" in decision.reason


@pytest.mark.parametrize("action", [Action.UPSERT, Action.DELETE])
@pytest.mark.parametrize(
    ("resource", "record"),
    [(CAMPAIGNS, Campaign(name="Spring")), (ORGANIZATIONS, Organization(name="Acme")), (FORMS, Form(name="Waiver"))],
)
def test_what_has_no_counterpart_is_kept_for_look_up(resource, record, action):
    assert decided(resource, record, action) == Skip(reason="kept for look-up")


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        (GROUPS, "name"),
        (CERTIFICATES, "name"),
        (GROUP_MEMBERS, "group_id"),
        (EARNED_CERTIFICATES, "certificate_id"),
        (FORM_COMPLETIONS, "form_id"),
        (GIFTS, "amount"),
    ],
)
def test_a_payload_of_another_shape_is_unreadable_and_names_the_field(resource, field):
    with pytest.raises(EventUnreadable) as raised:
        HANDLERS[resource](an_event(entity=an_entity("1", resource=resource), payload={}))

    assert raised.value.field == field
