"""Edits of everything but users, under a clock that stands still: fresh values, a window, always something to do."""

from datetime import UTC, datetime

import pytest

from deploy.sandbox.clock import ManualClock
from deploy.sandbox.edits import DEFAULT_WEIGHTS, EditStream
from deploy.sandbox.export import export_organization
from deploy.sandbox.inventing import fresh_earning, fresh_hours, fresh_start
from deploy.sandbox.organization import moment
from deploy.sandbox.resource_edits import RESOURCE_EDITS
from deploy.sandbox.volunteer.changes import Moment
from deploy.sandbox.world import World

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = 86_400
#: What an edit may never give twice to one record.
FREE = {
    "participations": ("hours",),
    "projects": ("name",),
    "project_dates": ("starts_at",),
    "form_completions": ("answers",),
    "groups": ("name",),
    "earned_certificates": ("earned_at",),
}


def edited(*, edits=60, users=30, **weights):
    world = World(seed=7, clock=ManualClock(START))
    organization = world.create_organization("acme", {"users": users})
    seeded = export_organization(organization)["source"]
    seeded = {**seeded, "changes": list(seeded["changes"])}
    clear = weights.pop("clear", None)
    if clear:
        clear(organization, world.clock)
    noted = len(organization.source.changes.entries)
    stream = EditStream(
        [organization], random=world.generator("edits"), clock=world.clock, seconds=1, per_second=edits, weights=weights
    )
    world.clock.advance(60)
    stream.tick()
    return organization, seeded, organization.source.changes.entries[noted:], stream.applied


def stamps(source):
    return {
        (name, row["id"]): row["updated_at"]
        for name in ("projects", "groups")
        for row in getattr(source, name).values()
    }


@pytest.mark.parametrize("kind", sorted(RESOURCE_EDITS))
def test_an_edit_that_finds_nothing_at_all_to_do_makes_something(kind):
    def clear(organization, clock):
        for resource in ("projects", "groups", "forms", "certificates"):
            rows = getattr(organization.source, resource)
            for number in list(rows):
                organization.books[resource].delete(str(number), moment(clock))

    _, _, changes, applied = edited(clear=clear, edits=20, users=5, **{kind: 1})

    assert sum(applied.values()) == 20
    assert len(changes) >= 20


@pytest.mark.parametrize("kind", sorted(RESOURCE_EDITS))
def test_no_edit_gives_a_value_that_the_record_ever_had(kind):
    _, seeded, changes, applied = edited(edits=200, **{kind: 1})

    assert sum(applied.values()) == 200
    had = {}
    for entry in [*seeded["changes"], *changes]:
        for name in FREE.get(entry["resource"], ()):
            versions = had.setdefault((entry["resource"], entry["id"], name), [])
            value = entry["values"].get(name)
            if entry["kind"] != "delete" and (not versions or versions[-1] != value):
                assert value not in versions
                versions.append(value)


@pytest.mark.parametrize(
    ("kind", "resource", "noted"),
    [
        ("sign_up", "participations", {"create"}),
        ("attend", "participations", {"change"}),
        ("rename_project", "projects", {"change"}),
        ("add_date", "project_dates", {"create"}),
        ("move_date", "project_dates", {"change"}),
        ("complete_form", "form_completions", {"create"}),
        ("change_completion", "form_completions", {"change"}),
        ("join_group", "group_members", {"create"}),
        ("leave_group", "group_members", {"delete"}),
        ("rename_group", "groups", {"change"}),
        ("earn_certificate", "earned_certificates", {"create", "change"}),
    ],
)
def test_an_edit_is_what_its_name_says(kind, resource, noted):
    _, _, changes, applied = edited(edits=5, **{kind: 1})

    assert applied == {kind: 5}
    assert {entry["resource"] for entry in changes} == {resource}
    assert {entry["kind"] for entry in changes} <= noted
    assert len(changes) == 5


def test_hours_come_with_a_check_in_and_are_verified_later():
    _, _, changes, applied = edited(edits=40, attend=1, verify=1)

    assert applied["attend"] > 5
    verified = [entry for entry in changes if entry["values"]["verified"]]
    assert applied["verify"] > 0
    assert verified
    for entry in changes:
        values = entry["values"]
        if values["checked_in_at"] and values["checked_out_at"] > values["checked_in_at"]:
            assert values["checked_in_at"] < START.timestamp() + 60
    assert any(0 < float(entry["values"]["hours"]) < 24 for entry in changes)


def test_a_cancellation_takes_one_row_away():
    organization, seeded, _, applied = edited(edits=3, cancel=1)

    before = sum(len(rows) for rows in seeded["participations"].values())
    assert applied == {"cancel": 3}
    assert sum(len(rows) for rows in organization.source.attendance.exported().values()) == before - 3


def test_an_edit_counts_as_what_it_was_in_the_end():
    def clear(organization, clock):
        for user_id in organization.source.directory.ids():
            organization.source.attendance.enrol(user_id, [], moment(clock))

    _, _, changes, applied = edited(clear=clear, edits=4, cancel=1)

    assert [entry["kind"] for entry in changes] == ["create", "delete", "create", "delete"]
    assert applied == {"sign_up": 2, "cancel": 2}


def test_a_record_that_is_edited_for_ever_still_gets_fresh_values():
    organization, _, _, _ = edited(edits=1, add_date=1)
    source, now = organization.source, Moment(START.timestamp(), 0.0)
    random = organization.random

    hours = [fresh_hours(source, {"id": "1011:5", "hours": "1.00"}) for _ in range(5_000)]
    starts = [fresh_start(source, random, now, 1011) for _ in range(5_000)]
    earned = [fresh_earning(source, now, 81, 5)["earned_at"] for _ in range(5_000)]

    assert all(len(set(values)) == 5_000 for values in (hours, starts, earned))
    assert "1.00" not in hours


def test_edits_of_dates_and_of_people_on_them_stay_where_a_client_watches():
    kinds = ("sign_up", "attend", "verify", "cancel", "add_date", "move_date")
    organization, _, changes, _ = edited(edits=300, **dict.fromkeys(kinds, 1))

    dates = {
        entry["values"]["project_date_id"]
        for entry in changes
        if entry["resource"] == "participations" and entry["values"]
    }
    assert None not in dates
    starts = [organization.source.dates[date_id]["starts_at"] for date_id in dates]
    starts += [entry["values"]["starts_at"] for entry in changes if entry["resource"] == "project_dates"]
    now = START.timestamp()
    assert all(now - 30 * DAY < each < now + 14 * DAY for each in starts)


def test_only_renames_move_the_updated_at_of_a_project_or_a_group():
    quiet = [kind for kind in RESOURCE_EDITS if not kind.startswith("rename")]
    organization, seeded, _, _ = edited(edits=200, **dict.fromkeys(quiet, 1))
    before = {(name, row["id"]): row["updated_at"] for name in ("projects", "groups") for row in seeded[name]}
    assert {key: value for key, value in stamps(organization.source).items() if key in before} == before

    renamed, _, _, _ = edited(edits=1, rename_project=1)
    assert int(START.timestamp()) + 60 in stamps(renamed.source).values()


def test_no_edit_moves_the_updated_at_of_a_user():
    organization, seeded, _, _ = edited(edits=200, **dict.fromkeys(RESOURCE_EDITS, 1))

    assert {row.id: row.as_json() for row in organization.source.directory} == seeded["users"]
    assert len(organization.source.history) == len(seeded["history"])


def test_none_of_them_happens_unless_it_is_asked_for():
    assert not set(DEFAULT_WEIGHTS) & set(RESOURCE_EDITS)
