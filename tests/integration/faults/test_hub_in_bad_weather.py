"""One worker behind the proxy, and APIs that obey a script: nothing is lost, nothing is doubled."""

from __future__ import annotations

import pytest
from support.faults.ways import HalfOpen, Latency, LostReply, Pass, Reset, Side
from support.waiting import wait_until

#: How the request begins that creates a contact, and those that change one; its path ends the first, and no other.
CREATE, UPDATE = b"/api/Contact HTTP/", b"PUT "


def test_a_commit_whose_answer_never_comes_loses_and_doubles_nothing(
    far_hub, network, organization, sandbox, audited
):  # fmt: skip
    """Each COMMIT of a poll and its deliveries in turn: applied by PostgreSQL, unknown to us."""
    access = organization(users=2)
    far_hub.onboard(network.access(access), create="direct")
    settle(far_hub, access.name)
    errors = []
    for skip in range(100):
        sandbox.create_user(access.name)
        network.database.switch(LostReply(match=b"COMMIT", skip=skip))
        errors += attempt(far_hub, access.name)
        if network.database.tally.replies_to_lose:
            break
    network.database.switch(Pass())

    wait_until(lambda: settle(far_hub, access.name) and audited().passed, seconds=60, what="an audit without findings")
    assert (len(errors) >= 3, network.database.tally.lost_replies >= 3) == (True, True)
    assert audited().total("source") == 3 + skip


def test_a_write_whose_answer_never_comes_is_not_made_twice(far_hub, network, organization, sandbox, audited):
    """That of the write itself: a look-up is a POST too, and what a body says is no request line."""
    access = organization(users=1)
    far_hub.onboard(network.access(access), create="direct")
    settle(far_hub, access.name)
    for number, request in enumerate((CREATE, UPDATE, CREATE)):
        sandbox.create_user(access.name)
        sandbox.change_user(access.name, first_id(sandbox, access.name), phone=f"555-{number}")
        network.api.switch(LostReply(match=request))
        attempt(far_hub, access.name)
        assert network.api.tally.replies_to_lose == 0
    network.api.switch(Pass())

    wait_until(lambda: settle(far_hub, access.name), seconds=60, what="an end of all events")
    assert (audited().total("duplicates"), audited().passed) == (0, True)
    assert audited().total("source") == 4


@pytest.mark.parametrize("way", [Reset(), HalfOpen(gone=Side.CLIENT), Latency(seconds=0.002, jitter_seconds=0.005)])
def test_what_happens_to_every_connection_at_once_is_got_over(far_hub, network, organization, sandbox, audited, way):
    access = organization(users=20)
    far_hub.onboard(network.access(access), create="direct")
    far_hub.poll(access.name)
    for route in network.routes:
        route.switch(way)
        attempt(far_hub, access.name)
        sandbox.create_user(access.name)
        route.switch(Pass())

    wait_until(lambda: settle(far_hub, access.name) and audited().passed, seconds=90, what="an audit without findings")
    assert audited().total("source") == 23


def test_an_api_that_obeys_a_script_ends_as_if_there_had_been_none(far_hub, organization, sandbox, audited):
    access = organization(users=3)
    far_hub.onboard(access, create="direct")
    limited, applied = {"status": 429, "retry_after_seconds": 1}, {"status": 500, "applied": True}
    writes = sandbox.play(
        access.name, 500, 200, limited, applied, "reset", "applied_then_reset", system="crm", method="POST"
    )
    reads = sandbox.play(access.name, 500, 200, "reset", limited, system="volunteer")

    def played_and_done():
        done = settle(far_hub, access.name)
        if sandbox.steps_left(writes):
            sandbox.create_user(access.name)
        return done and not sandbox.steps_left(writes) and not sandbox.steps_left(reads)

    wait_until(played_and_done, seconds=90, what="the script's end, and all applied")
    report = audited()
    assert (report.verdict, report.total("duplicates"), report.total("missing")) == ("PASS", 0, 0)
    assert far_hub.states(access.name).keys() <= {"applied", "unchanged", "superseded"}


def attempt(hub, name):
    """A poll and its deliveries as tasks are run: what one raises is noted, and the next begins."""
    errors = []
    for step in (hub.poll, hub.deliver, hub.deliver):
        try:
            step(name)
        except Exception as error:  # noqa: BLE001 - as Celery does
            errors.append(error)
    return errors


def settle(hub, name):
    return not attempt(hub, name) and hub.is_done(name)


def first_id(sandbox, name):
    return int(next(iter(sandbox.export(name)["source"]["users"])))
