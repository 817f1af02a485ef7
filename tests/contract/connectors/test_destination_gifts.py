"""What gifts become at CRM+: transactions in batches, known by their pair, checked before they are sent."""

from __future__ import annotations

import pytest
from support.labelling import Labelling
from support.waiting import wait_until

from common.domain.clock import ManualClock
from common.domain.errors import PermanentError, RecordInvalid, UnknownOutcome
from common.domain.resources import USERS
from common.domain.writes import Applied, Refused, Submitted
from common.http.client import make_transport

SUBMIT, BY_CODE = "POST /api/v2/Gift/Transactions", "GET /api/Project/Code/{code}"
BY_PAIR = "GET /api/Gift/{transactionSource}/{transactionId}"
FOOD = 12


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    def make(settings=None, clock=None, **behaviour):
        access = organization(users=0, **behaviour)
        return Labelling(access, transport, sandbox, clock=clock, deadline_seconds=5.0, **(settings or {}))

    return make


def booked(it, write):
    return wait_until(lambda: it.found(write), seconds=10, what="the gift to be booked")


def test_gifts_go_in_one_request_and_are_found_by_their_pair_once_imported(desk):
    it = desk()
    writes = [it.gift(str(number)) for number in range(100)]
    answers = it.apply(*writes)

    assert all(isinstance(answer, Submitted) for answer in answers)
    assert (it.requests()[SUBMIT], it.requests()[BY_CODE]) == (1, 1)
    found = booked(it, writes[99])
    assert not it.destination.differs(writes[99], found)
    assert found.destination_id in {str(row["id"]) for row in it.shown("gifts")}
    assert it.destination.group_limit(writes[0]) == 100


def test_the_requests_of_a_thousand_gifts(desk):
    """One for a hundred, and one each to confirm: no documented look-up takes several pairs."""
    it = desk()
    it.apply(it.gift("first"))
    writes = [it.gift(str(number)) for number in range(100)]
    mark = it.mark()
    it.apply(*writes)
    assert it.requests(mark).total() == 1
    wait_until(lambda: len(it.shown("gifts")) == 101, seconds=10, what="the import")
    assert len(it.destination.look(writes, it.clock.now())) == 100

    assert it.requests(mark).total() == 101


def test_every_field_arrives(desk):
    it = desk()
    write = it.gift("g7", amount="1234.50", gift_type="Cash", project_code="FOOD", notes="In memory", currency="CAD")
    it.apply(write)
    booked(it, write)

    (row,) = it.shown("gifts")
    assert (row["transactionSource"], row["transactionId"]) == ("Syncfleet", "g7")
    assert (row["amount"], row["currencyCode"], row["giftType"]) == (1234.5, "CAD", "Cash")
    assert (row["giftDate"][:10], row["notes"]) == ("2026-01-02", "In memory")
    assert [(each["projectId"], each["amountDesignated"]) for each in row["giftDesignations"]] == [(FOOD, 1234.5)]
    assert row["contactName"] == "Fenmar Quonox"


def test_a_known_user_is_the_giver_though_the_contact_lacks_our_reference(desk):
    it = desk()
    it.people(1)
    write = it.gift("g1", user_id="4101", first_name="", last_name="", email="")
    it.apply(write)
    booked(it, write)

    (row,) = it.shown("gifts")
    assert str(row["contactId"]) == it.links[it.key(USERS, "4101")].destination_id
    assert len(it.shown("contacts")) == 1


def test_the_batch_size_is_a_setting(desk):
    it = desk(settings={"gift_batch_size": 20})

    assert it.destination.group_limit(it.gift("1")) == 20


@pytest.mark.parametrize(
    ("field", "value", "mend"),
    [
        ("amount", "25", "two decimals"),
        ("amount", "-1.00", "positive"),
        ("amount", "0.00", "positive"),
        ("amount", "1e3", "two decimals"),
        ("amount", "NaN", "positive"),
        ("amount", "25.005", "two decimals"),
        ("amount", "", "two decimals"),
        ("gift_date", "02/01/2026", "ISO date"),
        ("gift_date", "2026-02-30", "ISO date"),
        ("gift_date", "", "ISO date"),
        ("gift_type", "", "missing"),
        ("first_name", "", "both names"),
        ("last_name", "", "both names"),
        ("project_code", "", "missing"),
    ],
)
def test_a_gift_that_lacks_something_is_refused_before_any_request(desk, field, value, mend):
    it = desk()

    with pytest.raises(RecordInvalid, match=mend) as raised:
        it.destination.check(it.gift("1", **{field: value}))

    assert raised.value.field == field
    assert it.access.name in str(raised.value)
    assert it.requests().total() == 0


@pytest.mark.parametrize("amount", ["0.01", "25.00", "1000000.99"])
def test_an_amount_with_two_decimals_is_one(desk, amount):
    it = desk()
    it.destination.check(it.gift("1", amount=amount))


