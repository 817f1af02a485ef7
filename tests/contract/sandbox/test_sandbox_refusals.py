"""Tokens, budgets and error bodies of both stand-ins."""

import time

import httpx
import pytest


def test_a_bad_volunteer_token_is_unauthenticated(desk):
    organization = desk(volunteer_token_valid=False)

    answer = organization.volunteer.get("/users")

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


def test_a_token_of_one_system_is_no_good_in_the_other(desk):
    organization = desk()

    swapped = {"Authorization": f"Bearer {organization.access.crm_token}"}

    assert organization.volunteer.get("/users", headers=swapped).status_code == 401


def test_a_double_space_before_the_token_is_unauthenticated(desk):
    organization = desk()

    headers = {"Authorization": f"Bearer  {organization.access.crm_token}"}

    assert organization.crm.get("/api/Tag", headers=headers).status_code == 401


def test_a_bad_crm_token_is_told_in_plain_text(desk):
    answer = desk(crm_token_valid=False).crm.get("/api/Organization/Current")

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_forbidden_organization_gets_403(desk):
    organization = desk()
    assert organization.volunteer.get("/users").status_code == 200

    organization.admin.change_organization(organization.name, volunteer_forbidden=True)

    assert organization.volunteer.get("/users").status_code == 403


def test_the_volunteer_budget_is_exact_in_every_minute(desk):
    organization = desk(volunteer_requests_per_minute=7)

    answers = [organization.volunteer.get("/users/4101") for _ in range(20)]

    minutes: dict[int, int] = {}
    for row in organization.journal(system="volunteer", status=200):
        minute = int(row["started_at"]) // 60
        minutes[minute] = minutes.get(minute, 0) + 1
    refused = [answer for answer in answers if answer.status_code == 429]
    assert max(minutes.values()) == 7
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert all(answer.content == b"" or answer.json()["message"] for answer in refused)


def test_the_crm_tells_its_budget_in_every_answer_and_keeps_it(desk):
    organization = desk(crm_requests_per_hour=5)

    answers = [organization.crm.get(path) for path in ["/api/Tag", "/api/Nothing", *["/api/Tag"] * 13]]

    reset = int(answers[-1].headers["x-ratelimit-reset"])
    spent = [answer for answer in answers if answer.headers["x-ratelimit-reset"] == str(reset)]
    allowed = [answer for answer in spent if answer.status_code != 429]
    refused = [answer for answer in spent if answer.status_code == 429]
    assert reset % 3600 == 0
    assert all(answer.headers["x-ratelimit-limit"] == "5" for answer in answers)
    assert [int(answer.headers["x-ratelimit-remaining"]) for answer in allowed] == [4, 3, 2, 1, 0][: len(spent)]
    assert all(answer.json()["error"]["code"] == "RATE_LIMITED" for answer in refused)
    assert all(abs(int(answer.headers["retry-after"]) - (reset - time.time())) < 5 for answer in refused)


def test_the_budget_can_be_changed_while_running(desk):
    organization = desk(crm_requests_per_hour=1)
    organization.crm.get("/api/Tag")

    organization.admin.change_organization(organization.name, crm_requests_per_hour=50)

    assert organization.crm.get("/api/Tag").headers["x-ratelimit-limit"] == "50"


def test_errors_come_in_the_envelope_or_flat(desk):
    envelope = desk(error_shape="envelope").crm.get("/api/Contact/1").json()
    flat = desk(error_shape="flat").crm.get("/api/Contact/1").json()

    assert set(envelope["error"]) == {"code", "message", "details"}
    assert set(flat) == {"error", "error_description"}
    assert isinstance(flat["error"], str)


def test_a_body_that_is_no_json_is_a_400(desk):
    assert desk().crm.post("/api/Contact", content=b"{").status_code == 400


@pytest.mark.parametrize("body", [{"import_mode": "never"}, {"colour": "red"}, {"users": "many"}])
def test_a_setting_that_does_not_exist_is_refused(desk, body):
    organization = desk()

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.change_organization(organization.name, **body)
