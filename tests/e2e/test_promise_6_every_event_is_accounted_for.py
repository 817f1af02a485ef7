"""Promise 6: each event ends in exactly one state, and a run's counts add up to what it detected."""

from __future__ import annotations

import pytest
from support.waiting import wait_until

FINAL = {"applied", "unchanged", "superseded", "skipped", "dead_lettered", "discarded"}


def test_the_counts_add_up_after_applying_superseding_refusing_and_discarding(hub, organization, sandbox):
    name = live_through_everything(hub, organization, sandbox)

    states = hub.states(name)
    assert set(states) <= FINAL
    assert {"applied", "superseded", "dead_lettered", "discarded"} <= set(states)
    assert unaccounted(hub, name) == []


def test_an_event_that_vanishes_is_noticed(hub, organization, sandbox):
    """Broken on purpose: one event is deleted behind the product's back."""
    name = live_through_everything(hub, organization, sandbox)
    with hub.engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM events WHERE customer_id = %s AND event_id = (SELECT min(event_id) FROM events)", (name,)
        )

    assert unaccounted(hub, name) != []


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_state_is_never_left(hub, organization, sandbox, final):
    """A late outcome for an event that has ended changes nothing."""
    access = organization(users=1)
    hub.onboard(access)
    hub.poll(access.name)
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET state = %s", (final,))
    hub.deliver_all(access.name)

    assert hub.states(access.name) == {final: 1}


def live_through_everything(hub, organization, sandbox) -> str:
    access = organization(users=12)
    hub.onboard(access)
    sandbox.create_user(access.name, omit=["first_name"])
    sandbox.create_user(access.name, email="no-at-sign")
    hub.poll(access.name)
    user_id = min(map(int, sandbox.export(access.name)["source"]["users"]))  # a seeded one, not one of the spoiled
    sandbox.change_user(access.name, user_id, phone="555-0101")
    hub.poll(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=30, what="all ended")
    letters = hub.dead_letters.list(access.name)
    assert {letter.stage for letter in letters} == {"detect", "apply"}
    number = letters[0].dead_letter_id
    assert hub.dead_letters.discard(access.name, [number], why="x", actor="me", now=hub.clock.now()) == [number]
    return access.name


def unaccounted(hub, name) -> list[str]:
    """Runs whose events, by state, do not add up to what they detected."""
    query = (
        "SELECT r.run_id FROM runs r LEFT JOIN events e ON e.customer_id = r.customer_id AND e.run_id = r.run_id"
        " WHERE r.customer_id = %s GROUP BY r.run_id, r.detected"
        " HAVING count(e.event_id) FILTER (WHERE e.state = ANY(%s)) <> r.detected"
    )
    with hub.engine.connect() as connection:
        return list(connection.exec_driver_sql(query, (name, list(FINAL))).scalars())
