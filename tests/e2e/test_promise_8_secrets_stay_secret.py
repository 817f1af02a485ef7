"""Promise 8: neither tokens nor personal data reach a log, a queue, Flower, a metric or an error."""

from __future__ import annotations

import httpx
import pytest
from support.waiting import wait_until

from common.domain.resources import USERS
from deploy.local.ports import free_port

pytestmark = pytest.mark.slow


def test_no_token_and_no_personal_data_leave_the_database(hub, organization, sandbox, start_fleet, redis, engine):
    """A fleet at its most talkative, with every kind of failure, is searched for tokens and people."""
    access = organization(users=30)
    hub.onboard(access, visibility_seconds=1)
    sandbox.create_user(access.name, omit=["last_name"])
    sandbox.create_user(access.name, email="no-at-sign")
    sandbox.add_faults(
        {"system": "crm", "kind": "error", "status": 500, "body": "html", "rate": 0.2},
        {"system": "volunteer", "kind": "not_json", "rate": 0.2},
    )
    port = free_port()
    fleet = start_fleet(log_level="DEBUG", flower_port=port)
    sandbox.start_edits(seconds=4, per_second=5)
    wait_until(lambda: people_in_letters(hub, access.name) == 2, seconds=40, what="two dead letters")
    wait_until(lambda: not sandbox.edits()["running"], seconds=20, what="the end of the edits")

    places = {
        "logs": fleet.logs(),
        "redis": everything_in(redis),
        "flower": httpx.get(f"http://127.0.0.1:{port}/workers?json=1", timeout=10).text + flower_tasks(port),
        "credentials table": dump(engine, "credentials") + dump(engine, "data_keys"),
        "run reports": dump(engine, "runs") + dump(engine, "audit"),
    }
    needles = needles_of(sandbox, access)
    assert {place: found for place, text in places.items() if (found := leaks(text, needles))} == {}
    assert len(places["logs"]) > 10_000
    assert access.name in places["redis"] + places["logs"]


def test_a_planted_leak_is_found(organization, sandbox):
    """Broken on purpose: a token, an e-mail address and a name are put where they must not be."""
    access = organization(users=3)
    needles = needles_of(sandbox, access)
    person = next(iter(sandbox.export(access.name)["source"]["users"].values()))

    assert leaks(f"Authorization: Bearer {access.crm_token}", needles)
    assert leaks(f"cannot apply {person['email']}", needles)
    assert leaks(f"cannot apply {person['last_name']}", needles)


def people_in_letters(hub, customer_id) -> int:
    return sum(letter.resource == USERS for letter in hub.dead_letters.list(customer_id))


def needles_of(sandbox, access) -> set[str]:
    """Both tokens, the canary that is in every person's name and address, and every e-mail address and phone."""
    users = sandbox.export(access.name)["source"]["users"].values()
    personal = {str(user[field]) for user in users for field in ("email", "phone", "last_name") if user.get(field)}
    return personal | {access.volunteer_token, access.crm_token, access.canary}


def leaks(text: str, needles: set[str]) -> set[str]:
    return {needle for needle in needles if needle in text}


def everything_in(redis) -> str:
    """Every key and value, of whatever type."""
    readers = {
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"hash": redis.hgetall,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"set": redis.smembers,
    }
    return "\n".join(
        f"{key!r} {readers[redis.type(key)](key)!r}" for key in redis.scan_iter() if redis.type(key) in readers
    )


def dump(engine, table: str) -> str:
    with engine.connect() as connection:
        return "\n".join(map(str, connection.exec_driver_sql(f"SELECT * FROM {table}").all()))


def flower_tasks(port: int) -> str:
    """The page that shows arguments; Flower may answer 401 without an account, which leaks nothing either."""
    return httpx.get(f"http://127.0.0.1:{port}/api/tasks", timeout=10).text
