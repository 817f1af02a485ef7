"""Order: no field goes back, no two writes of one entity at once."""

import pytest
from support.audit_evidence import START, Evidence, change, clean_world, first_user, synchronise

from deploy.audit.report import Kind

NOW = START.timestamp()


@pytest.fixture
def evidence():
    return Evidence(clean_world())


def imports(evidence):
    return [row for row in evidence.journal if row["organization"] == "acme"]


def findings(evidence):
    return [(finding.kind, finding.field) for finding in evidence.judged().findings]


def phone_writes(evidence):
    user = min(evidence.source()["users"])
    return [write for row in imports(evidence) for write in row["writes"] if write["reference"] == ["Syncfleet", user]]


def test_two_versions_that_land_in_reverse_are_a_break(evidence):
    *_, older, newer = phone_writes(evidence)
    older["fields"]["phone"], newer["fields"]["phone"] = newer["fields"]["phone"], older["fields"]["phone"]

    assert findings(evidence) == [(Kind.ORDER, "phone")]


def test_the_time_of_a_write_decides_and_not_its_place_in_the_journal(evidence):
    *_, older, newer = phone_writes(evidence)
    older["at"], newer["at"] = newer["at"], older["at"]

    assert findings(evidence) == [(Kind.ORDER, "phone")]


def test_an_older_version_after_the_newest_is_a_break_though_the_state_looks_right(evidence):
    first, *_ = phone_writes(evidence)
    again = {**first, "at": NOW + 500, "fields": {"phone": first["fields"]["phone"]}}
    evidence.request(method="PUT", started_at=NOW + 500, finished_at=NOW + 500, writes=[again])

    assert findings(evidence) == [(Kind.ORDER, "phone")]


def test_the_same_version_twice_is_no_break(evidence):
    *_, last = phone_writes(evidence)
    evidence.request(method="PUT", started_at=NOW + 500, finished_at=NOW + 500, writes=[{**last, "at": NOW + 500}])
    before = Evidence(clean_world()).judged()

    assert evidence.judged().passed
    assert evidence.judged().total("repeated_writes") == before.total("repeated_writes") + 1


def test_a_value_that_the_source_never_had_is_wrong_also_if_it_was_mended(evidence):
    first, *_ = phone_writes(evidence)
    first["fields"]["phone"] = "555-999"

    assert findings(evidence) == [(Kind.WRONG, "phone")]


def test_a_value_that_came_back_at_the_source_may_come_back_at_the_destination():
    made = clean_world()
    for number in ("555-100", "555-200"):
        change(made, first_user(made), phone=number)
        synchronise(made)

    assert Evidence(made).judged().passed


def writes_at(evidence, *spans, **values):
    """Requests of one entity, each with the moment it began and the one it ended."""
    *_, last = phone_writes(evidence)
    for start, end in spans:
        writes = [{**last, "at": NOW + 500}]
        evidence.request(method="PUT", started_at=NOW + start, finished_at=NOW + end, writes=writes, **values)


def test_two_writes_at_once_are_a_break(evidence):
    writes_at(evidence, (500, 502), (501, 503))

    assert findings(evidence) == [(Kind.ORDER, "")]


def test_a_write_that_contains_two_others_overlaps_both(evidence):
    writes_at(evidence, (500, 510), (501, 502), (503, 504))

    assert len(evidence.judged().findings) == 2


def test_a_request_whose_connection_was_dropped_counts_to_its_end(evidence):
    writes_at(evidence, (500, 505), status=None, fault="drop_after_apply")
    writes_at(evidence, (503, 504))

    assert findings(evidence) == [(Kind.ORDER, "")]


def test_writes_one_after_the_other_are_no_break(evidence):
    writes_at(evidence, (500, 501), (501, 502))

    assert evidence.judged().passed


def test_reading_while_writing_is_no_break(evidence):
    writes_at(evidence, (500, 505))
    evidence.request(started_at=NOW + 501, finished_at=NOW + 502)

    assert evidence.judged().passed


def test_two_submissions_of_one_entity_at_once_are_a_break(evidence):
    user = min(evidence.source()["users"])
    for start, end in ((500, 502), (501, 503)):
        evidence.request(
            method="POST",
            route="/api/Contact/Batch",
            references=[["Syncfleet", user]],
            started_at=NOW + start,
            finished_at=NOW + end,
        )

    assert findings(evidence) == [(Kind.ORDER, "")]


def others_write(evidence, start, end):
    """A request of another entity, as `writes_at`."""
    *_, user = sorted(evidence.source()["users"])
    write = next(
        each for row in imports(evidence) for each in row["writes"] if each["reference"] == ["Syncfleet", user]
    )
    evidence.request(
        method="PUT", started_at=NOW + start, finished_at=NOW + end, writes=[{**write, "at": NOW + end, "fields": {}}]
    )


def test_writes_of_two_entities_at_once_are_no_break(evidence):
    writes_at(evidence, (500, 505))
    others_write(evidence, 501, 502)

    assert evidence.judged().passed


def unnamed(evidence):
    """As a request by the contact's number is, whose contact had no reference at the time."""
    for row in imports(evidence)[-2:]:
        for write in row["writes"]:
            write["reference"] = None


def test_writes_without_a_reference_are_those_of_whose_contact_it_is(evidence):
    writes_at(evidence, (500, 502))
    writes_at(evidence, (501, 503))
    unnamed(evidence)

    assert findings(evidence) == [(Kind.ORDER, "")]


def test_an_older_version_without_a_reference_is_a_break(evidence):
    first, *_ = phone_writes(evidence)
    again = {**first, "at": NOW + 500, "reference": None, "fields": {"phone": first["fields"]["phone"]}}
    evidence.request(method="PUT", started_at=NOW + 500, finished_at=NOW + 500, writes=[again])

    assert findings(evidence) == [(Kind.ORDER, "phone")]
