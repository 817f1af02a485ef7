"""The process itself: determinism, edits, journal, and a clean end."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

from deploy.sandbox.client import SandboxAdmin
from deploy.sandbox.process import ROOT, start_sandbox


def exported(seed: int) -> dict:
    with start_sandbox(seed=seed) as url, SandboxAdmin(url) as admin:
        admin.create_organizations({"name": "acme", "users": 30}, {"name": "brook"})
        organizations = admin.export()["organizations"]
    return {
        name: {key: row[key] for key in ("settings", "canary")} | row["source"]["users"]
        for name, row in organizations.items()
    }


def test_the_same_seed_gives_the_same_world():
    assert exported(3) == exported(3)


def test_another_seed_gives_another_world():
    assert exported(3)["acme"]["canary"] != exported(4)["acme"]["canary"]


def test_organizations_nobody_configured_differ(admin):
    admin.create_organizations(*[{"name": f"plain{number}", "users": 1} for number in range(8)])

    settings = [admin.export(f"plain{number}")["settings"] for number in range(8)]

    assert len({json.dumps(each, sort_keys=True) for each in settings}) > 1


def test_tokens_show_what_they_are(admin):
    access = admin.create_organization("tokens", users=1)

    assert access.volunteer_token.startswith("volcanary-tokens-")
    assert access.crm_token.startswith("crmcanary-tokens-")
    assert access.crm_token not in repr(access)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_quietly(number):
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")

        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)

    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_stream_of_edits_never_reuses_a_value(desk, eventually):
    organization = desk()
    organization.admin.start_edits(
        seconds=0.5, per_second=200, organizations=[organization.name], weights={"create": 1, "change": 6, "email": 2}
    )

    eventually(lambda: not organization.admin.edits()["running"])

    applied = organization.admin.edits()["applied"]
    history = organization.admin.export(organization.name)["source"]["history"][40:]
    assert sum(applied.values()) == len(history) == 100
    seen: dict[tuple[int, str], list[object]] = {}
    for row in organization.admin.export(organization.name)["source"]["history"]:
        for name, value in row["values"].items():
            versions = seen.setdefault((row["user_id"], name), [])
            if not versions or versions[-1] != value:
                assert value not in versions
                versions.append(value)


def test_edits_are_what_the_users_show(desk, eventually):
    organization = desk()
    organization.admin.start_edits(seconds=0.3, per_second=100, organizations=[organization.name])
    eventually(lambda: not organization.admin.edits()["running"])

    source = organization.admin.export(organization.name)["source"]
    latest = {row["user_id"]: row for row in source["history"]}
    living = {user_id: row["values"] for user_id, row in latest.items() if row["kind"] != "delete"}

    assert living == {row["id"]: {name: row[name] for name in living[row["id"]]} for row in organization.users()}
    assert {row["user_id"] for row in latest.values() if row["kind"] == "delete"} == set(source["deleted"])


def test_the_same_seed_makes_the_same_edits(admin, eventually):
    names = [admin.create_organization(f"twin{number}", users=20).name for number in range(2)]
    kinds = []
    for name in names:
        before = len(admin.export(name)["source"]["history"])
        admin.start_edits(seconds=0.2, per_second=100, organizations=[name], seed=5)
        eventually(lambda: not admin.edits()["running"])
        kinds.append([row["kind"] for row in admin.export(name)["source"]["history"][before:]])

    assert kinds[0] == kinds[1]


def test_the_journal_numbers_every_request_without_a_gap(desk):
    organization = desk()
    organization.volunteer.get("/users", params={"page": 2})
    organization.volunteer.get("/users", headers={"Authorization": "Bearer nobody"})

    rows = list(organization.admin.journal())

    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    listed, unknown = rows[-2:]
    assert (listed["route"], listed["query"], listed["organization"]) == ("/users", "page=2", organization.name)
    assert len(listed["record_ids"]) == 15
    assert listed["started_at"] <= listed["finished_at"]
    assert (unknown["organization"], unknown["status"], unknown["applied"]) == (None, 401, False)


def test_the_journal_can_be_read_in_parts(desk):
    organization = desk()
    for _ in range(5):
        organization.volunteer.get("/users/4101")
    everything = list(organization.admin.journal())

    assert list(organization.admin.journal(after=len(everything) - 3, limit=2)) == everything[-3:-1]


def test_no_token_is_in_the_journal_or_the_export(desk):
    organization = desk()
    organization.volunteer.get("/users")
    organization.crm.get("/api/Tag")

    told = json.dumps([list(organization.admin.journal()), organization.admin.export()])

    assert "volcanary-" not in told
    assert "crmcanary-" not in told


def test_a_request_that_outlives_its_client_still_takes_effect(desk, eventually):
    organization = desk()
    organization.admin.add_faults({"kind": "latency", "seconds": 1, "organization": organization.name})

    with pytest.raises(httpx.ReadTimeout):
        organization.crm.post("/api/Contact", json={"contactType": "Organization", "name": "Late"}, timeout=0.1)

    assert organization.contacts() == []
    eventually(lambda: len(organization.contacts()) == 1)


def test_dropped_connections_leave_no_word_on_stderr():
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        with SandboxAdmin(json.loads(process.stdout.readline())["url"]) as admin:
            access = admin.create_organization("acme")
            admin.add_faults({"kind": "drop_after_apply"})
            with httpx.Client(headers={"Authorization": f"Bearer {access.volunteer_token}"}) as client:
                for _ in range(5):
                    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                        client.get(f"{access.volunteer_base_url}/users")
        process.terminate()
        _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")


def test_a_name_is_taken_once(admin):
    admin.create_organization("once", users=1)

    with pytest.raises(Exception, match="409"):
        admin.create_organization("once", users=1)
