"""`fleet dlq list`, `show`, `export` and `discard`, on a real database."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def event_state(engine):
    def read(letter):
        query = (
            "SELECT e.state FROM events e JOIN dead_letters USING (customer_id, event_id) WHERE dead_letter_id = :id"
        )
        with engine.connect() as connection:
            return connection.execute(text(query), {"id": letter}).scalar_one()

    return read


def test_letters_are_counted_by_what_they_have_in_common_without_redis(fleet, added, letter, now, monkeypatch):
    added("acme")
    added("other")
    letter("acme", now - timedelta(hours=2))
    letter("acme", now, source_id="2")
    letter("acme", now, source_id="3", reason="record_invalid")
    letter("other", now)
    monkeypatch.delenv("FLEET_BROKER_URL")

    outcome = fleet("dlq", "list", "--json")

    groups = [(row["customer_id"], row["reason"], row["count"]) for row in outcome.data["groups"]]
    assert groups == [("acme", "http_422", 2), ("acme", "record_invalid", 1), ("other", "http_422", 1)]
    assert outcome.data["groups"][0]["oldest"] < outcome.data["groups"][0]["newest"]
    assert "dead_letters" not in outcome.data, "one by one they are told of one customer, or on request"
    assert "4 in all" in fleet("dlq", "list").out


def test_letters_are_told_one_by_one_of_a_customer_or_on_request_and_never_what_may_be_personal(
    fleet, added, letter, now
):
    added("acme")
    number = letter("acme", now)
    letter("acme", now - timedelta(days=3), source_id="2")
    letter("acme", now, source_id="3", reason="record_invalid")

    found = fleet("dlq", "list", "acme", "--json", "--reason", "http_422", "--since", "24h", "--resource", "users")

    assert [row["dead_letter_id"] for row in found.data["dead_letters"]] == [number]
    assert len(fleet("dlq", "list", "--rows", "--limit", 2, "--json").data["dead_letters"]) == 2
    assert "Ada" not in found.out + fleet("dlq", "list", "acme").out


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--state", "shut", "error: --state: 'shut' is none of open, replayed, discarded, superseded, all"),
        ("--since", "noon", "error: --since: 'noon' is neither an age"),
    ],
)
def test_a_filter_that_is_none_is_one_line(fleet, added, option, value, line):
    outcome = fleet("dlq", "list", option, value)

    assert (outcome.code, outcome.err.startswith(line)) == (2, True)


def test_a_letter_is_shown_with_its_values_masked_and_what_was_said_without_names(fleet, added, letter, actions, now):
    added("acme")
    number = letter("acme", now)

    outcome = fleet("dlq", "show", "acme", number, "--json")

    assert outcome.data["payload"]["first_name"].startswith("text(3) #")
    assert outcome.data["dead_letter"]["said"] == "… was refused"
    assert "Ada" not in outcome.out + fleet("dlq", "show", "acme", number).out
    assert actions("acme") == ["customer.added"]


def test_values_are_shown_on_request_and_that_is_noted(fleet, added, letter, actions, now):
    added("acme")
    number = letter("acme", now)

    data = fleet("dlq", "show", "acme", number, "--values", "--json").data

    assert data["payload"] == {"first_name": "Ada"}
    assert data["dead_letter"]["detail"] == "Ada was refused"
    assert "Ada" in fleet("dlq", "show", "acme", number, "--values").out
    assert actions("acme")[0] == "dead_letter.shown"


def test_letters_are_exported_as_lines_without_personal_data(fleet, added, letter, now, tmp_path):
    added("acme")
    letter("acme", now)
    letter("acme", now, source_id="2")
    file = tmp_path / "letters.jsonl"

    outcome = fleet("dlq", "export", "acme", "--to", file, "--json")

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert outcome.data == {"exported": 2, "file": str(file), "personal": False}
    assert [(line["source_id"], line["fields"], line["said"]) for line in lines] == [
        ("1", ["first_name"], "… was refused"), ("2", ["first_name"], "… was refused"),
    ]  # fmt: skip
    assert "Ada" not in file.read_text() + fleet("dlq", "export").out


def test_personal_data_is_exported_on_request_with_a_warning_into_a_file_of_ones_own(
    fleet, added, letter, actions, now, tmp_path
):
    added("acme")
    letter("acme", now)
    file = tmp_path / "letters.jsonl"

    outcome = fleet("dlq", "export", "acme", "--to", file, "--with-personal-data")

    assert json.loads(file.read_text())["payload"] == {"first_name": "Ada"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "personal data" in outcome.err
    assert actions("acme")[0] == "dead_letter.exported"


def test_a_file_that_is_there_is_not_written_over(fleet, added, letter, now, tmp_path):
    added("acme")
    letter("acme", now)
    file = tmp_path / "letters.jsonl"
    file.write_text("mine")

    outcome = fleet("dlq", "export", "--to", file)

    assert (outcome.code, file.read_text()) == (1, "mine")
    assert outcome.err == f"error: --to: {file}: File exists: give a file that is not there yet\n"


def test_a_letter_is_discarded_once_and_with_a_reason(fleet, added, letter, event_state, actions, now):
    added("acme")
    number = letter("acme", now)

    first = fleet("dlq", "discard", "acme", number, "--why", "left the charity")
    second = fleet("dlq", "discard", "acme", number, "--why", "again")

    assert (first.code, event_state(number)) == (0, "discarded")
    assert second.err == f"error: customer 'acme': dead letter {number} was discarded already\n"
    assert actions("acme")[0] == "dead_letter.discarded"


def test_what_a_filter_finds_is_discarded_only_by_word(fleet, added, letter, event_state, now):
    added("acme")
    kept = letter("acme", now, reason="record_invalid")
    number = letter("acme", now, source_id="2")
    command = ["dlq", "discard", "acme", "--reason", "http_422", "--why", "x"]

    assert fleet(*command, "--dry-run", "--json").data == {"discarded": [number], "dry_run": True}
    assert fleet(*command).err == "error: nobody can be asked here: add --yes, or look first with --dry-run\n"
    assert fleet(*command, typed="no\n").code == 1
    assert event_state(number) == "dead_lettered"

    asked = fleet(*command, typed="yes\n")

    assert (asked.code, event_state(number), event_state(kept)) == (0, "discarded", "dead_lettered")
    assert "1 dead letters (1 users http_422) would be discarded" in asked.err


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_which_letters_is_said_in_one_way(fleet, added, command):
    added("acme")
    why = ["--why", "x"] if command == "discard" else []
    line = "error: give LETTERs, or --all, or a filter: --reason, --resource, --since\n"

    assert fleet("dlq", command, "acme", *why).err == line
    assert fleet("dlq", command, "acme", "1", "--all", *why).err == line


@pytest.mark.parametrize("command", [["show"], ["replay"], ["discard", "--why", "x"]])
@pytest.mark.parametrize("number", ["0", "9" * 20])
def test_a_number_that_no_letter_can_have_is_refused_in_a_line(fleet, added, command, number):
    added("acme")
    outcome = fleet("dlq", command[0], "acme", number, *command[1:])

    assert outcome.code == 2
    assert "Input should be" in outcome.err


def test_if_one_letter_is_not_there_nothing_is_done(fleet, added, letter, event_state, now):
    added("acme")
    added("other")
    number, others = letter("acme", now), letter("other", now)

    outcome = fleet("dlq", "discard", "acme", number, others, "--why", "x")

    assert outcome.err == f"error: customer 'acme': there is no dead letter {others}; see `fleet dlq list acme`\n"
    assert event_state(number) == "dead_lettered"


def test_that_there_are_more_letters_than_a_command_takes_is_told(fleet, added, letter, now, monkeypatch):
    added("acme")
    first, second, _ = (letter("acme", now, source_id=source_id) for source_id in "123")
    monkeypatch.setattr("common.cli.letter_choice.ALL_LETTERS", 2)

    exported = fleet("dlq", "export")
    tried = fleet("dlq", "discard", "acme", "--all", "--why", "x", "--dry-run", "--json")

    assert len(exported.out.splitlines()) == 2
    assert "more than 2" in exported.err
    assert tried.data["discarded"] == [first, second]
    assert "more than 2" in tried.err
