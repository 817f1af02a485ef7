"""What groups, certificates, memberships and earned certificates become at CRM+: tags, and a note with the expiry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.labelling import Labelling
from support.waiting import wait_until

from common.domain.clock import ManualClock
from common.domain.errors import PageUnreadable, RateLimited, RecordRefused, SystemUnavailable, UnknownOutcome
from common.domain.groups import Group
from common.domain.resources import GROUPS
from common.domain.writes import Applied, Postponed, Refused
from common.http.client import make_transport

VOLUNTEER, DONOR = 31, 32
TAGS, BULK, SINGLE = "GET /api/Tag", "POST /api/Tag/Bulk", "POST /api/ContactTag"
BY_TAG, BY_CONTACT = "GET /api/Contact/ByTag/{tagId}", "GET /api/ContactTag/ByContact/{contactId}"
NOTE, NOTES = "POST /api/ContactNote", "POST /api/ContactNote/Bulk"


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    """A group that is the tag Volunteer, a certificate that is the tag Donor, and some people."""

    def make(people=1, settings=None, clock=None, **behaviour):
        access = organization(users=0, **{"bulk_endpoints": False, **behaviour})
        it = Labelling(access, transport, sandbox, clock=clock, deadline_seconds=5.0, **(settings or {}))
        it.ids = it.people(people)
        it.apply(it.group())
        it.apply(it.certificate())
        return it

    return make


@pytest.fixture(params=[True, False], ids=["bulk", "singly"])
def either(request, desk):
    """The same with the bulk endpoints and without."""
    return lambda *args, **more: desk(*args, bulk_endpoints=request.param, **more)


def again(it):
    """The same account as another slice sees it: nothing is known but links and the reference cache."""
    it.reopen()
    return it


# ---- groups and certificates


def test_a_group_and_a_certificate_are_the_tags_of_their_names_and_nothing_is_written(desk):
    it = desk()

    assert it.links[it.key(GROUPS, "61")].destination_id == str(VOLUNTEER)
    assert not [route for route in it.requests() if route.startswith(("POST /api/Tag", "POST /api/ContactTag"))]


def test_the_list_of_tags_is_asked_once_for_all_groups_and_again_after_a_day(desk):
    clock = ManualClock()
    it = desk(clock=clock)
    it.apply(*[it.group(str(number), "Newsletter") for number in range(50)])
    assert it.requests()[TAGS] == 1
    clock.advance(24 * 3600 + 1)
    it.apply(it.group("70"))

    assert it.requests()[TAGS] == 2


def test_a_group_without_a_tag_is_refused_with_the_name_and_the_mend(desk):
    it = desk()
    (answer,) = it.apply(it.group("62", "Team Nowhere"))

    assert isinstance(answer, Refused)
    assert (answer.refusal.reason, answer.refusal.field) == ("tag_missing", "name")
    assert "create the tag 'Team Nowhere' in CRM+ and replay" in answer.refusal.message
    assert it.access.name in answer.refusal.message


def test_one_missing_tag_refuses_no_other_group(desk):
    it = desk()
    answers = it.apply(it.group("62", "Team Nowhere"), it.group("63", "Newsletter"))

    assert [type(answer) for answer in answers] == [Refused, Applied]


def test_a_tag_that_was_missing_is_asked_for_at_most_every_ten_minutes(desk):
    clock = ManualClock()
    it = desk(clock=clock)
    for _ in range(5):
        it.apply(it.group("62", "Team Nowhere"))
    assert it.requests()[TAGS] == 1
    it.sandbox.create_tag(it.access.name, "Team Nowhere")
    clock.advance(601)
    (answer,) = it.apply(it.group("62", "Team Nowhere"))

    assert isinstance(answer, Applied)
    assert it.requests()[TAGS] == 2


def test_a_renamed_group_keeps_its_tag(desk):
    it = desk()
    (answer,) = it.apply(it.group("61", "Quite Another Name"))

    assert (answer.destination_id, answer.changed) == (str(VOLUNTEER), False)
    assert answer.details["name"] == "Quite Another Name"


def test_a_group_whose_tag_was_deleted_takes_the_one_of_its_name(desk):
    clock = ManualClock()
    it = desk(clock=clock)
    it.sandbox.delete_tag(it.access.name, VOLUNTEER)
    made = it.sandbox.create_tag(it.access.name, "Volunteer")
    clock.advance(24 * 3600 + 1)
    (answer,) = it.apply(it.group())

    assert answer.destination_id == str(made["id"])


def test_the_template_names_the_tag(desk):
    it = desk(settings={"group_tag": "VOMO: {name}"})
    it.sandbox.create_tag(it.access.name, "VOMO: Cooks")
    it.references.forget(it.access.name, "tags")
    (answer,) = it.apply(it.group("64", "Cooks"))

    assert isinstance(answer, Applied)


def test_letter_case_does_not_hide_a_tag(desk):
    it = desk()
    (answer,) = it.apply(it.group("64", " newsletter "))

    assert isinstance(answer, Applied)


def test_the_end_of_a_group_leaves_its_tag_alone(desk):
    it = desk()
    (answer,) = it.apply(it.write(GROUPS, "61", Group(name="Volunteer"), is_removal=True))

    assert (answer.destination_id, answer.changed) == (str(VOLUNTEER), False)
    assert {"id": VOLUNTEER, "tagName": "Volunteer"} in it.shown("tags")


def test_a_group_whose_outcome_is_not_known_is_found_by_looking(desk):
    it = desk()
    write = replace(it.group(), link=None)

    assert it.found(write).destination_id == str(VOLUNTEER)
    assert it.found(it.group("62", "Team Nowhere")) is None


# ---- memberships


@pytest.mark.parametrize("count", [1, 3, 30])
def test_a_member_carries_the_tag_of_the_group_once(either, count):
    it = either(people=count)
    answers = it.apply(*[it.member(source_id) for source_id in it.ids])

    assert all(answer.changed for answer in answers)
    assert [it.tags_of(source_id) for source_id in it.ids] == [[VOLUNTEER]] * count
    shown = {row["id"]: str(row["contactId"]) for row in it.shown("contact_tags")}
    assert {int(a.details["contact_tag_id"]): a.details["contact_id"] for a in answers} == shown


@pytest.mark.parametrize("count", [1, 3, 30])
def test_members_that_are_written_again_get_no_second_tag_and_stay_ours(either, count):
    it = either(people=count)
    it.apply(*[it.member(source_id) for source_id in it.ids])
    answers = again(it).apply(*[it.member(source_id) for source_id in it.ids])

    assert not any(answer.changed or answer.details["adopted"] for answer in answers)
    assert len(it.shown("contact_tags")) == count


@pytest.mark.parametrize("count", [1, 8])
def test_a_tag_that_staff_gave_is_adopted_and_never_taken_away(either, count):
    it = either(people=count)
    it.staff("POST", "/api/ContactTag", {"tagId": VOLUNTEER, "contactId": int(it.contact(it.ids[0]))})
    answers = it.apply(*[it.member(source_id) for source_id in it.ids])
    (removed,) = it.apply(it.member(it.ids[0], is_removal=True))

    assert [answer.details["adopted"] for answer in answers] == [True] + [False] * (count - 1)
    assert not removed.changed
    assert it.tags_of(it.ids[0]) == [VOLUNTEER]


def test_who_leaves_loses_the_tag_that_we_gave_and_no_other(either):
    it = either(people=2)
    it.apply(*[it.member(source_id) for source_id in it.ids])
    it.staff("POST", "/api/ContactTag", {"tagId": DONOR, "contactId": int(it.contact(it.ids[0]))})
    (removed,) = again(it).apply(it.member(it.ids[0], is_removal=True))

    assert removed.changed
    assert [it.tags_of(source_id) for source_id in it.ids] == [[DONOR], [VOLUNTEER]]


def test_a_tag_that_is_gone_already_is_no_error(desk):
    it = desk()
    (answer,) = it.apply(it.member("4101"))
    it.staff("DELETE", f"/api/ContactTag/{answer.destination_id}")
    (removed,) = it.apply(it.member("4101", is_removal=True))

    assert isinstance(removed, Applied)
    assert not removed.changed


def test_who_comes_back_gets_the_tag_again(desk):
    it = desk()
    for is_removal in (False, True, False):
        it.apply(it.member("4101", is_removal=is_removal))

    assert it.tags_of("4101") == [VOLUNTEER]


def test_two_users_who_are_one_contact_get_one_tag_which_stays_while_one_of_them_is_a_member(either):
    it = either()
    it.link_person("4199", it.contact("4101"))
    answers = it.apply(it.member("4101"), it.member("4199"))
    assert [answer.details["adopted"] for answer in answers] == [False, True]
    assert it.tags_of("4101") == [VOLUNTEER]

    again(it).apply(it.member("4101", is_removal=True))
    assert it.tags_of("4101") == [VOLUNTEER]


def test_without_the_bulk_endpoint_the_probe_is_made_once_and_loses_and_doubles_nothing(desk):
    it = desk(people=30)
    it.apply(*[it.member(source_id) for source_id in it.ids[:10]])
    again(it).apply(*[it.member(source_id) for source_id in it.ids[10:]])

    assert it.requests()[BULK] == 1
    assert it.requests()[SINGLE] == 30
    assert [it.tags_of(source_id) for source_id in it.ids] == [[VOLUNTEER]] * 30


def test_a_missing_bulk_endpoint_is_tried_again_after_thirty_days(desk):
    clock = ManualClock()
    it = desk(people=4, clock=clock)
    it.apply(*[it.member(source_id) for source_id in it.ids[:2]])
    it.sandbox.change_organization(it.access.name, bulk_endpoints=True)
    clock.advance(30 * 24 * 3600 + 1)
    it.apply(*[it.member(source_id) for source_id in it.ids[2:]])

    assert it.requests()[BULK] == 2
    assert it.requests()[SINGLE] == 2


def test_a_bulk_endpoint_that_vanishes_loses_nothing(desk):
    it = desk(people=4, bulk_endpoints=True)
    it.apply(*[it.member(source_id) for source_id in it.ids[:2]])
    it.sandbox.change_organization(it.access.name, bulk_endpoints=False)
    it.apply(*[it.member(source_id) for source_id in it.ids[2:]])

    assert [it.tags_of(source_id) for source_id in it.ids] == [[VOLUNTEER]] * 4


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply"])
def test_an_answer_that_is_lost_doubles_no_tag(either, kind, count):
    it = either(people=count)
    writes = [it.member(source_id) for source_id in it.ids]
    it.fault(kind, method="POST")
    with pytest.raises(UnknownOutcome):
        it.apply(*writes)
    it.sandbox.clear_faults()

    found = again(it).destination.look(writes, it.clock.now())
    left = [write for write in writes if write.entity not in found]
    it.apply(*left) if left else None

    assert [it.tags_of(source_id) for source_id in it.ids] == [[VOLUNTEER]] * count
    assert not any(there.details["adopted"] for there in found.values())


@pytest.mark.parametrize("kind", ["not_json", "truncate_page"])
@pytest.mark.parametrize("count", [2, 8])
def test_a_list_that_is_no_list_never_says_that_nobody_carries_the_tag(either, count, kind):
    it = either(people=count)
    it.apply(*[it.member(source_id) for source_id in it.ids])
    it.fault(kind, method="GET")
    try:
        it.apply(*[it.member(source_id) for source_id in it.ids])
    except (SystemUnavailable, PageUnreadable):
        it.sandbox.clear_faults()

    assert len(it.shown("contact_tags")) == count


def test_a_limit_met_half_way_keeps_what_is_done_and_postpones_the_rest(desk):
    it = desk(people=6)
    it.references.put(it.access.name, "endpoint/Tag/Bulk", False, it.clock.now())
    it.fault("script", method="POST", route="/api/ContactTag", script=[200, 200, 429])
    answers = it.apply(*[it.member(source_id) for source_id in it.ids])

    assert [type(answer) for answer in answers] == [Applied] * 2 + [Postponed] * 4
    assert len(it.shown("contact_tags")) == 2
    assert answers[-1].until > it.clock.now()


def test_a_limit_met_at_once_parks(desk):
    it = desk(people=2)
    it.fault("rate_limit", method="POST")

    with pytest.raises(RateLimited):
        it.apply(*[it.member(source_id) for source_id in it.ids])


def test_a_contact_that_is_gone_is_refused_alone_with_the_mend(desk):
    it = desk(people=2)
    it.link_person("4199", "999999")
    answers = it.apply(*[it.member(source_id) for source_id in ("4101", "4199", "4102")])

    assert [type(answer) for answer in answers] == [Applied, Refused, Applied]
    assert (answers[1].refusal.reason, answers[1].refusal.field) == ("contact_gone", "user_id")
    assert "contact 999999 is gone from CRM+" in answers[1].refusal.message


def test_in_bulk_a_contact_that_is_gone_refuses_all_and_ties_nobody(desk):
    """The processor halves until it is alone."""
    it = desk(people=2, bulk_endpoints=True)
    it.link_person("4199", "999999")
    with pytest.raises(RecordRefused) as raised:
        it.apply(*[it.member(source_id) for source_id in ("4101", "4199", "4102")])

    assert raised.value.field == "contactIds[1]"
    assert it.shown("contact_tags") == []
    (answer,) = it.apply(it.member("4199"))
    assert answer.refusal.reason == "contact_gone"


@pytest.mark.parametrize("count", [1, 8])
def test_members_of_a_group_whose_tag_was_deleted_are_refused_with_the_mend(either, count):
    it = either(people=count)
    it.sandbox.delete_tag(it.access.name, VOLUNTEER)
    try:
        answers = it.apply(*[it.member(source_id) for source_id in it.ids])
    except RecordRefused as error:
        pytest.fail(f"the mend is missing: {error}")

    assert {answer.refusal.reason for answer in answers} == {"tag_missing"}
    assert "create it again and replay" in answers[0].refusal.message


def test_members_go_to_the_tag_that_took_the_deleted_ones_name(either):
    it = either(people=8)
    it.sandbox.delete_tag(it.access.name, VOLUNTEER)
    made = it.sandbox.create_tag(it.access.name, "Volunteer")
    it.apply(*[it.member(source_id) for source_id in it.ids])
    it.apply(*[it.member(source_id) for source_id in it.ids])

    assert it.tags_of("4101") == [made["id"]]


def test_a_removal_of_what_nobody_knows_is_for_a_person(desk):
    """It was added without an answer, and removed at the source before anybody looked: no link tells which tag."""
    it = desk()
    write = it.member("4101", is_removal=True)
    found = it.found(write)

    assert it.destination.differs(write, found)
    it.link(write.entity, found.destination_id, found.details)
    with pytest.raises(RecordRefused) as raised:
        it.apply(it.member("4101", is_removal=True))
    assert raised.value.reason == "outcome_unknown"
    assert "look at the person's tags" in str(raised.value)


def test_archived_contacts_are_found_by_looking_though_the_tags_list_leaves_them_out(desk):
    it = desk(people=8)
    it.apply(*[it.member(source_id) for source_id in it.ids])
    it.sandbox.archive_contact(it.access.name, int(it.contact("4101")))
    writes = [replace(it.member(source_id), link=None) for source_id in it.ids]

    assert len(it.destination.look(writes, it.clock.now())) == 8


@pytest.mark.parametrize(("bulk", "most"), [(True, 30), (False, 1030)])
def test_the_requests_of_a_thousand_memberships(desk, bulk, most):
    """A list of tags, then for a hundred members one reading of the tag and one request; without bulk one each."""
    it = desk(people=100, bulk_endpoints=bulk)
    mark = it.mark()
    it.apply(*[it.member(source_id) for source_id in it.ids])

    asked = it.requests(mark).total()
    assert asked * 10 <= most


# ---- earned certificates


@pytest.mark.parametrize("count", [1, 3, 20])
def test_an_earned_certificate_is_a_tag_and_a_note_with_the_expiry(either, count):
    it = either(people=count)
    answers = it.apply(*[it.earned(source_id) for source_id in it.ids])

    assert all(answer.changed and answer.details["note_id"] for answer in answers)
    assert [it.tags_of(source_id) for source_id in it.ids] == [[DONOR]] * count
    assert it.texts()[0] == (
        "Certificate: Donor\nEarned: 2026-01-02\nValid until: 2027-01-02\n[Syncfleet earned_certificates/9:4101]"
    )
    assert len(it.texts()) == count


@pytest.mark.parametrize(("bulk", "most"), [(True, 120), (False, 2040)])
def test_the_requests_of_a_thousand_earned_certificates(desk, bulk, most):
    """For twenty-five: one reading of the tag, the tags, the notes; what there is was found out by the first ones."""
    it = desk(people=27, bulk_endpoints=bulk)
    writes = [it.earned(source_id) for source_id in it.ids]
    assert it.destination.group_limit(writes[0]) == 25
    it.apply(*writes[:2])
    mark = it.mark()
    it.apply(*writes[2:])

    assert it.requests(mark).total() * 40 <= most


def test_a_new_expiry_changes_the_note_and_makes_no_other(desk):
    it = desk()
    it.apply(it.earned("4101"))
    (answer,) = again(it).apply(it.earned("4101", expires_at="2028-05-06"))
    (same,) = again(it).apply(it.earned("4101", expires_at="2028-05-06"))

    (text,) = it.texts()
    assert "Valid until: 2028-05-06" in text
    assert (answer.changed, same.changed) == (True, False)
    assert it.tags_of("4101") == [DONOR]


def test_a_certificate_that_is_gone_loses_the_tag_and_its_note_is_marked(desk):
    it = desk()
    it.apply(it.earned("4101"))
    it.apply(it.earned("4101", is_removal=True))
    it.apply(it.earned("4101", is_removal=True))

    (text,) = it.texts()
    assert text.count("[withdrawn ") == 1
    assert it.tags_of("4101") == []


def test_one_that_is_earned_again_gets_tag_and_note_back(desk):
    it = desk()
    for is_removal in (False, True, False):
        it.apply(it.earned("4101", is_removal=is_removal))

    (text,) = it.texts()
    assert "[withdrawn" not in text
    assert it.tags_of("4101") == [DONOR]


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("route", ["/api/ContactTag", "/api/Tag/Bulk", "/api/ContactNote", "/api/ContactNote/Bulk"])
@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply", "rate_limit", "error"])
def test_whatever_fails_between_tag_and_note_neither_is_doubled_and_the_tag_stays_ours(either, kind, route, count):
    it = either(people=count)
    writes = [it.earned(source_id) for source_id in it.ids]
    it.fault(kind, method="POST", route=route)
    try:
        it.apply(*writes)
    except (UnknownOutcome, SystemUnavailable, RateLimited) as error:
        failed = error
    else:
        failed = None  # that route is not used in this way
    it.sandbox.clear_faults()
    again(it)
    if failed is not None and not isinstance(failed, RateLimited):
        for entity, there in it.destination.look(writes, it.clock.now()).items():
            it.link(entity, there.destination_id, there.details)
    for source_id in it.ids:
        it.apply(it.earned(source_id))

    assert len(it.texts()) == count
    assert [it.tags_of(source_id) for source_id in it.ids] == [[DONOR]] * count
    assert not any(it.links[write.entity].details["adopted"] for write in writes)


def test_what_is_found_of_half_a_certificate_still_differs(desk):
    it = desk()
    it.staff("POST", "/api/ContactTag", {"tagId": DONOR, "contactId": int(it.contact("4101"))})
    write = it.earned("4101")

    assert it.destination.differs(write, it.found(write))


def test_the_index_may_lag_behind_a_bulk_answer_without_ids(desk):
    """Whatever the bulk endpoint answers, what ties the tag is known in the end."""
    it = desk(people=3, bulk_endpoints=True)
    it.fault("not_json", method="POST", route="/api/Tag/Bulk")
    answers = it.apply(*[it.member(source_id) for source_id in it.ids])
    it.sandbox.clear_faults()

    assert {a.details["contact_tag_id"] for a in answers} == {str(row["id"]) for row in it.shown("contact_tags")}
    wait_until(lambda: len(it.shown("contact_tags")) == 3, seconds=5, what="three tags")