@pytest.mark.parametrize(
    ("code", "mend"), [("NOWHERE", "has no project of that code"), ("OLD", "a project that is not active")]
)
def test_a_gift_to_a_project_that_cannot_take_it_is_refused_alone_and_never_sent(desk, code, mend):
    it = desk()
    answers = it.apply(it.gift("1"), it.gift("2", project_code=code), it.gift("3"))

    assert [type(answer) for answer in answers] == [Submitted, Refused, Submitted]
    refusal = answers[1].refusal
    assert (refusal.reason, refusal.field) == ("record_invalid", "project_code")
    assert mend in refusal.message
    assert code in refusal.message
    wait_until(lambda: len(it.shown("gifts")) == 2, seconds=10, what="two gifts")


def test_if_none_can_be_taken_nothing_is_sent(desk):
    it = desk()
    it.apply(it.gift("2", project_code="OLD"))

    assert it.requests()[SUBMIT] == 0


def test_a_project_is_asked_once_a_day_and_one_that_takes_nothing_every_ten_minutes(desk):
    clock = ManualClock()
    it = desk(clock=clock)
    for number in range(3):
        it.apply(it.gift(str(number)), it.gift(f"o{number}", project_code="OLD"))
    assert it.requests()[BY_CODE] == 2
    clock.advance(601)
    it.apply(it.gift("8"), it.gift("o8", project_code="OLD"))
    assert it.requests()[BY_CODE] == 3
    clock.advance(24 * 3600)
    it.apply(it.gift("9"))
    assert it.requests()[BY_CODE] == 4


def test_a_project_that_was_activated_takes_gifts_ten_minutes_later(desk):
    clock = ManualClock()
    it = desk(clock=clock)
    it.apply(it.gift("1", project_code="OLD"))
    it.sandbox.change_fund(it.access.name, 14, isActive=True)
    clock.advance(601)
    (answer,) = it.apply(it.gift("1", project_code="OLD"))

    assert isinstance(answer, Submitted)


def test_what_only_the_destination_can_refuse_refuses_all_and_books_nothing(desk):
    """A type that it does not have, say: the processor halves until it is alone."""
    it = desk()
    with pytest.raises(PermanentError) as raised:
        it.apply(it.gift("1"), it.gift("2", gift_type="Goodwill"))

    assert raised.value.field == "transactions[1].giftType"
    assert raised.value.status in (400, 422)
    assert it.shown("held_gifts") == it.shown("gifts") == []


def test_an_answer_that_is_lost_books_no_gift_twice(desk):
    it = desk()
    writes = [it.gift("1"), it.gift("2")]
    it.fault("drop_after_apply", method="POST")
    with pytest.raises(UnknownOutcome):
        it.apply(*writes)
    it.sandbox.clear_faults()
    booked(it, writes[0])

    assert len(it.destination.look(writes, it.clock.now())) == 2
    it.apply(*writes)  # even who does not look
    wait_until(lambda: not it.shown("held_gifts"), seconds=10, what="the import")
    assert len(it.shown("gifts")) == 2


def test_what_is_held_is_not_found_until_it_is_imported(desk):
    it = desk(import_mode="by_hand")
    write = it.gift("1")
    it.apply(write)
    assert it.found(write) is None
    it.sandbox.run_import(it.access.name)

    assert it.found(write) is not None


@pytest.mark.parametrize(
    ("field", "value"), [("amount", "26.00"), ("gift_date", "2026-01-03"), ("project_code", "FOOD")]
)
def test_a_booked_gift_that_changes_at_the_source_is_for_staff(desk, field, value):
    it = desk()
    write = it.gift("1")
    it.apply(write)
    found = booked(it, write)
    it.link(write.entity, found.destination_id, found.details)
    changed = it.gift("1", **{field: value})
    (answer,) = it.apply(changed)
    (same,) = it.apply(it.gift("1"))

    assert it.destination.differs(changed, found)
    assert (answer.refusal.reason, answer.refusal.field) == ("gift_changed", field)
    assert "correct the gift in CRM+" in answer.refusal.message
    assert isinstance(same, Applied)
    assert not same.changed


def test_an_unknown_custom_field_of_a_gift_is_refused_with_the_mend(desk):
    it = desk()
    answers = it.apply(it.gift("1", custom_fields={"Nowhere": "x"}), it.gift("2"))

    assert [type(answer) for answer in answers] == [Refused, Submitted]
    assert answers[0].refusal.field == "custom:Nowhere"


def test_what_would_be_sent_is_shown_without_sending_it(desk):
    it = desk()
    (preview,) = it.destination.preview(it.gift("7"))

    assert (preview.method, preview.route) == ("POST", "/api/v2/Gift/Transactions")
    assert preview.body["createImport"] is True
    (item,) = preview.body["transactions"]
    assert item["frequency"] == "OneTime"
    assert item["designations"] == [{"code": "GEN", "amountDesignated": "25.00"}]
    assert item["contact"] == {"firstname": "Fenmar", "lastname": "Quonox", "email": "g7@example.org"}
    assert it.requests().total() == 0
