"""`fleet runs` and `fleet events --run`, over runs that the product has made against the sandbox."""

import pytest
from support.waiting import wait_until

from common.domain.resources import GROUPS, USERS


@pytest.fixture
def ran(hub, organization):
    """A customer whose users and groups were read once, and whose users were delivered."""
    access = organization(users=4)
    hub.onboard(access)
    hub.poll(access.name, USERS)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="all ended")
    hub.poll(access.name, GROUPS)
    return access.name


def the_run(fleet, customer_id, resource):
    (found,) = fleet("runs", "list", customer_id, "--resource", resource, "--json").data["runs"]
    return found


def test_runs_are_listed_the_latest_first_for_one_customer_or_for_all(fleet, ran, hub, organization):
    other = organization(users=1)
    hub.onboard(other)
    hub.poll(other.name, USERS)

    own = fleet("runs", "list", ran, "--json").data["runs"]
    every = fleet("runs", "list", "--json").data["runs"]

    assert [each["resource"] for each in own] == [GROUPS, USERS]
    assert [each["customer_id"] for each in every] == [other.name, ran, ran]


def test_filters_narrow_the_list(fleet, ran):
    def found(*options):
        return [each["resource"] for each in fleet("runs", "list", ran, *options, "--json").data["runs"]]

    assert found("--state", "completed", "--origin", "backfill") == [GROUPS, USERS]
    assert found("--state", "failed") == []
    assert found("--layer", "nightly") == []
    assert found("--since", "1h", "--limit", "1") == [GROUPS]
    assert found("--since", "2999-01-01") == []


def test_a_run_shows_what_it_read_and_what_became_of_it(fleet, ran):
    run = the_run(fleet, ran, USERS)

    shown = fleet("runs", "show", run["run_id"], "--json").data["run"]

    assert shown["report"] == run
    assert shown["report"]["counts"]["detected"] == sum(shown["outcome"]["events"].values()) == 4
    assert shown["outcome"]["events"]["applied"] == 4
    assert shown["report"]["counts"]["requests"] >= 1


def test_a_run_is_shown_by_what_a_list_prints_of_its_id(fleet, ran, hub):
    line = next(line for line in fleet("runs", "list", ran).out.splitlines() if f" {USERS} " in line)

    out = fleet("runs", "show", line.split()[0]).out

    assert ran in out
    assert "applied" in out


def test_a_failure_is_shown_with_the_command_that_works(fleet, hub, organization, sandbox):
    access = organization(users=3)
    user_id = sandbox.create_user(access.name, omit=["last_name"])["id"]
    hub.onboard(access)
    hub.poll(access.name, USERS)
    run = the_run(fleet, access.name, USERS)

    (failure,) = fleet("runs", "show", run["run_id"], "--json").data["run"]["outcome"]["failures"]
    command = ["dlq", "show", access.name, str(failure["dead_letter_id"])]

    assert " ".join(["fleet", *command]) in fleet("runs", "show", run["run_id"]).out
    assert fleet(*command, "--json").data["dead_letter"]["source_id"] == failure["source_id"] == str(user_id)


def test_events_of_one_run_are_counted_apart(fleet, ran, hub):
    run = the_run(fleet, ran, USERS)

    told = fleet("events", ran, "--run", run["run_id"], "--json").data

    assert (told["run_id"], told["events"]["applied"], told["events"]["pending"]) == (run["run_id"], 4, 0)
    assert fleet("events", ran, "--json").data["events"]["pending"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["runs", "show", "nix"], 1, "error: there is no run 'nix'; see `fleet runs list`"),
        (["runs", "show", "id-"], 1, "error: 'id-' is the beginning of several runs, give more of it: id-"),
        (["runs", "list", "--since", "noon"], 2, "error: --since: 'noon' is neither an age such as 90m"),
        (["runs", "list", "--resource", "user"], 2, "error: --resource: no source has 'user'; there are "),
        (["runs", "list", "--state", "dead"], 2, "error: Invalid value for '--state'"),
        (["runs", "list", "--limit", "0"], 2, "error: Invalid value for '--limit'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_line(fleet, ran, arguments, code, line):
    outcome = fleet(*arguments)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert outcome.err.startswith(line)


def test_a_run_of_another_customer_is_none_of_this_one(fleet, ran, hub, organization):
    other = organization(users=1)
    hub.onboard(other)
    run = the_run(fleet, ran, USERS)

    outcome = fleet("events", other.name, "--run", run["run_id"])

    assert outcome.code == 1
    assert outcome.err.startswith(f"error: customer '{other.name}': there is no run '{run['run_id']}'")
