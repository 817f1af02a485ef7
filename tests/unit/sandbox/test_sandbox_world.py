"""A world under a clock that stands still: imports and edits fall due, and follow from the seed alone."""

from datetime import UTC, datetime

import pytest

from deploy.sandbox.clock import ManualClock
from deploy.sandbox.crm.destination import Held
from deploy.sandbox.edits import EditStream
from deploy.sandbox.export import export_world
from deploy.sandbox.world import NameTakenError, World

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
ITEM = {"contactType": "Household", "firstName": "Fenmar", "lastName": "Quonox", "email": "f@example.org"}


def world(*, seed=7, **settings):
    made = World(seed=seed, clock=ManualClock(START))
    made.create_organization("acme", {"users": 30, **settings})
    return made


def hold(made, reference):
    destination = made.organizations["acme"].destination
    destination.held.append(Held(1, made.clock.now(), "VOMO", {**ITEM, "referenceId": reference}))
    return destination


def stream(made, **options):
    defaults = {"seconds": 10, "per_second": 2, "weights": {"change": 1}}
    random = made.generator("edits")
    return EditStream(list(made.organizations.values()), random=random, clock=made.clock, **{**defaults, **options})


def test_two_worlds_of_one_seed_are_equal():
    assert export_world(world()) == export_world(world())
    assert export_world(world()) != export_world(world(seed=8))


def test_an_organization_does_not_depend_on_the_ones_before_it():
    other = World(seed=7, clock=ManualClock(START))
    other.create_organization("brook", {"users": 5})
    other.create_organization("acme", {"users": 30})

    assert export_world(other)["organizations"]["acme"] == export_world(world())["organizations"]["acme"]


def test_a_name_can_be_taken_once():
    made = world()

    with pytest.raises(NameTakenError):
        made.create_organization("acme", {})


@pytest.mark.parametrize(("mode", "seconds"), [("at_once", 0.2), ("delayed", 5)])
def test_an_import_runs_when_it_is_due_and_not_before(mode, seconds):
    made = world(import_mode=mode, import_delay_seconds=5)
    destination = hold(made, "1")

    made.clock.advance(seconds - 0.01)
    made.tick()
    assert not destination.contacts

    made.clock.advance(0.02)
    made.tick()
    assert len(destination.contacts) == 1


def test_an_import_by_hand_never_runs_by_itself():
    made = world(import_mode="by_hand")
    destination = hold(made, "1")

    made.clock.advance(100_000)
    made.tick()

    assert len(destination.held) == 1


def test_what_came_later_does_not_overtake():
    made = world(import_mode="delayed", import_delay_seconds=5)
    destination = hold(made, "1")
    made.clock.advance(3)
    hold(made, "2")
    made.clock.advance(3)

    made.tick()

    assert [held.item["referenceId"] for held in destination.held] == ["2"]


def test_an_email_match_passes_an_archived_contact_by():
    made = world(import_mode="at_once")
    destination = hold(made, "1")
    made.clock.advance(1)
    made.tick()
    destination.contacts[1000].archived = True

    hold(made, "2")
    made.clock.advance(1)
    made.tick()

    assert sorted(destination.contacts) == [1000, 1001]


def test_edits_come_at_their_pace_and_end():
    made = world()
    made.edits = stream(made)

    made.clock.advance(3)
    made.tick()
    assert made.edits.applied == {"change": 6}
    assert made.edits.running

    made.clock.advance(60)
    made.tick()
    assert made.edits.applied == {"change": 20}
    assert not made.edits.running


def test_a_stopped_stream_edits_no_more():
    made = world()
    made.edits = stream(made)
    made.edits.stop()

    made.clock.advance(60)
    made.tick()

    assert made.edits.applied == {"change": 0}
    assert not made.edits.running


def test_an_edit_changes_one_to_three_fields_and_moves_updated_at():
    made = world()
    source = made.organizations["acme"].source
    before = {user.id: user.mapped() for user in source.directory}
    made.edits = stream(made, seconds=1, per_second=1)
    made.clock.advance(1)
    made.tick()

    edit = source.history[-1]
    changed = {name for name, value in edit["values"].items() if before[edit["user_id"]][name] != value}

    assert 1 <= len(changed) <= 3
    assert changed <= {"first_name", "last_name", "phone", "address"}
    assert edit["updated_at"] == int(made.clock.now().timestamp())


def test_silent_edits_and_participations_move_no_updated_at():
    made = world()
    before = {user.id: user.updated for user in made.organizations["acme"].source.directory}
    made.edits = stream(made, weights={"silent": 1, "participation": 1})
    made.clock.advance(10)
    made.tick()

    assert {user.id: user.updated for user in made.organizations["acme"].source.directory} == before
    assert sum(made.edits.applied.values()) == 20


def test_deleting_everybody_turns_into_creating():
    made = world()
    made.edits = stream(made, per_second=10, weights={"delete": 1})
    made.clock.advance(10)
    made.tick()

    assert made.edits.applied["create"] > 0
    assert sum(made.edits.applied.values()) == 100
