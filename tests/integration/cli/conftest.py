"""Commands on real servers, called as `main` calls them."""

import base64
import io
import json
import sys
from dataclasses import dataclass

import pytest

from common.cli.main import run
from common.storage.tables import customers, dead_letters, events


class Terminal(io.StringIO):
    """A person who types this."""

    def isatty(self):
        return True


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def data(self):
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def fleet(servers, engine, redis, monkeypatch, capsys, tmp_path):
    """Call `fleet` on an empty database at the newest schema."""
    monkeypatch.chdir(tmp_path)
    for name, value in servers.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(b"k" * 32).decode())

    def call(*arguments, stdin="", typed=None):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if typed is None else Terminal(typed))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def added(fleet, organization):
    """Add a customer by hand; gives its access."""

    def add(customer_id, *options):
        access = organization(users=3)
        outcome = fleet(*add_arguments(customer_id, access), *options, stdin=tokens_of(access))
        assert outcome.code == 0, outcome.err
        return access

    return add


@pytest.fixture
def letter(engine):
    """Put a dead letter there, as a worker would."""

    def put(customer_id, now, *, source_id="1", stage="apply", reason="http_422"):
        ids = {"customer_id": customer_id, "source_id": source_id, "run_id": "r", "trace_id": "t"}
        common = {**ids, "resource": "users"}
        event = {
            "version": 1, "partition": 0, "action": "upsert", "event_version": 1, "payload": {"first_name": "Ada"},
            "origin": "poll", "state": "dead_lettered", "occurred_at": now, "detected_at": now, "retry_at": now,
        }  # fmt: skip
        told = {"stage": stage, "reason": reason, "state": "open", "detail": "Ada was refused", "created_at": now}
        with engine.begin() as connection:
            row = events.insert().values(**common, **event)
            event_id = connection.execute(row.returning(events.c.event_id)).scalar_one()
            row = dead_letters.insert().values(**common, **told, event_id=event_id)
            return connection.execute(row.returning(dead_letters.c.dead_letter_id)).scalar_one()

    return put


@pytest.fixture
def stored(engine):
    """A customer's row, or None."""

    def read(customer_id):
        with engine.connect() as connection:
            query = customers.select().where(customers.c.customer_id == customer_id)
            return connection.execute(query).one_or_none()

    return read


@pytest.fixture
def actions(fleet):
    """What the audit table says, the latest first."""

    def read(customer_id):
        return [row["action"] for row in fleet("customers", "show", customer_id, "--json").data["audit"]]

    return read


def add_arguments(customer_id, access):
    return [
        "customers", "add", customer_id, "--name", "A Charity", "--tier", "premium", "--json",
        "--source-setting", f"base_url={access.volunteer_base_url}",
        "--destination-setting", f"base_url={access.crm_base_url}",
    ]  # fmt: skip


def tokens_of(access):
    return f"{access.volunteer_token}\n{access.crm_token}\n"


@pytest.fixture
def adding():
    return add_arguments, tokens_of
