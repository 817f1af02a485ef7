"""Promise 8: neither tokens nor personal data reach a log, a queue, Flower, a metric or an error."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url
from support.waiting import wait_until

from common.domain.resources import USERS
from deploy.audit.leaks import FLOWER_PAGES, read_needles, search
from deploy.audit.needles import Secret
from deploy.audit.places import Place, database_files, log_files, pages, redis_contents
from deploy.local.cluster import SUPERUSER
from deploy.local.ports import free_port

pytestmark = pytest.mark.slow


def test_no_token_and_no_personal_data_leave_the_database(
    hub, organization, sandbox, sandbox_url, start_fleet, redis, engine, servers, tmp_path
):
    """A fleet at its most talkative, with every kind of failure, is searched for tokens and people."""
    access = organization(users=30)
    hub.onboard(access, visibility_seconds=1)
    sandbox.create_user(access.name, omit=["last_name"])
    sandbox.create_user(access.name, email="no-at-sign")
    sandbox.add_faults(
        {"system": "crm", "kind": "error", "status": 500, "body": "html", "rate": 0.2},
        {"system": "volunteer", "kind": "not_json", "rate": 0.2},
    )
    port, metrics = free_port(), {"processor1": free_port(), "poller1": free_port()}
    fleet = start_fleet(log_level="DEBUG", flower_port=port, metrics_ports=metrics)
    sandbox.start_edits(seconds=4, per_second=5)
    wait_until(lambda: people_in_letters(hub, access.name) == 2, seconds=40, what="two dead letters")
    wait_until(lambda: not sandbox.edits()["running"], seconds=20, what="the end of the edits")

    urls = [f"http://127.0.0.1:{port}{path}" for path in FLOWER_PAGES]
    urls += [f"http://127.0.0.1:{each}/metrics" for each in metrics.values()]
    needles = read_needles(sandbox_url)
    reports = dump(engine, "runs") + dump(engine, "audit") + dump(engine, "credentials") + dump(engine, "data_keys")
    places = [
        *log_files(str(tmp_path / "logs")),
        *redis_contents(servers.broker_url),
        *database_files(superuser(servers.database_url)),
        *pages(urls),
        Place(name="reports and credentials", pieces=[reports.encode()]),
    ]

    assert list(search(places, needles)) == []
    assert {needle.secret for needle in needles} == set(Secret)
    assert len(fleet.logs()) > 10_000
    assert access.name in fleet.logs()
    assert len(places) > len(urls) + 100


@pytest.mark.parametrize("field", ["email", "last_name", "phone"])
def test_a_planted_leak_is_found(organization, sandbox, sandbox_url, field):
    """Broken on purpose: a token, an e-mail address and a name are put where they must not be."""
    access = organization(users=3)
    person = next(iter(sandbox.export(access.name)["source"]["users"].values()))
    needles = read_needles(sandbox_url)

    assert planted(f"Authorization: Bearer {access.crm_token}", needles) == ["token"]
    assert planted(f"cannot apply {person[field]}", needles) == ["personal data"]


def planted(text, needles):
    return [leak.secret for leak in search([Place(name="log", pieces=[text.encode()])], needles)]


def people_in_letters(hub, customer_id) -> int:
    return sum(letter.resource == USERS for letter in hub.dead_letters.list(customer_id))


def superuser(url: str) -> str:
    """The role that may ask for a checkpoint."""
    return make_url(url).set(username=SUPERUSER, drivername="postgresql").render_as_string(hide_password=False)


def dump(engine, table: str) -> str:
    with engine.connect() as connection:
        return "\n".join(map(str, connection.exec_driver_sql(f"SELECT * FROM {table}").all()))
