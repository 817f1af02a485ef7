"""What a poll costs that finds nothing: a whole customer, every resource, against the sandbox."""

from __future__ import annotations

from contextlib import ExitStack

from pydantic import SecretStr
from support.hub import MASTER_KEY

from benchmarks.fleet.accounts import add_customers, customer_row
from benchmarks.fleet.figures import Table, figure
from benchmarks.fleet.stage import Stage
from benchmarks.layers.reading import MEBIBYTE, read
from common.credentials.vault import Vault
from common.domain.clock import SystemClock
from common.domain.customers import System, Tier
from common.storage.keys import PostgresKeyStore
from deploy.sandbox.client import SandboxAdmin
from deploy.sandbox.process import start_sandbox

USERS = 200
POLLS, QUICK_POLLS = 300, 20
#: What the stand-in lets a customer ask in a minute: more than is asked here.
NO_LIMIT = 1_000_000


def measure(stage: Stage) -> Table:
    times = QUICK_POLLS if stage.quick else POLLS
    with ExitStack() as stack:
        admin = stack.enter_context(SandboxAdmin(stack.enter_context(start_sandbox(seed=7))))
        name = _onboarded(stage, admin)
        told = read(stage, f"polls: {times} of them", {"kind": "polls", "customer_id": name, "times": times})
    return Table(
        title=f"A poll that finds nothing: all resources of a customer with {USERS} users, {times} times",
        figures=[
            figure("requests a poll", told["requests"], ""),
            figure("CPU of the poller: mean", sum(told["cpu_seconds"]) / times * 1000, "ms"),
            figure("CPU of the poller", [cpu * 1000 for cpu in told["cpu_seconds"]], "ms"),
            figure("time from beginning to end", [seconds * 1000 for seconds in told["seconds"]], "ms"),
            figure("detected in all of them", told["detected"], "events", at_most=0),
            figure("peak memory of the poller", told["peak_bytes"] / MEBIBYTE, "MiB"),
        ],
        notes=["Without Celery's own cost of a message, which `make bench-fleet` measures."],
    )  # fmt: skip


def _onboarded(stage: Stage, admin: SandboxAdmin) -> str:
    access = admin.create_organization("polled", users=USERS, volunteer_requests_per_minute=NO_LIMIT)
    settings = {"base_url": access.volunteer_base_url}
    add_customers(stage.engine, [customer_row(access.name, Tier.PREMIUM, source_settings=settings)])
    vault = Vault(MASTER_KEY, PostgresKeyStore(stage.engine), SystemClock())
    vault.put(access.name, System.SOURCE, SecretStr(access.volunteer_token))
    return access.name
