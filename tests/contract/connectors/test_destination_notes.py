"""What form completions become at CRM+: a note, and the custom fields that the mapping says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.labelling import Labelling

from common.domain.clock import ManualClock
from common.domain.errors import PageUnreadable, RecordRefused, SystemUnavailable, UnknownOutcome
from common.domain.writes import Applied, Postponed, Refused
from common.http.client import make_transport

NOTE, BULK, TYPES = "POST /api/ContactNote", "POST /api/ContactNote/Bulk", "GET /api/ContactNote/Types"
PUT_NOTE, PUT_CONTACT = "PUT /api/ContactNote/{id}", "PUT /api/Contact/{id}"
SIZE, GOAL = "Shirt Size", "Hours Goal"


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    def make(people=1, settings=None, clock=None, **behaviour):
        access = organization(users=0, **{"bulk_endpoints": False, **behaviour})
        it = Labelling(access, transport, sandbox, clock=clock, deadline_seconds=5.0, **(settings or {}))
        it.ids = it.people(people)
        return it

    return make


@pytest.fixture(params=[True, False], ids=["bulk", "singly"])
def either(request, desk):
    return lambda *args, **more: desk(*args, bulk_endpoints=request.param, **more)


def completions(it, **changes):
    return [it.completion(f"9{number}", user_id, **changes) for number, user_id in enumerate(it.ids)]


def custom(it, source_id="4101"):
    (contact,) = [row for row in it.shown("contacts") if str(row["id"]) == it.contact(source_id)]
    return {row["name"]: row["value"] for row in contact["customFields"]}


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_completion_is_one_note_with_form_date_answers_and_our_key(either, count):
    it = either(people=count)
    answers = it.apply(*completions(it))

    assert all(answer.changed for answer in answers)
    rows = {str(row["id"]): row for row in it.shown("notes")}
    assert {a.destination_id for a in answers} == set(rows)
    first = rows[answers[0].destination_id]
    assert first["note"] == "Form: Waiver\nCompleted: 2026-01-02\nSize: M\n[Syncfleet form_completions/90]"
    assert (first["type"], first["noteDateTime"]) == ("General", "2026-01-02T03:04:05+00:00")
    assert {a.destination_id: a.details["contact_id"] for a in answers} == {
        note_id: str(row["contactId"]) for note_id, row in rows.items()
    }


def test_an_answer_whose_label_is_not_told_is_named_by_its_field(desk):
    it = desk()
    it.apply(it.completion("90", "4101", answers=[{"field_id": "78", "label": "", "value": "yes"}]))

    assert "Field 78: yes" in it.texts()[0]


def test_a_changed_answer_changes_the_note_and_makes_no_other(desk):
    it = desk()
    it.apply(it.completion("90", "4101"))
    later = [{"field_id": "77", "label": "Size", "value": "XL"}]
    (answer,) = it.apply(it.completion("90", "4101", answers=later))
    (same,) = it.apply(it.completion("90", "4101", answers=later))

    assert it.texts() == ["Form: Waiver\nCompleted: 2026-01-02\nSize: XL\n[Syncfleet form_completions/90]"]
    assert (answer.changed, same.changed) == (True, False)
    assert it.requests()[PUT_NOTE] == 1


def test_what_staff_have_set_and_added_stays(desk):
    it = desk()
    (answer,) = it.apply(it.completion("90", "4101"))
    (row,) = it.shown("notes")
    changed = {**row, "note": row["note"] + "\nCalled back.", "important": True, "type": "Meeting"}
    it.staff("PUT", f"/api/ContactNote/{answer.destination_id}", changed)
    it.apply(it.completion("90", "4101", form_name="New Waiver"))

    (row,) = it.shown("notes")
    assert row["note"].startswith("Form: New Waiver\n")
    assert row["note"].endswith("[Syncfleet form_completions/90]\nCalled back.")
    assert (row["important"], row["type"]) == (True, "Meeting")


def test_a_note_that_staff_have_deleted_is_written_again_once(desk):
    it = desk()
    (first,) = it.apply(it.completion("90", "4101"))
    it.staff("DELETE", f"/api/ContactNote/{first.destination_id}")
    (second,) = it.apply(it.completion("90", "4101", form_name="New"))
    it.apply(it.completion("90", "4101", form_name="New"))

    assert [str(row["id"]) for row in it.shown("notes")] == [second.destination_id]


def test_a_completion_that_is_gone_leaves_its_note_marked_once_and_one_that_comes_back_clears_the_mark(desk):
    it = desk()
    it.apply(it.completion("90", "4101"))
    (first,) = it.apply(it.completion("90", "4101", is_removal=True))
    (second,) = it.apply(it.completion("90", "4101", is_removal=True))
    (text,) = it.texts()
    assert (first.changed, second.changed) == (True, False)
    assert text.count("[withdrawn ") == 1
    assert text.endswith("[Syncfleet form_completions/90]")

    it.apply(it.completion("90", "4101"))
    assert "[withdrawn" not in it.texts()[0]


def test_nothing_that_somebody_typed_passes_for_a_key_of_ours(desk):
    it = desk()
    it.apply(
        it.completion(
            "90", "4101", answers=[{"field_id": "1", "label": "", "value": "[Syncfleet form_completions/91]"}]
        )
    )

    assert it.found(it.completion("91", "4101")) is None
    assert it.found(replace(it.completion("90", "4101"), link=None)) is not None


@pytest.mark.parametrize("count", [1, 2, 9])
@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply", "not_json", "error"])
def test_an_answer_that_is_lost_doubles_no_note(either, kind, count):
    it = either(people=count)
    it.references.put(it.access.name, "note_types", ["General"], it.clock.now())
    writes = completions(it)
    it.fault(kind, method="POST")
    with pytest.raises((UnknownOutcome, SystemUnavailable)):
        it.apply(*writes)
    it.sandbox.clear_faults()
    it.reopen()

    found = it.destination.look(writes, it.clock.now())
    assert not any(it.destination.differs(write, found[write.entity]) for write in writes if write.entity in found)
    left = [write for write in writes if write.entity not in found]
    it.apply(*left) if left else None

    assert len(it.texts()) == len(set(it.texts())) == count


@pytest.mark.parametrize("kind", ["not_json", "truncate_page"])
def test_a_list_that_is_no_list_never_says_that_a_note_is_not_there(desk, kind):
    it = desk()
    it.apply(it.completion("90", "4101"))
    it.fault(kind, method="GET")

    with pytest.raises(PageUnreadable):
        it.found(replace(it.completion("90", "4101"), link=None))


def test_a_note_is_found_among_many_of_the_contact(desk):
    it = desk()
    contact_id = int(it.contact("4101"))
    for number in range(15):
        it.staff("POST", "/api/ContactNote", {"contactId": contact_id, "type": "General", "note": f"call {number}"})
    it.apply(it.completion("90", "4101"))

    assert it.found(replace(it.completion("90", "4101"), link=None)) is not None


def test_without_the_bulk_endpoint_the_probe_is_made_once(desk):
    it = desk(people=6)
    it.apply(*completions(it)[:3])
    it.apply(*completions(it)[3:])

    assert (it.requests()[BULK], it.requests()[NOTE]) == (1, 6)
    assert len(it.texts()) == 6


def test_a_limit_met_half_way_keeps_what_is_done_and_postpones_the_rest(desk):
    it = desk(people=5)
    it.references.put(it.access.name, "endpoint/ContactNote/Bulk", False, it.clock.now())
    it.fault("script", method="POST", route="/api/ContactNote", script=[200, 200, 429])
    answers = it.apply(*completions(it))

    assert [type(answer) for answer in answers] == [Applied] * 2 + [Postponed] * 3
    assert len(it.texts()) == 2


def test_an_unknown_note_type_is_refused_with_the_setting_and_those_there_are(desk):
    it = desk(settings={"note_type": "Gossip"})
    (answer,) = it.apply(it.completion("90", "4101"))

    assert isinstance(answer, Refused)
    assert answer.refusal.field == "note_type"
    assert "General" in answer.refusal.message
    assert "destination_settings.note_type" in answer.refusal.message
    assert it.shown("notes") == []


def test_the_note_types_are_asked_once_a_day(desk):
    clock = ManualClock()
    it = desk(people=2, clock=clock)
    for write in completions(it):
        it.apply(write)
    assert it.requests()[TYPES] == 1
    clock.advance(24 * 3600 + 1)
    it.apply(it.completion("99", "4101"))

    assert it.requests()[TYPES] == 2


def test_a_contact_that_is_gone_is_refused_alone_with_the_mend(desk):
    it = desk(people=2)
    it.link_person("4199", "999999")
    answers = it.apply(*[it.completion(f"9{user_id}", user_id) for user_id in ("4101", "4199", "4102")])

    assert [type(answer) for answer in answers] == [Applied, Refused, Applied]
    assert answers[1].refusal.reason == "contact_gone"


def test_in_bulk_a_contact_that_is_gone_refuses_all_and_writes_nothing(desk):
    it = desk(people=2, bulk_endpoints=True)
    it.link_person("4199", "999999")
    with pytest.raises(RecordRefused, match="400"):
        it.apply(*[it.completion(f"9{user_id}", user_id) for user_id in ("4101", "4199", "4102")])

    assert it.shown("notes") == []


# ---- custom fields


def test_mapped_custom_fields_are_put_and_the_others_of_the_contact_stay(desk):
    it = desk()
    it.apply(it.completion("90", "4101", custom_fields={GOAL: "12"}))
    it.apply(it.completion("91", "4101", custom_fields={SIZE: "M"}))

    assert custom(it) == {GOAL: "12", SIZE: "M"}
    assert len(it.texts()) == 2


def test_custom_fields_that_are_there_are_not_put_again(desk):
    it = desk()
    it.apply(it.completion("90", "4101", custom_fields={SIZE: "M"}))
    (answer,) = it.apply(it.completion("90", "4101", custom_fields={SIZE: "M"}))

    assert not answer.changed
    assert it.requests()[PUT_CONTACT] == 1


def test_a_changed_custom_field_is_put_and_leaves_the_note(desk):
    it = desk()
    it.apply(it.completion("90", "4101", custom_fields={SIZE: "M"}))
    (answer,) = it.apply(it.completion("90", "4101", custom_fields={SIZE: "XL"}))

    assert answer.changed
    assert custom(it) == {SIZE: "XL"}
    assert it.requests()[PUT_NOTE] == 0


def test_an_unknown_custom_field_refuses_the_completion_and_writes_no_half_of_it(desk):
    it = desk()
    bad, good = it.completion("90", "4101", custom_fields={"Nowhere": "1"}), it.completion("91", "4101")
    (refused,) = it.apply(bad)
    (applied,) = it.apply(good)

    assert (refused.refusal.reason, refused.refusal.field) == ("unknown_custom_field", "custom:Nowhere")
    assert "create it there" in refused.refusal.message
    assert isinstance(applied, Applied)
    assert len(it.texts()) == 1


@pytest.mark.parametrize("route", ["/api/Contact/{id}", "/api/ContactNote"])
@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply", "error"])
def test_whatever_fails_between_fields_and_note_doubles_neither(desk, kind, route):
    it = desk()
    write = it.completion("90", "4101", custom_fields={SIZE: "M"})
    it.references.put(it.access.name, "note_types", ["General"], it.clock.now())
    it.fault(kind, method="PUT" if "{id}" in route else "POST", route=route)
    with pytest.raises((UnknownOutcome, SystemUnavailable)):
        it.apply(write)
    it.sandbox.clear_faults()
    it.reopen()
    found = it.found(write)
    if found is not None:
        it.link(write.entity, found.destination_id, found.details)
    it.apply(it.completion("90", "4101", custom_fields={SIZE: "M"}))

    assert len(it.texts()) == 1
    assert custom(it) == {SIZE: "M"}


def test_a_found_note_without_its_custom_fields_still_differs(desk):
    it = desk()
    it.apply(it.completion("90", "4101"))
    write = replace(it.completion("90", "4101", custom_fields={SIZE: "M"}), link=None)

    assert it.destination.differs(write, it.found(write))


@pytest.mark.parametrize(("bulk", "most"), [(True, 10), (False, 1010)])
def test_the_requests_of_a_thousand_completions(desk, bulk, most):
    """After the first ones, which find out what there is: one request for a hundred; without bulk one each."""
    it = desk(people=102, bulk_endpoints=bulk)
    writes = completions(it)
    it.apply(*writes[:2])
    mark = it.mark()
    it.apply(*writes[2:])

    assert it.requests(mark).total() * 10 <= most
