"""`fleet estimate`: from the lists before the first poll, from the mirror after it, beside what a poll really sends."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from support.hub import MASTER_KEY, Hub

from common.storage.tables import runs

LISTS = ["users", "projects", "organizations", "campaigns", "certificates", "groups", "forms"]
LISTS_IN_LISTS = ["group_members", "form_completions"]


@pytest.fixture
def hub(engine, servers, redis, monkeypatch, fleet):
    """A worker beside the command, under the same key. It comes after `fleet`, which sets another."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    built = Hub(engine=engine, servers=servers, redis=redis)
    yield built
    built.close()


def test_before_the_first_poll_each_list_is_asked_once_and_the_dates_are_said_to_be_unknown(fleet, hub, organization):
    access = organization(users=40)
    hub.onboard(access)
    source = fleet("estimate", access.name, "--json").data["source"]

    assert sorted(source["asked"]) == sorted(LISTS)
    assert source["records"]["users"] == 40
    assert "project_dates" in source["unknown"]
    text = fleet("estimate", access.name).out
    assert "7 requests" in text
    assert "not known before they have been read" in text
    hub.poll(access.name)
    (sent,) = [run.counts.requests for run in hub.overview.runs(access.name)]
    assert (source["by_resource"]["users"]["backfill"], sent) == (3, 3)  # a short list is read without windows


def test_what_it_asks_is_on_the_customers_own_budget(fleet, hub, organization, monkeypatch):
    access = organization(users=2)
    hub.onboard(access)
    monkeypatch.setenv("FLEET_VOLUNTEER_REQUESTS_PER_MINUTE", "3")
    refused = fleet("estimate", access.name)

    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "budget" in refused.err


def test_after_the_first_poll_nothing_is_asked_and_the_backfill_is_what_the_poll_took(fleet, hub, organization):
    access = organization(users=20)
    hub.onboard(access)
    hub.poll_all(access.name)
    with hub.engine.connect() as connection:
        sent = dict(connection.execute(select(runs.c.resource, func.sum(runs.c.requests)).group_by("resource")).all())
    source = fleet("estimate", access.name, "--json").data["source"]

    assert (source["asked"], source["unknown"]) == ([], [])
    by_resource = {name: spent["backfill"] for name, spent in source["by_resource"].items()}
    by_resource["participations"] = source["ways"]["dates"]["backfill"]
    for name in LISTS_IN_LISTS:  # how full their pages are cannot be known: at most so many
        most = by_resource.pop(name)
        assert most - source["records"][name] // 15 <= sent.pop(name) <= most
    assert by_resource == sent


def test_both_ways_are_side_by_side_with_the_one_that_is_chosen_and_why(fleet, hub, organization):
    access = organization(users=20)
    hub.onboard(access)
    hub.poll_all(access.name)
    source = fleet("estimate", access.name, "--json").data["source"]
    other = next(way for way in source["ways"] if way != source["chosen"])

    assert set(source["ways"]) == {"dates", "users"}
    assert f"by {other}" in source["why"]
    in_all = {figure: sum(row[figure] for row in source["by_resource"].values()) for figure in source["total"]}
    chosen = source["ways"][source["chosen"]]
    assert source["total"] == pytest.approx({figure: in_all[figure] + chosen[figure] for figure in in_all})
    customer = hub.customers.get(access.name)
    settings = {**customer.source_settings, "participations": other}
    hub.customers.change(replace(customer, source_settings=settings))
    source = fleet("estimate", access.name, "--json").data["source"]
    assert (source["chosen"], source["why"]) == (other, f"the customer's setting participations={other}")


def test_hours_are_at_the_share_that_a_backfill_has_of_the_budget(fleet, hub, organization, monkeypatch):
    access = organization(users=20)
    hub.onboard(access)
    hub.poll_all(access.name)
    monkeypatch.setenv("FLEET_VOLUNTEER_REQUESTS_PER_MINUTE", "10")
    monkeypatch.setenv("FLEET_CRM_REQUESTS_PER_HOUR", "100")
    data = fleet("estimate", access.name, "--json").data

    assert data["source"]["backfill_hours"] == pytest.approx(data["source"]["total"]["backfill"] / 8 / 60)
    assert data["destination"]["hours"] == pytest.approx(data["destination"]["requests"] / 80)
    assert data["destination"]["records"]["users"] == 20
    assert data["destination"]["by_resource"]["users"] >= 1


def test_a_poll_that_is_seldom_is_reckoned_as_such_and_a_night_as_a_day(fleet, hub, organization):
    access = organization(users=5)
    hub.onboard(access)
    hub.poll_all(access.name)
    assert fleet("estimate", access.name, "--json").data["source"]["by_resource"]["users"]["per_day"] == 288
    assert fleet("customers", "set", access.name, "--mode", "nightly").code == 0

    source = fleet("estimate", access.name, "--json").data["source"]
    assert (source["poll_seconds"], source["by_resource"]["users"]["per_day"]) == (86_400, 1)


def test_a_customer_that_is_not_there_is_said_in_a_line(fleet):
    refused = fleet("estimate", "nobody")

    assert (refused.code, refused.err.count("\n"), refused.out) == (1, 1, "")
    assert "there is no such customer" in refused.err
