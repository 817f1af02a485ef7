"""Values that are not shown: equal ones look equal within an output, and nothing tells what they were."""

from __future__ import annotations

import pytest

from common.domain.masking import Mask

MASK = Mask(key=b"one")


def test_equal_values_look_equal_and_others_do_not():
    assert MASK.of("Ada") == MASK.of("Ada")
    assert MASK.of("Ada") != MASK.of("Bob")


def test_another_output_has_other_marks():
    assert MASK.of("Ada") != Mask(key=b"two").of("Ada")


@pytest.mark.parametrize(
    ("value", "begins"),
    [("Ada", "text(3) #"), (5, "number #"), (True, "yes/no #"), (["Ada"], "list(1) #"), ({"a": "Ada"}, "fields(1) #")],
)
def test_kind_and_length_are_told_and_no_value(value, begins):
    assert MASK.of(value).startswith(begins)
    assert "Ada" not in MASK.of(value)


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_empty_is_said_to_be(value):
    assert MASK.of(value) == "empty"


def test_on_request_the_values_are_shown():
    assert Mask(key=b"one", shows=True).fields({"name": "Ada", "age": 5}) == {"name": "Ada", "age": "5"}
