"""What the processor's slice may rely on from every destination, in every way of creating that it offers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.builders import a_customer, a_person
from support.clients import an_api
from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.domain.entities import EntityKey
from common.domain.errors import (
    BudgetExhausted,
    PageUnreadable,
    PermanentError,
    PermissionMissing,
    RateLimited,
    RecordInvalid,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.domain.resources import USERS
from common.domain.writes import Applied, Link, Submitted, Write
from common.http.client import make_transport
from common.storage.memory.references import MemoryReferenceCache
from processor.destinations.registry import DESTINATIONS

WAYS = [(name, create) for name in DESTINATIONS for create in ("batch", "direct")]
PERSON = a_person(phone="555-0100", address="12 Main St, Plano, TX 75074, USA", birthday="1980-02-03", gender="F")
READS = ("GET",)


class Writer:
    """One destination bound to one organization."""

    def __init__(self, name, create, access, transport, sandbox, **settings):
        self.access, self.sandbox = access, sandbox
        self.api = an_api(
            access.crm_base_url, access.crm_token, transport=transport, deadline_seconds=2.0, customer_id=access.name
        )
        base = {"create": create, "visibility_seconds": 0, "batch_size": 3, **settings}
        customer = a_customer(access.name, destination=name, destination_settings=base)
        self.destination = DESTINATIONS[name].open(self.api, customer, SystemClock(), MemoryReferenceCache())
        self.started = datetime.now(tz=UTC)

    def write(self, source_id="1", person=PERSON, link=None):
        return Write(
            write_id=f"w{source_id}", entity=self.entity(source_id), event_id=1, version=1, desired=person,
            mapped_hash="hash", link=link,
        )  # fmt: skip

    def entity(self, source_id="1"):
        return EntityKey(customer_id=self.access.name, resource=USERS, source_id=source_id)

    def apply(self, *writes):
        return self.destination.apply(writes)

    def look(self, *source_ids):
        return self.destination.look([self.write(i) for i in source_ids or ("1",)], self.started)

    def found(self, source_id="1"):
        what = f"{source_id} to be visible"
        return wait_until(lambda: self.look(source_id).get(self.entity(source_id)), seconds=10, what=what)

    def created(self, person=PERSON, source_id="1"):
        """A link to a contact that is there."""
        self.apply(self.write(source_id, person))
        found = self.found(source_id)
        return Link(entity=self.entity(source_id), destination_id=found.destination_id, details=found.details)

    def update(self, link, person):
        (answer,) = self.apply(self.write(link.entity.source_id, person, link))
        return answer

    def fault(self, kind, **more):
        self.sandbox.add_faults({"kind": kind, "organization": self.access.name, "system": "crm", **more})

    def contacts(self):
        return self.sandbox.export(self.access.name)["destination"]["contacts"]

    def requests(self):
        rows = [row for row in self.sandbox.journal() if row["organization"] == self.access.name]
        return [row for row in rows if row["system"] == "crm" and row["method"] != "IMPORT"]

    def changing_requests(self):
        return [r for r in self.requests() if r["method"] not in READS and "Query" not in r["route"]]


@pytest.fixture(scope="module")
def transport():
    with make_transport(2.0) as client:
        yield client


@pytest.fixture(params=WAYS, ids="-".join)
def way(request):
    return request.param


@pytest.fixture
def writer(way, organization, transport, sandbox):
    def make(settings=None, **behaviour):
        access = organization(users=0, **behaviour)
        return Writer(*way, access, transport, sandbox, **(settings or {}))

    return make


def methods(contact, kind):
    """Values of a kind, the primary one first."""
    rows = contact["contactIndividuals"][0]["contactMethods"]
    chosen = [row for row in rows if kind in row["type"].lower()]
    return [row["value"] for row in sorted(chosen, key=lambda row: not row["isPrimary"])]


def test_what_was_created_is_found_by_looking(writer):
    desk = writer()
    (answer,) = desk.apply(desk.write())
    found = desk.found()

    assert isinstance(answer, Applied | Submitted)
    assert not desk.destination.differs(desk.write(), found)
    if isinstance(answer, Applied):
        assert (answer.destination_id, answer.details, answer.changed) == (found.destination_id, found.details, True)


def test_what_was_never_written_is_not_found(writer):
    desk = writer()

    assert desk.look("1", "2") == {}
    assert desk.look(*map(str, range(50))) == {}


def test_many_are_found_at_once_and_only_those_asked_for(writer):
    desk = writer()
    for number in range(8):
        desk.apply(desk.write(str(number), replace(PERSON, email=f"p{number}@example.org")))

    wanted = [str(number) for number in range(6)]
    for source_id in wanted:
        desk.found(source_id)
    found = desk.look(*wanted)

    assert {entity.source_id for entity in found} == set(wanted)
    assert len({there.destination_id for there in found.values()}) == 6


def test_nobody_is_found_by_an_e_mail_address_alone(writer):
    desk = writer()
    desk.created()

    assert desk.look("another") == {}


def test_an_update_sends_only_what_differs(writer):
    desk = writer()
    link = desk.created()
    before = len(desk.changing_requests())

    answer = desk.update(link, replace(PERSON, phone="555-0199"))

    assert (answer.destination_id, answer.changed) == (link.destination_id, True)
    (sent,) = desk.changing_requests()[before:]
    assert "ContactMethod" in sent["route"]
    assert methods(desk.found().current, "phone") == ["555-0199"]


def test_an_update_that_is_repeated_changes_nothing(writer):
    desk = writer()
    link = desk.created()
    changed = replace(PERSON, first_name="Ada", phone="1", address="9 Elm Rd, Reno, NV 89501, USA", gender="M")
    desk.update(link, changed)
    before = len(desk.changing_requests())

    answer = desk.update(link, changed)

    assert not answer.changed
    assert desk.changing_requests()[before:] == []
    assert not desk.destination.differs(desk.write(person=changed), desk.found())


def test_every_field_comes_through_an_update(writer):
    desk = writer()
    link = desk.created()
    changed = a_person(
        first_name="Ada", last_name="Byron", email="ada@example.org", phone="1", birthday="1990-12-31", gender="N",
        address="9 Elm Rd, Reno, NV 89501, USA",
    )  # fmt: skip

    assert desk.update(link, changed).changed
    assert not desk.destination.differs(desk.write(person=changed), desk.found())


def test_a_changed_e_mail_address_keeps_one_contact(writer):
    desk = writer()
    link = desk.created()
    desk.update(link, replace(PERSON, email="new@example.org"))

    (contact,) = desk.contacts()
    assert str(contact["id"]) == link.destination_id
    assert methods(desk.found().current, "email")[0] == "new@example.org"


def test_the_letter_case_of_an_e_mail_address_is_no_change(writer):
    desk = writer()
    link = desk.created(replace(PERSON, email="F@Example.org"))

    assert not desk.update(link, PERSON).changed


@pytest.mark.parametrize("field", ["email", "phone", "address", "birthday", "gender"])
def test_a_blank_never_erases(writer, field):
    desk = writer()
    link = desk.created()
    before = desk.contacts()

    answer = desk.update(link, replace(PERSON, **{field: ""}))

    assert not answer.changed
    assert desk.contacts() == before


def test_an_address_without_a_country_leaves_the_country_that_is_there(writer):
    desk = writer()
    link = desk.created()

    assert not desk.update(link, replace(PERSON, address="12 Main St, Plano, TX 75074")).changed


def test_as_many_writes_as_the_group_limit_go_in_one_request(writer):
    desk = writer()
    limit = desk.destination.group_limit(desk.write())
    writes = [desk.write(str(n), replace(PERSON, email=f"p{n}@example.org")) for n in range(limit)]

    answers = desk.apply(*writes)

    assert len(answers) == limit
    assert len(desk.requests()) == 1


def test_a_removal_goes_alone_and_so_does_an_update_where_that_is_asked_for(writer):
    link = Link(entity=writer().entity(), destination_id="1", details={})
    removal = replace(writer().write(link=link), is_removal=True)

    assert writer().destination.group_limit(removal) == 1
    assert writer(settings={"update": "single"}).destination.group_limit(writer().write(link=link)) == 1


def test_a_refused_request_names_the_field_and_creates_nobody(writer):
    desk = writer()
    bad = desk.write("2", replace(PERSON, last_name=""))
    together = desk.destination.group_limit(bad) > 1

    with pytest.raises(PermanentError) as raised:
        desk.apply(*([desk.write("1"), bad] if together else [bad]))

    assert "lastName" in raised.value.field
    assert raised.value.status in (400, 422)
    assert PERSON.email not in str(raised.value)
    assert desk.contacts() == []


def test_a_person_without_a_last_name_is_refused_before_any_request(writer):
    desk = writer()

    with pytest.raises(RecordInvalid, match="last_name") as raised:
        desk.destination.check(desk.write(person=replace(PERSON, last_name="")))

    assert raised.value.field == "last_name"
    assert desk.access.name in str(raised.value)
    assert desk.requests() == []


def test_a_create_without_an_answer_is_unknown_and_looking_finds_it_later(writer):
    desk = writer()
    desk.fault("drop_after_apply", method="POST")
    with pytest.raises(UnknownOutcome):
        desk.apply(desk.write())
    desk.sandbox.clear_faults()

    assert desk.found().destination_id == str(desk.contacts()[0]["id"])


def test_a_create_that_never_arrived_is_unknown_too_and_is_never_found(writer):
    desk = writer()
    desk.fault("drop_before_apply", method="POST")
    with pytest.raises(UnknownOutcome):
        desk.apply(desk.write())
    desk.sandbox.clear_faults()

    assert desk.look() == {}
    assert len(desk.changing_requests()) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "error", "status": 401, "body": "json"}, TokenRejected),
        ({"kind": "error", "status": 403, "body": "json"}, PermissionMissing),
        ({"kind": "error", "status": 403, "body": "html"}, PermissionMissing),
        ({"kind": "rate_limit", "retry_after_seconds": 9}, RateLimited),
        ({"kind": "error", "status": 500, "body": "html"}, SystemUnavailable),
        ({"kind": "error", "status": 502, "body": "empty"}, SystemUnavailable),
        ({"kind": "error", "status": 503, "body": "json"}, SystemUnavailable),
    ],
)
def test_a_failing_answer_is_the_error_that_it_means_in_writing_and_in_looking(writer, fault, error):
    desk = writer()
    desk.fault(**fault)

    for attempt in (lambda: desk.apply(desk.write()), lambda: desk.look("1"), lambda: desk.look(*map(str, range(9)))):
        with pytest.raises(error) as raised:
            attempt()
        # Told to wait once, our own budget sends nothing more until then.
        expected = (error, BudgetExhausted) if error is RateLimited else (error,)
        assert type(raised.value) in expected
        assert desk.access.crm_token not in repr(raised.value)


def test_an_unreachable_system_got_nothing(way, organization, transport, sandbox):
    access = replace(organization(users=0), crm_base_url="http://127.0.0.1:9")
    desk = Writer(*way, access, transport, sandbox)

    with pytest.raises(SystemUnavailable) as raised:
        desk.apply(desk.write())

    assert not raised.value.sent


@pytest.mark.parametrize("count", [1, 9], ids=["one by one", "by query"])
@pytest.mark.parametrize("kind", ["not_json", "truncate_page"])
def test_a_look_whose_answer_is_no_answer_never_says_that_somebody_is_not_there(writer, count, kind):
    """Else the caller would create a second time."""
    desk = writer()
    link = desk.created()
    desk.fault(kind)
    ids = [str(number) for number in range(1, count + 1)]

    try:
        found = desk.look(*ids)
    except PageUnreadable:
        found = {link.entity: link}

    assert link.entity in found


def test_a_create_whose_answer_is_not_json_has_perhaps_happened(writer):
    desk = writer()
    desk.fault("not_json", method="POST")

    try:
        (answer,) = desk.apply(desk.write())
    except UnknownOutcome:
        answer = Submitted()

    desk.sandbox.clear_faults()
    assert isinstance(answer, Submitted)
    assert desk.found()


def test_what_is_held_is_not_found_until_it_is_imported(writer):
    desk = writer(import_mode="by_hand")
    (answer,) = desk.apply(desk.write())
    held = desk.look()
    desk.sandbox.run_import(desk.access.name)

    assert (held == {}) is isinstance(answer, Submitted)
    assert desk.found()


def test_what_the_index_does_not_show_yet_is_found_later(writer):
    desk = writer(index_lag_seconds=0.5)
    desk.apply(desk.write())

    assert desk.look() == {}
    assert desk.found()


def test_settling_takes_at_least_what_a_write_and_the_index_may_take(writer):
    destination = writer(settings={"visibility_seconds": 7}).destination

    assert destination.visibility_seconds == 7
    assert destination.settle_seconds >= 2.0 + 7
