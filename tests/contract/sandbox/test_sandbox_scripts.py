"""A destination or source that obeys a script: step by step, and then as if nothing had been."""

import errno
import socket
from urllib.parse import urlsplit

import httpx
import pytest

CONTACTS = {"system": "crm", "method": "POST", "route": "/api/Contact"}


def test_every_step_is_obeyed_in_order_and_then_all_is_normal(desk):
    organization = desk()
    script = organization.admin.play(
        organization.name, 500, 500, 200, {"status": 429, "retry_after_seconds": 7}, {"status": 500, "applied": True},
        "reset", "applied_then_reset", **CONTACTS,
    )  # fmt: skip

    seen = [outcome(organization, f"a{number}@example.org") for number in range(9)]

    assert seen == [500, 500, 200, 429, 500, "reset", "reset", 200, 200]
    assert organization.admin.steps_left(script) == 0
    emails = [contact["contactMethods"][0]["value"] for contact in full(organization)]
    assert emails == [f"a{number}@example.org" for number in (2, 4, 6, 7, 8)]


def test_the_journal_tells_what_was_applied_whatever_was_answered(desk):
    organization = desk()
    organization.admin.play(organization.name, {"status": 500, "applied": True}, 503, "applied_then_reset", **CONTACTS)

    for number in range(3):
        outcome(organization, f"b{number}@example.org")

    rows = organization.journal(fault="script")
    assert [(row["status"], row["applied"], len(row["contact_ids"])) for row in rows] == [
        (500, True, 1),
        (503, False, 0),
        (None, True, 1),
    ]


def test_a_step_says_how_long_to_wait_and_in_which_words(desk):
    organization = desk()
    organization.admin.play(organization.name, {"status": 429, "retry_after_seconds": 3, "body": "json"}, 503)

    limited, away = organization.crm.get("/api/Tag"), organization.crm.get("/api/Tag")

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert limited.json()
    assert (away.status_code, "retry-after" in away.headers) == (503, False)


def test_a_script_is_for_one_organization_and_one_endpoint(desk):
    organization, other = desk(), desk()
    script = organization.admin.play(organization.name, 500, 500, system="volunteer", route="/users")

    assert other.volunteer.get("/users").status_code == 200
    assert organization.crm.get("/api/Tag").status_code == 200
    assert organization.volunteer.get("/users/4101").status_code == 200
    assert organization.admin.steps_left(script) == 2


def test_a_reset_is_a_reset_and_no_end(desk):
    organization = desk()
    organization.admin.play(organization.name, "reset", system="volunteer")
    url = urlsplit(organization.access.volunteer_base_url)
    request = (
        f"GET {url.path}/users HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"Authorization: Bearer {organization.access.volunteer_token}\r\n\r\n"
    )

    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(request.encode())
        with pytest.raises(ConnectionResetError) as reset:
            connection.recv(1)

    assert reset.value.errno == errno.ECONNRESET


@pytest.mark.parametrize("step", ["flood", 99, True, None, {"status": "reset"}, {"stat": 500}])
def test_a_step_that_makes_no_sense_is_refused_when_the_script_is_given(desk, step):
    organization = desk()

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.play(organization.name, 500, step)


def outcome(organization, email):
    person = {"firstName": "Fenmar", "lastName": "Quonox", "contactMethods": [{"type": "Home Email", "value": email}]}
    body = {"contactType": "Household", "contactIndividuals": [person]}
    try:
        return organization.crm.post("/api/Contact", json=body).status_code
    except httpx.ReadError:
        return "reset"


def full(organization):
    """Contacts as made, with the methods of their one person."""
    rows = [organization.crm.get(f"/api/Contact/{contact['id']}").json() for contact in organization.contacts()]
    return [row["contactIndividuals"][0] for row in rows]
