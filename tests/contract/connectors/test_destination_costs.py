"""What changes cost at CRM+, measured request by request over a real sandbox, against what `costs` says of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.builders import a_person
from support.labelling import Labelling
from support.volunteering import a_date, a_participation, attended

from common.domain.resources import (
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    GIFTS,
    GROUP_MEMBERS,
    PARTICIPATIONS,
    PROJECT_DATES,
    USERS,
)
from common.domain.writes import Matched, Refused, Submitted
from common.http.client import make_transport
from processor.destinations.crm_plus.costs import SLICE_EVENTS, Change, Load, outlay
from processor.destinations.crm_plus.settings import CrmPlusSettings

#: Of the big measurements: enough for a look by query to need a second page if it read the oldest first.
MANY = 1200


@pytest.fixture(scope="module")
def transport():
    with make_transport(20.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    """One organization; the lists that are asked for once a day have been asked for."""

    def make(people=0, *, has_bulk=True, has_module=True, **settings):
        access = organization(users=0, bulk_endpoints=has_bulk, volunteer_module=has_module)
        base = {"create": "batch", "visibility_seconds": 0, **settings}
        it = Labelling(access, transport, sandbox, deadline_seconds=20.0, **base)
        it.ids = it.people(people)
        it.apply(it.group(), it.group("62", "Newsletter"))
        it.apply(it.certificate())
        return it

    return make


def slices(writes):
    return [writes[start : start + SLICE_EVENTS] for start in range(0, len(writes), SLICE_EVENTS)]


def through(it, writes):
    """As a slice takes them: who is there, written in groups, and what is submitted looked for once it is in."""
    answers = {}
    for own in slices(writes):
        new = [write for write in own if write.link is None and not write.is_removal]
        assert not [found for found in it.destination.match(new).values() if not isinstance(found, Matched)]
        groups = defaultdict(list)
        for write in own:
            groups[it.destination.group(write)].append(write)
        for group in groups.values():
            limit = it.destination.group_limit(group[0])
            for start in range(0, len(group), limit):
                some = group[start : start + limit]
                answers |= dict(zip([write.entity for write in some], it.apply(*some), strict=True))
        imported(it, [write for write in own if isinstance(answers[write.entity], Submitted)])
    assert not [answer for answer in answers.values() if isinstance(answer, Refused)]
    return answers


def imported(it, writes):
    """One look, after the sandbox has run the import."""
    if not writes:
        return
    it.sandbox.run_import(it.access.name)
    found = it.destination.look(writes, datetime.now(tz=UTC))
    assert set(found) == {write.entity for write in writes}
    for entity, there in found.items():
        it.link(entity, there.destination_id, there.details)


def spent(it, writes):
    before = it.mark()
    through(it, writes)
    return sum(it.requests(before).values())


def said(resource, change, count, **load):
    return outlay({(resource, change): count}, Load(**load)).requests


def person(it, number, *, is_removal=False, **changes):
    desired = a_person(**{"last_name": f"Quonox{number}", "email": f"p{number}@example.org", **changes})
    return it.write(USERS, str(number), desired, is_removal=is_removal)


# ---- people


def test_a_thousand_people_are_new_for_thirty_requests_and_changed_for_forty(desk):
    it = desk()
    new = spent(it, [person(it, number) for number in range(MANY)])
    changed = spent(it, [person(it, number, phone=f"555-{number:04}") for number in range(MANY)])

    assert new == said(USERS, Change.NEW, MANY, with_address=0)
    assert changed == said(USERS, Change.CHANGED, MANY)
    assert new <= 30 * MANY / 1000
    assert changed <= 40 * MANY / 1000


@pytest.mark.parametrize(
    ("settings", "count"),
    [({}, 200), ({}, 4), ({"match": "off"}, 200), ({"batch_size": 50}, 200), ({"create": "direct"}, 20)],
)
def test_new_people_cost_what_is_said_also_few_of_them_and_with_other_settings(desk, settings, count):
    it = desk(**settings)
    # Nobody is told apart by an address that all share.
    writes = [person(it, number, address=f"{number} Main St, Plano, TX 75074, USA") for number in range(count)]

    assert spent(it, writes) == said(
        USERS, Change.NEW, count, settings=CrmPlusSettings(**{"create": "batch", **settings}), with_address=1
    )


@pytest.mark.parametrize(
    ("settings", "count"),
    [({}, 40), ({}, 5), ({}, 4), ({"update": "single"}, 10), ({"imports": "nightly"}, 40)],
)
def test_changed_people_cost_what_is_said_also_few_of_them_and_with_other_settings(desk, settings, count):
    it = desk(**settings)
    through(it, [person(it, number) for number in range(count)])
    cost = spent(it, [person(it, number, phone=f"555-{number:04}") for number in range(count)])

    assert cost == said(USERS, Change.CHANGED, count, settings=CrmPlusSettings(**settings))


def test_another_address_and_a_removal_of_a_person_cost_what_is_said(desk):
    it = desk()
    through(it, [person(it, number) for number in range(20)])
    moved = spent(it, [person(it, number, email=f"moved{number}@example.org") for number in range(20)])
    gone = spent(it, [person(it, number, is_removal=True) for number in range(20)])

    assert moved == said(USERS, Change.REPLACED, 20)
    assert gone == said(USERS, Change.GONE, 20)


# ---- opportunities and participations


def dates(it, count, **changes):
    return [it.write(PROJECT_DATES, str(1000 + number), a_date(**changes)) for number in range(count)]


@pytest.mark.parametrize("has_module", [True, False])
def test_dates_cost_what_is_said_with_the_module_and_without(desk, has_module):
    it = desk(has_module=has_module)
    it.date("999")  # the module is asked for once a day
    costs = [spent(it, dates(it, 20)), spent(it, dates(it, 20, project_name="Else"))]
    costs.append(spent(it, [replace(write, is_removal=True) for write in dates(it, 20)]))

    assert costs == [
        said(PROJECT_DATES, change, 20, has_module=has_module) for change in (Change.NEW, Change.CHANGED, Change.GONE)
    ]


def rows(it, count, hours):
    """Everybody on one date."""
    people = [str(number + 1) for number in range(count)]
    made = attended if hours else a_participation
    told = {"hours": hours, "verified": True} if hours else {}
    return [it.participation(f"7{user_id}", made(user_id=user_id, **told)) for user_id in people]


@pytest.mark.parametrize("has_module", [True, False])
def test_participations_cost_what_is_said_with_the_module_and_without(desk, has_module):
    it = desk(has_module=has_module)
    through(it, [person(it, number + 1) for number in range(60)])
    it.date("1011")
    new = spent(it, rows(it, 60, "4.00"))

    assert new == said(PARTICIPATIONS, Change.NEW, 60, has_module=has_module)
    if has_module:
        assert spent(it, rows(it, 60, "3.00")) == said(PARTICIPATIONS, Change.CHANGED, 60)
        gone = [replace(write, is_removal=True) for write in rows(it, 60, "3.00")]
        assert spent(it, gone) == said(PARTICIPATIONS, Change.GONE, 60)


def test_a_sign_up_without_hours_costs_one_request_and_its_share_of_a_reading(desk):
    it = desk()
    through(it, [person(it, number + 1) for number in range(30)])
    it.date("1011")

    assert spent(it, rows(it, 30, "")) == said(PARTICIPATIONS, Change.NEW, 30, attended=0)


# ---- tags, notes and gifts


def warmed(it):
    """Whether there are bulk endpoints is known, and the list of note types."""
    through(it, [it.member(user_id) for user_id in it.ids[-2:]])
    through(it, [it.earned(user_id) for user_id in it.ids[-2:]])
    return it.ids[:-2]


@pytest.mark.parametrize("has_bulk", [True, False])
def test_memberships_cost_what_is_said_with_the_bulk_endpoint_and_without(desk, has_bulk):
    it = desk(105, has_bulk=has_bulk)
    ids = warmed(it)
    new = spent(it, [it.member(user_id) for user_id in ids])
    gone = spent(it, [it.member(user_id, is_removal=True) for user_id in ids[:10]])

    assert new == said(GROUP_MEMBERS, Change.NEW, 103, has_bulk=has_bulk)
    assert gone == said(GROUP_MEMBERS, Change.GONE, 10)


@pytest.mark.parametrize("has_bulk", [True, False])
def test_earned_certificates_cost_what_is_said_with_the_bulk_endpoints_and_without(desk, has_bulk):
    it = desk(32, has_bulk=has_bulk)
    ids = warmed(it)
    new = spent(it, [it.earned(user_id) for user_id in ids])
    changed = spent(it, [it.earned(user_id, expires_at="2028-01-02") for user_id in ids[:10]])
    gone = spent(it, [it.earned(user_id, is_removal=True) for user_id in ids[:10]])

    assert new == said(EARNED_CERTIFICATES, Change.NEW, 30, has_bulk=has_bulk)
    assert changed == said(EARNED_CERTIFICATES, Change.CHANGED, 10)
    assert gone == said(EARNED_CERTIFICATES, Change.GONE, 10)


@pytest.mark.parametrize("has_bulk", [True, False])
def test_completions_cost_what_is_said_with_the_bulk_endpoint_and_without(desk, has_bulk):
    it = desk(12, has_bulk=has_bulk)
    (user_id, *_) = ids = warmed(it)
    new = [it.completion(str(90_000 + number), user_id) for number in range(103)]
    costs = [spent(it, new)]
    filling = {"custom_fields": {"Shirt Size": "M"}}
    through(it, [it.completion("1", it.ids[-1], **filling), it.completion("2", it.ids[-2], **filling)])
    costs.append(spent(it, [it.completion(f"5{each}", each, **filling) for each in ids]))
    other = [{"field_id": "77", "label": "Size", "value": "L"}]
    costs.append(spent(it, [it.completion(str(90_000 + number), user_id, answers=other) for number in range(10)]))
    gone = [it.completion(str(90_000 + number), user_id, is_removal=True) for number in range(10)]
    costs.append(spent(it, gone))

    assert costs == [
        said(FORM_COMPLETIONS, Change.NEW, 103, has_bulk=has_bulk),
        said(FORM_COMPLETIONS, Change.FILLING, 10, has_bulk=has_bulk),
        said(FORM_COMPLETIONS, Change.CHANGED, 10),
        said(FORM_COMPLETIONS, Change.GONE, 10),
    ]


def test_gifts_cost_what_is_said_for_each_is_looked_for_by_itself(desk):
    it = desk()
    it.apply(it.gift("0"))
    new = spent(it, [it.gift(str(number + 1)) for number in range(120)])

    assert new == said(GIFTS, Change.NEW, 120)
    assert spent(it, [it.gift(str(number + 1)) for number in range(10)]) == said(GIFTS, Change.CHANGED, 10)
