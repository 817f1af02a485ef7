"""What no timestamp tells: sign-ups, hours, cancellations, memberships, read scope by scope from the real sandbox."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from common.storage.tables import events, mirror, scopes

DAY = 86_400


@pytest.fixture
def acme(hub, organization):
    """A small organization of which everything has been read once. Scopes are due again at once."""
    always = dict.fromkeys(
        ("near_seconds", "week_seconds", "window_seconds", "today_seconds", "project_seconds", "idle_project_seconds",
         "forms_seconds", "completions_seconds", "groups_seconds", "members_seconds", "lists_seconds"), 0,
    )  # fmt: skip
    access = organization(users=12)
    hub.onboard(access, source_settings=always)
    hub.poll_all(access.name)
    return access


def resources_of(engine, customer_id, action="upsert"):
    query = select(events.c.resource).filter_by(customer_id=customer_id, action=action)
    with engine.connect() as connection:
        return Counter(connection.execute(query).scalars())


def last_event(engine, customer_id, resource, source_id):
    query = select(events).filter_by(customer_id=customer_id, resource=resource, source_id=source_id)
    with engine.connect() as connection:
        return connection.execute(query.order_by(events.c.version.desc()).limit(1)).one_or_none()


def rows_of(sandbox, access):
    return [row for rows in sandbox.export(access.name)["source"]["participations"].values() for row in rows]


def a_near_row(sandbox, access):
    """A participation on a date inside the window, alone of its person there."""
    source, now = sandbox.export(access.name)["source"], datetime.now(tz=UTC).timestamp()
    near = {date["id"] for date in source["dates"] if -25 * DAY < date["starts_at"] - now < 12 * DAY}
    rows = [row for rows in source["participations"].values() for row in rows if row["project_date_id"] in near]
    doubled = {":".join(row["id"].split(":")[:2]) for row in rows if row["id"].count(":") > 1}
    alone = [row for row in rows if row["id"].count(":") == 1 and row["id"] not in doubled]
    if alone:
        return alone[0]
    user_id = next(iter(source["users"]))
    return sandbox.create_record(
        access.name, "participations", user_id=int(user_id), project_date_id=min(near), hours="1.00"
    )


def test_one_poll_of_all_resources_reaches_every_record(hub, sandbox, acme, engine):
    source = sandbox.export(acme.name)["source"]
    found = resources_of(engine, acme.name)

    assert found["users"] == len(source["users"])
    assert found["projects"] == len(source["projects"])
    assert found["project_dates"] == len(source["dates"])
    assert found["participations"] == len(rows_of(sandbox, acme))
    assert found["groups"] == len(source["groups"])
    assert found["group_members"] == sum(len(group["members"]) for group in source["groups"])
    assert found["form_completions"] == len(source["completions"])
    assert found["certificates"] == len(source["certificates"])
    assert found["earned_certificates"] == len(source["earned"])


def test_a_second_poll_finds_nothing_new(hub, acme, engine):
    before = resources_of(engine, acme.name)
    assert {str(state) for state in hub.poll_all(acme.name).values()} == {"completed"}

    assert resources_of(engine, acme.name) == before


def test_late_hours_move_no_timestamp_and_are_found(hub, sandbox, acme, engine):
    row = a_near_row(sandbox, acme)
    hub.poll(acme.name, "participations")
    sandbox.change_record(acme.name, "participations", row["id"], hours="7.25", verified=1)
    hub.poll_all(acme.name)

    found = last_event(engine, acme.name, "participations", row["id"])
    assert (found.version, found.payload["hours"], found.payload["verified"]) == (2, "7.25", True)


def test_a_cancellation_counts_when_two_readings_have_not_shown_it(hub, sandbox, acme, engine):
    row = a_near_row(sandbox, acme)
    hub.poll(acme.name, "participations")
    sandbox.delete_record(acme.name, "participations", row["id"])
    hub.poll(acme.name, "participations")
    assert last_event(engine, acme.name, "participations", row["id"]).action == "upsert"

    hub.poll(acme.name, "participations")
    assert last_event(engine, acme.name, "participations", row["id"]).action == "delete"
    hub.poll(acme.name, "participations")
    assert resources_of(engine, acme.name, "delete") == {"participations": 1}


def test_who_signs_up_again_after_a_cancellation_is_there_again(hub, sandbox, acme, engine):
    row = a_near_row(sandbox, acme)
    hub.poll(acme.name, "participations")
    sandbox.delete_record(acme.name, "participations", row["id"])
    for _ in range(2):
        hub.poll(acme.name, "participations")
    names = ("user_id", "project_date_id", "role", "guests", "hours", "verified")
    sandbox.create_record(acme.name, "participations", **{name: row[name] for name in names})
    hub.poll(acme.name, "participations")

    found = last_event(engine, acme.name, "participations", row["id"])
    assert (found.action, found.version) == ("upsert", 3)


def test_joining_and_leaving_a_group_are_found(hub, sandbox, acme, engine):
    group = sandbox.export(acme.name)["source"]["groups"][0]
    user = sandbox.create_user(acme.name)
    sandbox.create_record(acme.name, "group_members", group_id=group["id"], user_id=user["id"])
    hub.poll_all(acme.name)
    key = f"{group['id']}:{user['id']}"
    assert last_event(engine, acme.name, "group_members", key).action == "upsert"

    sandbox.delete_record(acme.name, "group_members", key)
    for _ in range(2):
        hub.poll(acme.name, "group_members")
    assert last_event(engine, acme.name, "group_members", key).action == "delete"


@pytest.mark.parametrize("fault", ["truncate_page", "repeat_page"])
def test_pages_that_lie_take_nobody_out_of_a_group(hub, sandbox, acme, engine, fault):
    sandbox.add_faults({"kind": fault, "system": "volunteer", "organization": acme.name, "rate": 1.0})
    for _ in range(3):
        hub.poll(acme.name, "group_members")

    assert resources_of(engine, acme.name, "delete") == {}


def test_a_group_that_is_gone_is_asked_for_no_more_and_its_members_stay_until_it_is_judged(hub, sandbox, acme, engine):
    group = sandbox.export(acme.name)["source"]["groups"][0]
    sandbox.delete_record(acme.name, "groups", group["id"])
    for _ in range(3):
        hub.poll(acme.name, "group_members")

    query = select(scopes.c.due_at).filter_by(resource="group_members", scope=f"group/{group['id']}")
    with engine.connect() as connection:
        assert connection.execute(query).scalar_one() is None
    assert resources_of(engine, acme.name, "delete") == {}


def test_a_bad_row_spoils_no_other_of_its_date(hub, sandbox, acme, engine):
    row = a_near_row(sandbox, acme)
    hub.poll(acme.name, "participations")
    before = resources_of(engine, acme.name)["participations"]
    sandbox.change_record(acme.name, "participations", row["id"], hours="many")
    hub.poll(acme.name, "participations")

    found = last_event(engine, acme.name, "participations", row["id"])
    assert (found.state, found.reason) == ("dead_lettered", "record_invalid")
    assert resources_of(engine, acme.name)["participations"] == before + 1


def test_a_run_that_is_cut_off_goes_on_where_it_was(hub, sandbox, organization, engine):
    access = organization(users=12)
    hub.onboard(access)
    hub.poll(access.name)
    parts = hub.run_parts
    hub.run_parts = type(parts)(**{**vars(parts), "slice_seconds": 0.0})
    states = []
    while not states or str(states[-1]) != "completed":
        states.append(hub.poll(access.name, "participations"))
        assert len(states) < 40
    with engine.connect() as connection:
        runs = set(connection.execute(select(events.c.run_id).filter_by(resource="participations")).scalars())
        rows = connection.execute(select(mirror.c.source_id).filter_by(resource="participations")).all()

    assert len(states) == 12 + 1
    assert len(runs) == 1
    assert len(rows) == len(rows_of(sandbox, access))
