"""The query filters of the Volunteer API: inclusive dates and case-insensitive substrings, all combined with AND."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import nan
from typing import Any

from deploy.sandbox.exchange import Refusal
from deploy.sandbox.volunteer.directory import User

Test = Callable[[Any], bool]


def user_tests(query: Mapping[str, str]) -> list[Test]:
    """One test per filter in the query."""
    tests: list[Test] = []
    if needle := query.get("name_like", "").lower():
        tests.append(lambda user: any(needle in _lower(user, name) for name in ("first_name", "last_name")))
    if part := query.get("email_like", "").lower():
        tests.append(lambda user: part in _lower(user, "email"))
    tests += span_tests(query, "created", lambda user: user.created)
    tests += span_tests(query, "updated", lambda user: user.updated)
    return tests


def span_tests(query: Mapping[str, str], prefix: str, read: Callable[[Any], Any]) -> list[Test]:
    """Tests for `<prefix>_after` and `<prefix>_before`, both inclusive."""
    tests = after_tests(query, prefix, read)
    if text := query.get(f"{prefix}_before"):
        ceiling = _instant(f"{prefix}_before", text)
        tests.append(lambda item: second(read(item)) <= ceiling)
    return tests


def after_tests(query: Mapping[str, str], prefix: str, read: Callable[[Any], Any]) -> list[Test]:
    """The test for `<prefix>_after` alone, where the service knows no other."""
    if not (text := query.get(f"{prefix}_after")):
        return []
    floor = _instant(f"{prefix}_after", text)
    return [lambda item: second(read(item)) >= floor]


def second(value: object) -> float:
    """Unix seconds; what is no time, for a test put it there, is neither before nor after anything."""
    return float(value) if isinstance(value, int | float) else nan


def _instant(name: str, text: str) -> float:
    """Unix seconds of an ISO 8601 time; a time without zone is taken as UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        detail = {"field": name, "code": "INVALID", "message": f"The {name} is not a valid date."}
        raise Refusal(422, "VALIDATION_FAILED", "The given data was invalid.", [detail]) from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _lower(user: User, name: str) -> str:
    return str(user.values.get(name) or "").lower()
