"""What is deleted at the source is found by a full scan, and archived at the destination; beyond the fuse, held."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from support.waiting import wait_until

from common.domain.layers import Layer
from common.domain.sources import Page
from common.storage.deletions import PostgresDeletions
from poller import runs
from poller.detectors.full import Full


@pytest.fixture
def scan(hub):
    """A full scan, to its end."""
    hub.with_run_parts(full=Full(passes=3, absence=timedelta(0)))

    def make(customer_id, resource="users"):
        state = runs.run(hub.run_parts, hub.customers.get(customer_id), resource, Layer.FULL)
        hub.deliver_all(customer_id)
        return state

    return make


@pytest.fixture
def decisions(engine):
    return PostgresDeletions(engine, partitions=4)


def onboarded(hub, access, **settings):
    hub.onboard(access, **settings)
    poll(hub, access)
    return access


def poll(hub, access):
    for resource in ("users", "projects"):
        hub.poll(access.name, resource)
    settle(hub, access)


def settle(hub, access):
    def done():
        hub.deliver_all(access.name)
        return hub.is_done(access.name)

    wait_until(done, seconds=30, what="all that was detected to be applied")


@pytest.fixture
def acme(hub, organization):
    return onboarded(hub, organization(users=20, import_mode="at_once", volunteer_module=True))


def archived(sandbox, access):
    """Source ids of the users whose contact is archived, by the reference that we gave it."""
    contacts = sandbox.export(access.name)["destination"]["contacts"]
    return {ref["id"] for row in contacts if row["isArchived"] for ref in row["contactReferences"]}


def a_user(sandbox, access, number=0):
    return sorted(sandbox.export(access.name)["source"]["users"], key=int)[number]


def last_report(hub, access):
    return next(run for run in hub.overview.runs(access.name) if run.origin == "full")


def test_a_deleted_user_is_archived_after_one_scan_and_nobody_else(hub, sandbox, acme, scan):
    gone = a_user(sandbox, acme)
    sandbox.delete_user(acme.name, int(gone))
    assert scan(acme.name) == "completed"
    settle(hub, acme)

    assert archived(sandbox, acme) == {gone}
    report = last_report(hub, acme)
    # Two pages of 15, and a look at the one that was missing.
    assert (report.counts.deleted, report.counts.held, report.counts.read) == (1, 0, 19)


def test_a_deleted_anytime_project_becomes_an_inactive_opportunity(hub, sandbox, acme, scan):
    source = sandbox.export(acme.name)["source"]
    project = sandbox.create_record(acme.name, "projects", name="Thank-you letters", anytime=True, active=True)
    poll(hub, acme)
    sandbox.delete_record(acme.name, "projects", project["id"])
    assert scan(acme.name, "projects") == "completed"
    settle(hub, acme)

    found = [
        row
        for row in sandbox.export(acme.name)["destination"]["opportunities"]
        if f"projects/{project['id']}]" in str(row)
    ]
    assert [row["isActive"] for row in found] == [False]
    assert len(sandbox.export(acme.name)["source"]["projects"]) == len(source["projects"])


@dataclass
class Hiding:
    """A source that does not show some users any more, nor count them, in lists and by their ids."""

    source: Any
    hidden: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def page(self, query: Any) -> Page:
        kind, _, source_id = query.scope.partition("/")
        if source_id in self.hidden:
            return Page(records=(), broken=(), next_page=None, total=None, answered_at=None, is_gone=True)
        page = self.source.page(query)
        if kind or query.resource != "users":
            return page
        shown = [record for record in page.records if record.source_id not in self.hidden]
        return replace(page, records=shown, total=page.total - len(self.hidden))


def test_a_user_that_is_restored_at_the_source_is_unarchived(hub, sandbox, acme, scan):
    gone, open_source = a_user(sandbox, acme), hub.run_parts.open_source
    hub.with_run_parts(open_source=lambda customer, share: Hiding(open_source(customer, share), {gone}))
    scan(acme.name)
    settle(hub, acme)
    assert archived(sandbox, acme) == {gone}

    hub.with_run_parts(open_source=open_source)
    scan(acme.name)
    settle(hub, acme)
    assert archived(sandbox, acme) == set()


def test_beyond_the_fuse_nobody_is_archived_before_a_person_says_so(hub, sandbox, organization, scan, decisions):
    access = onboarded(hub, organization(users=20, import_mode="at_once"), source_settings={"deletion_fuse_records": 2})
    gone = [a_user(sandbox, access, number) for number in range(6)]
    for user_id in gone:
        sandbox.delete_user(access.name, int(user_id))
    scan(access.name)
    settle(hub, access)
    first = archived(sandbox, access)
    (held,) = decisions.held(access.name)
    assert (len(first), held.resource, held.count, held.records) == (2, "users", 4, 18)

    assert decisions.approve(access.name, None, actor="ann", why="they left", now=hub.clock.now()) == 4
    settle(hub, access)
    assert archived(sandbox, access) == set(gone)
    assert decisions.held() == []


def test_what_a_person_rejects_is_kept_and_has_to_be_proved_anew(hub, sandbox, organization, scan, decisions):
    access = onboarded(
        hub, organization(users=20, import_mode="at_once"),
        source_settings={"deletion_fuse_records": 0, "deletion_fuse_percent": 0},
    )  # fmt: skip
    sandbox.delete_user(access.name, int(a_user(sandbox, access)))
    scan(access.name)
    assert decisions.reject(access.name, "users", actor="ann", why="no", now=hub.clock.now()) == 1
    settle(hub, access)

    assert (archived(sandbox, access), decisions.held()) == (set(), [])
    assert hub.store.next_suspect(access.name, "users", after="") is None
    scan(access.name)
    assert [held.count for held in decisions.held()] == [1]


def test_an_approval_does_not_use_up_the_fuse_of_the_day(hub, sandbox, organization, scan, decisions):
    access = onboarded(hub, organization(users=20, import_mode="at_once"), source_settings={"deletion_fuse_records": 2})
    for user_id in [a_user(sandbox, access, number) for number in range(6)]:
        sandbox.delete_user(access.name, int(user_id))
    scan(access.name)
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE mirror SET deleted_at = deleted_at - interval '2 days'")
    assert decisions.approve(access.name, None, actor="ann", why="", now=hub.clock.now()) == 4
    sandbox.delete_user(access.name, int(a_user(sandbox, access)))
    scan(access.name)

    report = last_report(hub, access)
    assert (report.counts.deleted, report.counts.held) == (1, 0)
