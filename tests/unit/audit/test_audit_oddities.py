"""What people may store at the source must not stop the auditor."""

from __future__ import annotations

import pytest

from deploy.audit.facts import day, instant
from deploy.audit.mapping import FIELDS, expected_of


@pytest.mark.parametrize("birthday", [None, "", "soon", "31/12/1990", 7, "1990-13", ["1990"]])
def test_a_birthday_that_is_no_date_is_expected_blank(birthday):
    expected = expected_of({"first_name": "A", "last_name": "B", "birthday": birthday})

    assert {expected[name] for name in ("birth_year", "birth_month", "birth_day")} == {""}
    assert set(expected) == set(FIELDS)


def test_a_birthday_with_a_time_behind_it_is_a_date():
    assert expected_of({"birthday": "1990-04-01T00:00:00Z"})["birth_month"] == "4"


@pytest.mark.parametrize("value", ["never", None, "2027-01-01T00:00:00+00:00", "9" * 30])
def test_a_time_that_is_none_is_told_as_it_is_and_stops_no_audit(value):
    assert instant(value) == day(value) == f"unreadable: {value}"
    assert (instant(1_795_258_089), day("1795258089")) == ("2026-11-21T10:48:09+00:00", "2026-11-21")
