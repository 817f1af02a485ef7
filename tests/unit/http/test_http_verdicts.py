"""From an answer or a failed exchange to an error: the whole table."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW, after

from common.domain.errors import (
    PermissionMissing,
    RateLimited,
    RecordRefused,
    SyncError,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.http.answers import Answer
from common.http.verdicts import error_of, error_of_failure

WHERE = "customer acme: volunteer: GET /users"


def answer(status, body=b"", **headers):
    return Answer(status=status, headers={name.replace("_", "-"): v for name, v in headers.items()}, body=body)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, type(None)), (201, type(None)), (204, type(None)), (299, type(None)),
        (301, SystemUnavailable), (302, SystemUnavailable), (304, SystemUnavailable),
        (400, RecordRefused), (401, TokenRejected), (403, PermissionMissing), (404, RecordRefused),
        (405, RecordRefused), (408, SystemUnavailable), (409, RecordRefused), (413, RecordRefused),
        (418, RecordRefused), (422, RecordRefused), (429, RateLimited),
        (500, SystemUnavailable), (502, SystemUnavailable), (503, SystemUnavailable), (504, SystemUnavailable),
        (599, SystemUnavailable),
    ],
)  # fmt: skip
def test_a_status_means_one_error(status, error):
    assert type(error_of(answer(status), WHERE, NOW)) is error


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503])
def test_an_error_repeats_nothing_of_what_was_said(status):
    found = error_of(answer(status, b'{"message": "Fenmar Quonox lives there already"}'), WHERE, NOW)

    assert "Quonox" not in str(found)


@given(st.integers(300, 999), st.binary(max_size=200), st.text(max_size=30))
def test_any_answer_but_a_success_is_an_error_of_ours_that_tells_nothing_of_the_body(status, body, header):
    found = error_of(answer(status, body, retry_after=header), WHERE, NOW)

    assert isinstance(found, SyncError)
    assert str(found).startswith(f"{WHERE}: {status}")
    assert len(str(found)) < 200


@pytest.mark.parametrize(
    ("header", "until"),
    [
        ("17", after(17)), (" 17 ", after(17)), ("0", after(1)),
        ("Thu, 01 Jan 2026 12:00:30 GMT", after(30)),
        ("", after(60)), ("soon", after(60)), ("-5", after(60)), ("1.5", after(60)), ("²", after(60)),
        ("99999999999999", after(86_400)),
        ("Thu, 99 Jan 2026 12:00:30 GMT", after(60)),
    ],
)  # fmt: skip
def test_a_rate_limit_holds_until_retry_after_or_a_minute_where_it_is_silent(header, until):
    assert error_of(answer(429, retry_after=header), WHERE, NOW).until == until


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"error": {"details": [{"field": "contacts[1].lastName"}]}}', "contacts[1].lastName"),
        (b'{"errors": {"email": ["taken"]}}', "email"),
        (b'{"modelState": {"contact.email": ["taken"]}}', "contact.email"),
        (b'{"error": "bad_request", "errors": {"email": ["x"]}}', "email"),
        (b'{"error": {"details": []}}', ""),
        (b'{"errors": ["x"]}', ""),
        (b"[]", ""), (b"<html>", ""), (b"", ""), (b"7", ""),
    ],
)  # fmt: skip
def test_a_refusal_names_its_field_in_every_shape_of_error(body, field):
    refusal = error_of(answer(422, body), WHERE, NOW)

    assert (refusal.field, refusal.reason, refusal.status) == (field, "http_422", 422)


def test_what_was_said_is_kept_apart_from_the_message_and_can_be_stored():
    refusal = error_of(answer(400, b"ada@example.org \x00\xff"), WHERE, NOW)

    assert "ada@example.org" in refusal.detail
    assert "\x00" not in refusal.detail
    assert "ada@example.org" not in str(refusal)


@pytest.mark.parametrize(
    ("header", "until"),
    [("17", after(17)), ("Thu, 01 Jan 2026 12:00:30 GMT", after(30)), ("99999999", after(86_400)), ("", None)],
)
def test_a_server_error_may_say_when_to_come_back(header, until):
    assert error_of(answer(503, retry_after=header), WHERE, NOW).retry_at == until


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "is_told"), [("86400", False), ("86401", True), ("Fri, 01 Jan 2100 00:00:00 GMT", True)]
)
def test_a_retry_after_that_is_not_believed_is_said_so(status, header, is_told):
    assert (
        "Retry-After says more than a day" in str(error_of(answer(status, retry_after=header), WHERE, NOW))
    ) == is_told


def test_a_server_error_may_have_been_applied():
    assert error_of(answer(503), WHERE, NOW).sent


@pytest.mark.parametrize(
    ("failure", "error", "sent"),
    [
        (httpx.ConnectError("x"), SystemUnavailable, False),
        (httpx.ConnectTimeout("x"), SystemUnavailable, False),
        (httpx.PoolTimeout("x"), SystemUnavailable, False),
        (httpx.UnsupportedProtocol("x"), SystemUnavailable, False),
        (httpx.ReadTimeout("x"), UnknownOutcome, None),
        (httpx.WriteTimeout("x"), UnknownOutcome, None),
        (httpx.ReadError("x"), UnknownOutcome, None),
        (httpx.RemoteProtocolError("x"), UnknownOutcome, None),
        (httpx.DecodingError("x"), UnknownOutcome, None),
    ],
)
def test_a_failed_exchange_is_unsent_only_if_no_byte_can_have_arrived(failure, error, sent):
    found = error_of_failure(failure, WHERE)

    assert type(found) is error
    assert getattr(found, "sent", None) is sent


def test_a_failures_own_text_is_not_repeated():
    failure = httpx.ReadError("https://api/users?email=ada@example.org")

    assert str(error_of_failure(failure, WHERE)) == f"{WHERE}: ReadError"


@pytest.mark.parametrize("reset", ["1767268800", "1767268800000", "99999999999999999", "²", "soon", ""])
def test_hints_of_any_spelling_are_read_or_left(reset):
    headers = {"x-ratelimit-limit": "1500", "x-ratelimit-remaining": "7", "x-ratelimit-reset": reset}

    hints = Answer(status=200, headers=headers, body=b"").rate_hints()

    assert (hints.limit, hints.remaining) == (1500, 7)
    assert hints.resets_at is None or hints.resets_at == after(0)


@given(st.binary(max_size=100))
def test_a_body_of_any_bytes_is_json_or_nothing(body):
    read = answer(200, body)

    assert read.json() is None or body


def test_a_body_nested_beyond_reason_is_not_json():
    assert answer(200, b"[" * 100_000).json() is None
