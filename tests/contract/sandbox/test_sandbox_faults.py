"""Faults on order: the client sees them, the journal tells what really happened."""

import time

import httpx
import pytest


def rule(organization, kind, **more):
    return {"kind": kind, "organization": organization.name, **more}


def test_drop_after_apply_really_applied(desk, item):
    organization = desk()
    organization.admin.add_faults(rule(organization, "drop_after_apply", system="crm", method="POST"))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        organization.create_contact("a@example.org")

    (row,) = organization.journal(fault="drop_after_apply")
    assert (row["status"], row["applied"]) == (None, True)
    assert row["contact_ids"] == [contact["id"] for contact in organization.contacts()]


def test_drop_before_apply_did_nothing(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "drop_before_apply", system="crm"))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        organization.create_contact("a@example.org")

    (row,) = organization.journal(fault="drop_before_apply")
    assert (row["status"], row["applied"], row["writes"]) == (None, False, [])
    assert organization.contacts() == []


@pytest.mark.parametrize(("body", "content"), [("html", b"<html>"), ("empty", b""), ("json", b"{")])
def test_an_error_has_the_status_and_body_ordered(desk, body, content):
    organization = desk()
    organization.admin.add_faults(rule(organization, "error", status=502, body=body))

    answer = organization.volunteer.get("/users")

    assert answer.status_code == 502
    assert answer.content.startswith(content)
    assert bool(answer.content) == bool(content)


def test_a_rate_limit_on_order_says_how_long_to_wait(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "rate_limit", retry_after_seconds=17))

    answer = organization.crm.get("/api/Tag")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")


def test_a_script_plays_once_and_then_lets_everything_through(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "script", script=[500, 200, 503]))

    assert [organization.volunteer.get("/users").status_code for _ in range(5)] == [500, 200, 503, 200, 200]


def test_latency_delays_and_then_answers(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "latency", seconds=0.3))

    started = time.monotonic()
    answer = organization.volunteer.get("/users")

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.3


def test_an_outage_ends_by_itself(desk, eventually):
    organization = desk()
    organization.admin.add_faults(rule(organization, "outage", for_seconds=1))

    assert organization.volunteer.get("/users").status_code == 503
    eventually(lambda: organization.volunteer.get("/users").status_code == 200)


def test_a_truncated_page_keeps_its_total(desk):
    organization = desk()
    whole = organization.volunteer.get("/users").json()
    organization.admin.add_faults(rule(organization, "truncate_page", route="/users"))

    page = organization.volunteer.get("/users").json()

    assert 0 < len(page["data"]) < 15
    assert page["meta"] == whole["meta"]
    assert organization.journal(fault="truncate_page")[0]["record_ids"] == [row["id"] for row in page["data"]]


def test_a_repeated_page_serves_the_one_before(desk):
    organization = desk()
    first = organization.volunteer.get("/users").json()
    organization.admin.add_faults(rule(organization, "repeat_page"))

    second = organization.volunteer.get("/users", params={"page": 2}).json()

    assert second["data"] == first["data"]
    assert "page=3" in second["links"]["next"]
    assert organization.volunteer.get("/users").json()["data"] == first["data"]


def test_a_success_may_be_no_json(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "not_json"))

    answer = organization.volunteer.get("/users")

    assert answer.status_code == 200
    assert answer.content.startswith(b"<html>")


def test_a_rule_reaches_only_what_it_names(desk):
    organization, other = desk(), desk()
    organization.admin.add_faults(rule(organization, "error", system="volunteer", method="GET", route="/users"))

    assert organization.volunteer.get("/users").status_code == 503
    assert organization.volunteer.get("/users/4101").status_code == 200
    assert organization.crm.get("/api/Tag").status_code == 200
    assert other.volunteer.get("/users").status_code == 200


def test_a_route_that_is_no_template_is_a_prefix(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "error", route="/users/"))

    assert organization.volunteer.get("/users").status_code == 200
    assert organization.volunteer.get("/users/4101").status_code == 503


def test_rules_are_listed_with_their_hits_and_can_be_removed(desk):
    organization = desk()
    first, second = organization.admin.add_faults(
        rule(organization, "error", id="mine"), rule(organization, "error", system="crm")
    )
    organization.volunteer.get("/users")

    assert first == "mine"
    assert {row["id"]: row["hits"] for row in organization.admin.faults()} == {"mine": 1, second: 0}
    organization.admin.remove_fault("mine")
    assert organization.volunteer.get("/users").status_code == 200


def test_about_the_given_share_of_requests_fails(desk):
    organization = desk()
    organization.admin.add_faults(rule(organization, "error", rate=0.5))

    failed = [organization.volunteer.get("/users/4101").status_code == 503 for _ in range(60)]

    assert 10 < sum(failed) < 50


def test_a_rule_that_makes_no_sense_is_refused(desk):
    organization = desk()

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.add_faults(rule(organization, "flood"))
