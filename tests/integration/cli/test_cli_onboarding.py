import json

import pytest
from sqlalchemy import text

from common.limits.budget import budget_key


def counts(engine):
    tables = ("customers", "data_keys", "credentials", "audit")
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_a_customer_is_added_whole_and_polled_at_once(fleet, adding, organization, engine, redis):
    arguments, tokens = adding
    access = organization(users=3)

    outcome = fleet(*arguments("acme", access), stdin=tokens(access))

    assert outcome.data == {"added": ["acme"], "failed": [], "warnings": []}
    assert counts(engine) == [1, 1, 2, 1]
    assert redis.llen("poll.priority") == 1


def test_no_token_is_printed_stored_openly_or_queued(fleet, added, engine, redis):
    access = added("acme")
    shown = fleet("customers", "show", "acme", "--json").out + fleet("customers", "list").out
    with engine.connect() as connection:
        query = "SELECT customers::text || ' ' || credentials::text FROM customers, credentials"
        rows = connection.execute(text(query))
        shown += str(rows.all())
    shown += str([redis.lrange(key, 0, -1) for key in redis.keys("poll.*")])

    assert "acme" in shown
    assert access.volunteer_token not in shown
    assert access.crm_token not in shown


@pytest.mark.parametrize("wrong", ["source", "destination"])
def test_a_rejected_token_is_named_and_nothing_is_added(fleet, adding, organization, engine, redis, wrong):
    arguments, _ = adding
    access = organization(users=3)
    tokens = {"source": access.volunteer_token, "destination": access.crm_token, wrong: "made-up"}

    outcome = fleet(*arguments("acme", access), stdin="\n".join(tokens.values()))

    system = {"source": "volunteer", "destination": "crm_plus"}[wrong]
    line = f"error: customer 'acme': {wrong}_token: {system} does not accept it (401); give another\n"
    assert (outcome.code, outcome.out, outcome.err) == (1, "", line)
    assert counts(engine) == [0, 0, 0, 0]
    assert redis.keys("poll.*") == []


def test_the_calls_that_verify_tokens_count_against_the_budgets(added, redis):
    added("acme")

    assert redis.exists(budget_key("acme", "volunteer"), budget_key("acme", "crm_plus")) == 2


def test_unverified_tokens_are_taken_on_trust_and_no_call_is_made(fleet, adding, organization, redis):
    arguments, _ = adding

    outcome = fleet(*arguments("acme", organization(users=1)), "--no-verify", stdin="made-up\nmade-up\n")

    assert outcome.data["added"] == ["acme"]
    assert redis.keys("budget:*") == []


def test_a_taken_id_is_refused_before_any_token_is_asked_for(fleet, added, adding):
    arguments, _ = adding
    access = added("acme")

    outcome = fleet(*arguments("acme", access))

    assert (outcome.code, outcome.err) == (1, "error: customer 'acme': customer_id: is taken; choose another\n")


def test_without_redis_nothing_is_added(fleet, adding, organization, engine, monkeypatch):
    arguments, tokens = adding
    access = organization(users=1)
    monkeypatch.setenv("FLEET_BROKER_URL", "redis://:hunter2@127.0.0.1:1/0")

    outcome = fleet(*arguments("acme", access), stdin=tokens(access))

    assert (outcome.code, outcome.err) == (1, "error: cannot reach Redis at 127.0.0.1:1: is it running?\n")
    assert counts(engine) == [0, 0, 0, 0]


def test_every_mistake_of_a_file_is_named_and_nobody_is_added(fleet, engine, tmp_path):
    good = {"customer_id": "good", "name": "G", "tier": "basic", "source_token": "a", "destination_token": "b"}
    bad = {
        "customer_id": "Bad!", "name": "B", "tier": "basic", "time_zone": "Europe/Berln", "source": "volunter",
        "source_token": "a",
        "destination_settings": {"base_url": "https://u:p@h", "batch_size": 1000, "creat": "x"},
    }  # fmt: skip
    (tmp_path / "customers.json").write_text(json.dumps([good, bad, {"customer_id": "worse"}]))

    outcome = fleet("customers", "add", "--file", tmp_path / "customers.json")

    assert outcome.code == 1
    fields = [line.split(": ")[1:3] for line in outcome.err.splitlines()]
    assert fields == [
        ["customer 'worse'", "name"],
        ["customer 'worse'", "tier"],
        ["customer 'Bad!'", "customer_id"],
        ["customer 'Bad!'", "time_zone"],
        ["customer 'Bad!'", "source"],
        ["customer 'Bad!'", "destination_settings.batch_size"],
        ["customer 'Bad!'", "destination_settings.creat"],
        ["customer 'Bad!'", "destination_settings.base_url"],
        ["customer 'Bad!'", "destination_token"],
    ]
    assert counts(engine) == [0, 0, 0, 0]


