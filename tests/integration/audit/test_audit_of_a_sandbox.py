"""The auditor against the running sandbox, with a synchronisation of a few lines in the place of the fleet."""

import json

import httpx
import pytest
from support.audit_evidence import GENDERS

from deploy.audit.__main__ import main
from deploy.audit.reading import SandboxUnreachableError
from deploy.audit.report import Kind
from deploy.audit.run import audit, is_quiet
from deploy.sandbox.client import SandboxAdmin
from deploy.sandbox.process import start_sandbox

#: Discard: nothing listens there.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def url():
    with start_sandbox(seed=7) as address:
        yield address


@pytest.fixture
def admin(url):
    with SandboxAdmin(url) as client:
        yield client


@pytest.fixture
def acme(admin, request):
    """An organization of its own for each test, in step."""
    name = request.node.name.split("[")[0].replace("test_", "")[:40]
    access = admin.create_organization(name, users=4)
    for user in users(admin, access).values():
        create(access, user)
    return access


def users(admin, access):
    return admin.export(access.name)["source"]["users"]


def create(access, user):
    year, month, day = (int(piece) for piece in user["birthday"].split("-"))
    methods = [("Home Email", user["email"]), ("Mobile Phone", user["phone"])]
    person = {
        "firstName": user["first_name"],
        "lastName": user["last_name"],
        "gender": GENDERS[user["gender"]],
        "birthYear": year,
        "birthMonth": month,
        "birthDay": day,
        "contactMethods": [{"type": kind, "value": value, "isPrimary": True} for kind, value in methods if value],
    }
    parts = user["address_parts"]
    body = {
        "contactType": "Household",
        "referenceSource": "Syncfleet",
        "referenceId": str(user["id"]),
        "contactIndividuals": [person],
        "contactAddresses": [{**parts, "isPrimary": True}] if parts else [],
    }
    headers = {"Authorization": f"Bearer {access.crm_token}"}
    httpx.post(f"{access.crm_base_url}/api/Contact", json=body, headers=headers).raise_for_status()


def kinds(url, access):
    return {finding.kind for finding in audit(url, only_people=True).findings if finding.organization == access.name}


def test_what_is_in_step_passes(url, admin, acme):
    row = next(row for row in audit(url, only_people=True).rows if row.organization == acme.name)

    assert row.passed
    assert (row.source, row.destination, row.destination_requests) == (4, 4, 4)
    assert is_quiet({"organizations": {acme.name: admin.export(acme.name)}}, only_people=True)


def test_an_edit_nobody_carried_over_is_wrong(url, admin, acme):
    admin.change_user(acme.name, next(iter(users(admin, acme).values()))["id"], first_name="Lumdane")

    assert kinds(url, acme) == {Kind.WRONG}
    assert not is_quiet({"organizations": {acme.name: admin.export(acme.name)}}, only_people=True)


def test_a_user_nobody_carried_over_is_missing(url, admin, acme):
    admin.create_user(acme.name)

    assert kinds(url, acme) == {Kind.MISSING}


def test_a_create_that_was_repeated_is_a_duplicate(url, admin, acme):
    create(acme, next(iter(users(admin, acme).values())))

    assert kinds(url, acme) == {Kind.DUPLICATE}


def test_a_limit_that_was_passed_is_told(url, admin, acme):
    admin.change_organization(acme.name, crm_requests_per_hour=3)

    assert kinds(url, acme) == {Kind.BUDGET}


def test_a_contact_in_the_wrong_account_is_a_mix_up(url, admin, acme):
    other = admin.create_organization(f"{acme.name}-2", users=1)
    (user,) = users(admin, other).values()
    create(acme, {**user, "id": 9999})

    assert Kind.MIXED in kinds(url, acme)


def test_a_client_that_knows_no_limits_fails(url, admin):
    """Without waiting for anything: the sandbox answers 429 from the third request on."""
    access = admin.create_organization("impatient", users=1, volunteer_requests_per_minute=2)
    headers = {"Authorization": f"Bearer {access.volunteer_token}"}
    for _ in range(4):
        httpx.get(f"{access.volunteer_base_url}/users", headers=headers)

    row = next(row for row in audit(url, only_people=True).rows if row.organization == "impatient")

    assert row.over_budget == 2
    assert row.rejected >= 1


def test_the_command_says_pass_with_0_and_fail_with_1(capsys):
    with start_sandbox(seed=8) as fresh, SandboxAdmin(fresh) as admin:
        access = admin.create_organization("acme", users=2)
        assert main(["--sandbox", fresh]) == 1
        for user in users(admin, access).values():
            create(access, user)
        capsys.readouterr()
        assert main(["--sandbox", fresh, "--json", "--since", "2026-01-01T00:00:00"]) == 0

    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["customers"][0]["destination"]) == ("PASS", 2)


def test_a_sandbox_that_is_not_there_is_one_line_and_2(capsys):
    assert main(["--sandbox", NOBODY]) == 2

    assert capsys.readouterr().err == f"no sandbox to audit at {NOBODY} (ConnectError): is it running?\n"
    with pytest.raises(SandboxUnreachableError):
        audit(NOBODY)
