"""The net under every log line: no token, no personal data, whatever it was wrapped in."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from common.logs.setup import FORBIDDEN_KEYS, bound, configure_logs, redact


def cleaned(**line):
    return redact(None, "info", line)


@pytest.mark.parametrize("key", sorted(FORBIDDEN_KEYS))
def test_a_forbidden_key_never_shows_its_value(key):
    assert cleaned(**{key: "s3cret", key.title(): "s3cret"}) == {key: "[removed]", key.title(): "[removed]"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("to ada@example.org now", "to [e-mail] now"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [removed]"),
        ("bearer abc", "Bearer [removed]"),
        ("redis://:hunter2@host:6379/0", "redis://:[removed]@host:6379/0"),
        ("postgresql+psycopg://fleet:hunter2@db/x", "postgresql+psycopg://fleet:[removed]@db/x"),
        ("customer acme: volunteer: GET /users: 503", "customer acme: volunteer: GET /users: 503"),
        (7, 7), (0.5, 0.5), (True, True), (None, None),
    ],
)  # fmt: skip
def test_a_value_is_cleaned_and_otherwise_left_as_it_is(value, shown):
    assert cleaned(event=value) == {"event": shown}


@pytest.mark.parametrize(
    "value",
    [
        {"person": {"email": "ada@example.org"}},
        ["ada@example.org"], ("ada@example.org",), {"ada@example.org"},
        ValueError("ada@example.org"),
        httpx.URL("https://api/users?email=ada@example.org"),
        b"ada@example.org",
        [{"deep": [{"authorization": "Bearer ada@example.org"}]}],
    ],
)  # fmt: skip
def test_nothing_hides_inside_another_value(value):
    assert "ada@" not in json.dumps(cleaned(error=value), default=str)


@pytest.mark.parametrize("value", [{"person": {"first_name": "Ada"}}, [{"deep": [{"token": "Ada"}]}]])
def test_a_forbidden_key_shows_its_value_nowhere_inside_another_value_either(value):
    assert "Ada" not in json.dumps(cleaned(error=value))


@given(st.emails(domains=st.sampled_from(["example.org", "mail.example.com"])), st.text(max_size=10))
def test_no_e_mail_address_comes_through(address, around):
    local = address.split("@")[0]
    if any(character in "'=" for character in local):
        return

    assert address not in cleaned(event=f"{around} {address} {around}")["event"]


@pytest.fixture
def line_of(capsys):
    """Logs through the whole setup, and gives the one line that was written."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def run(say, **options):
        configure_logs(**{"log_format": "json", "level": "INFO", **options})
        say()
        return capsys.readouterr().err

    yield run
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_json_with_the_ids_that_were_bound(line_of):
    def say():
        with bound(customer_id="acme", task_id="t1"):
            structlog.get_logger("here").info("page saved", action="run.page", read=3)

    line = json.loads(line_of(say))

    assert (line["event"], line["action"], line["read"]) == ("page saved", "run.page", 3)
    assert (line["customer_id"], line["task_id"], line["level"]) == ("acme", "t1", "info")


def test_a_traceback_is_cleaned_too(line_of):
    def say():
        try:
            raise ValueError("ada@example.org with Bearer abc")
        except ValueError:
            structlog.get_logger().exception("failed")

    text = line_of(say)

    assert "ValueError" in text
    assert "ada@example.org" not in text
    assert "Bearer abc" not in text


def test_lines_of_other_libraries_are_cleaned_too(line_of):
    text = line_of(lambda: logging.getLogger("some.package").warning("sent %s to %s", "it", "ada@example.org"))

    assert json.loads(text)["event"] == "sent it to [e-mail]"


def test_chatty_libraries_are_heard_from_warning_up(line_of):
    assert line_of(lambda: logging.getLogger("httpx").info("GET https://api/users?email=x")) == ""


def test_text_is_for_people_and_cleaned_as_well(line_of):
    text = line_of(lambda: structlog.get_logger().info("hello", token="s3cret"), log_format="text")

    assert "hello" in text
    assert "s3cret" not in text