def test_of_a_sound_file_those_whose_tokens_are_rejected_are_named_and_the_others_added(
    fleet, organization, tmp_path, stored
):
    access = organization(users=1)
    entry = {
        "name": "A", "tier": "basic", "source_token": access.volunteer_token, "destination_token": access.crm_token,
        "source_settings": {"base_url": access.volunteer_base_url},
        "destination_settings": {"base_url": access.crm_base_url},
    }  # fmt: skip
    rows = [{**entry, "customer_id": "wrong", "source_token": "made-up"}, {**entry, "customer_id": "right"}]
    (tmp_path / "customers.json").write_text(json.dumps(rows))

    outcome = fleet("customers", "add", "--file", tmp_path / "customers.json", "--json")

    assert outcome.code == 1
    assert json.loads(outcome.out)["added"] == ["right"]
    assert outcome.err == "error: customer 'wrong': source_token: volunteer does not accept it (401); give another\n"
    assert stored("right") is not None
    assert stored("wrong") is None


def test_a_new_token_is_tried_before_it_replaces_the_old_one(fleet, added, actions):
    access = added("acme")

    refused = fleet("customers", "token", "acme", "source", stdin="made-up\n")
    taken = fleet("customers", "token", "acme", "source", "--json", stdin=access.volunteer_token)

    assert refused.code == 1
    assert taken.data == {"customer_id": "acme", "system": "source", "verified": True}
    assert actions("acme") == ["customer.token_given", "customer.added"]


@pytest.fixture
def marked(sandbox):
    """Contacts that carry a reference of these sources, one each."""

    def make(name, *sources):
        for number, source in enumerate(sources):
            person = {"firstName": "Ada", "lastName": f"Byron{number}"}
            own = {"contactType": "Household", "contactIndividuals": [person]}
            sandbox.create_contact(name, **own, references=[{"source": source, "id": f"r{number}"}])

    return make


def test_traces_of_the_vendors_own_integration_are_warned_of_and_refuse_nobody(
    fleet, adding, organization, marked, stored
):
    arguments, tokens = adding
    access = organization(users=1)
    marked(access.name, "VOMO", "vomo", "Syncfleet", "Mailer")

    outcome = fleet(*arguments("acme", access), stdin=tokens(access))

    (warning,) = outcome.data["warnings"]
    assert "customer 'acme': another integration seems to write into its crm_plus too" in warning
    assert "1 by 'VOMO', 1 by 'vomo')" in warning
    assert outcome.err == f"note: {warning}\n"
    assert stored("acme") is not None


def test_of_a_file_each_customer_is_warned_of_the_sources_that_it_names(fleet, organization, marked, tmp_path):
    rows = []
    for customer_id, settings in (("named", {"other_sources": ["Mailer"]}), ("default", {}), ("calm", {})):
        access = organization(users=1)
        if customer_id != "calm":
            marked(access.name, "VOMO", "Mailer")
        rows.append({
            "customer_id": customer_id, "name": "A", "tier": "basic",
            "source_token": access.volunteer_token, "destination_token": access.crm_token,
            "source_settings": {"base_url": access.volunteer_base_url},
            "destination_settings": {"base_url": access.crm_base_url, **settings},
        })  # fmt: skip
    (tmp_path / "customers.json").write_text(json.dumps(rows))

    told = fleet("customers", "add", "--file", tmp_path / "customers.json", "--json").data["warnings"]

    assert [line.split(":")[0] for line in told] == ["customer 'named'", "customer 'default'"]
    assert ["1 by 'Mailer')" in told[0], "1 by 'VOMO')" in told[1]] == [True, True]


def test_where_others_cannot_be_looked_for_that_is_told_and_the_customer_is_added(fleet, adding, organization, sandbox):
    arguments, tokens = adding
    access = organization(users=1)
    sandbox.add_faults(
        {
            "system": "crm",
            "organization": access.name,
            "kind": "error",
            "status": 503,
            "route": "/api/Contact/Query/FullContact",
        }
    )

    outcome = fleet(*arguments("acme", access), stdin=tokens(access))

    assert outcome.data["added"] == ["acme"]
    (warning,) = outcome.data["warnings"]
    assert "customer 'acme': whether another integration writes too is not known: " in warning
