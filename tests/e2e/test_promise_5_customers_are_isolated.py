"""Promise 5: one customer's flood, outage, bad data or expired token delays no other; nothing mixes two."""

from __future__ import annotations

from itertools import accumulate

import pytest
from support.waiting import wait_until

from common.config.settings import Settings
from common.domain.customers import System
from common.domain.resources import USERS

pytestmark = pytest.mark.slow

CUSTOMER_SLOTS = Settings.model_fields["customer_slots"].default


def test_a_customer_in_trouble_stops_no_other(hub, organization, sandbox, audited, start_fleet):
    """One floods, one's destination hangs, one's token is rejected, one has bad data; a quiet one is served at once."""
    flooding, hanging, rejected, spoiled, quiet = (organization(users=n) for n in (300, 20, 5, 5, 3))
    for access in (flooding, hanging, rejected, spoiled, quiet):
        hub.onboard(access, visibility_seconds=1)
    sandbox.change_organization(rejected.name, volunteer_token_valid=False)
    sandbox.create_user(spoiled.name, omit=["last_name"])
    sandbox.add_faults({"system": "crm", "organization": hanging.name, "kind": "latency", "seconds": 1.5, "rate": 1.0})
    start_fleet()

    wait_until(lambda: arrived(sandbox, quiet), seconds=20, what="the quiet customer's contacts")
    wait_until(lambda: arrived(sandbox, spoiled), seconds=20, what="the good records beside a bad one")
    wait_until(lambda: arrived(sandbox, flooding), seconds=60, what="the flood")
    wait_until(lambda: arrived(sandbox, hanging), seconds=60, what="the slow one")
    blocked = hub.breakers.of(rejected.name)[System.SOURCE]
    assert (blocked.state, blocked.reason.endswith("`fleet customers token`")) == ("blocked", True)
    assert hub.customers.get(rejected.name).is_active
    assert hub.customers.get(quiet.name).is_active
    (letter,) = [each for each in hub.dead_letters.list(spoiled.name) if each.resource == USERS]
    assert (letter.field, letter.stage) == ("last_name", "detect")
    assert audited().total("mixed") == 0


def test_a_slow_destination_holds_its_share_of_a_workers_slots_and_no_more(hub, organization, sandbox, start_fleet):
    """Created directly: at least 60 slow requests. One worker, 8 slots, 2 of them for a customer."""
    slow, quiet = organization(users=60), organization(users=3)
    sandbox.add_faults({"system": "crm", "organization": slow.name, "kind": "latency", "seconds": 0.5, "rate": 1.0})
    for access in (slow, quiet):
        hub.onboard(access, create="direct", visibility_seconds=1)
    start_fleet(processors=1)
    wait_until(lambda: arrived(sandbox, slow), seconds=90, what="the slow customer's contacts")

    assert arrived(sandbox, quiet)
    assert 1 <= most_at_once(requests_of(sandbox, slow)) <= CUSTOMER_SLOTS


def requests_of(sandbox, access) -> list[tuple[float, float]]:
    return [
        (entry["started_at"], entry["finished_at"])
        for entry in sandbox.journal()
        if entry["organization"] == access.name and entry["system"] == "crm" and entry["finished_at"]
    ]


def most_at_once(spans) -> int:
    edges = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    return max(accumulate(step for _, step in edges))


def test_two_customers_with_the_same_ids_are_not_mixed(hub, organization, sandbox, audited):
    """Source ids and contact ids collide between organizations on purpose."""
    bring_both(hub, organization, sandbox)

    assert audited().findings == ()


def test_a_source_opened_with_the_wrong_customers_token_mixes_them(hub, organization, sandbox, audited):
    """Broken on purpose: the second customer is read with the first one's token."""
    opened = hub.run_parts.open_source
    first: list[object] = []

    def open_first(customer, share):
        first.append(customer)
        return opened(first[0], share)

    hub.with_run_parts(open_source=open_first)
    bring_both(hub, organization, sandbox)

    assert audited().total("mixed") > 0


def bring_both(hub, organization, sandbox) -> None:
    for access in (organization(users=10), organization(users=10)):
        hub.onboard(access)
        hub.poll(access.name)
        wait_until(lambda name=access.name: hub.deliver_all(name) or hub.is_done(name), seconds=20, what="all applied")


def arrived(sandbox, access) -> bool:
    return len(sandbox.export(access.name)["destination"]["contacts"]) >= access.users
