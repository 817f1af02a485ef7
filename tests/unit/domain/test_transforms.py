"""The transforms: what each makes of a text, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.transforms import TRANSFORMS, in_turn, replaced_by


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("trim", "  a b ", "a b"),
        ("upper", "ß-a", "SS-A"),
        ("lower", "A", "a"),
        ("title", "ana maria", "Ana Maria"),
        ("digits", "(555) 010-2000", "5550102000"),
        ("phone_e164_us", "(555) 010-2000", "+15550102000"),
        ("phone_e164_us", "1 555 010 2000", "+15550102000"),
        ("phone_e164_us", "+44 20 7946 0000", "+442079460000"),
        ("phone_e164_us", "+44 (0)20 7946 0000", "+442079460000"),
        ("date_iso", "2025-11-05T10:00:00+00:00", "2025-11-05"),
        ("date_iso", "11/5/2025", "2025-11-05"),
        ("yes_no", "Yes", "true"),
        ("yes_no", "0", "false"),
        ("first_word", " Ana Maria ", "Ana"),
        ("last_word", " Ana Maria ", "Maria"),
    ],
)
def test_each_does_what_its_name_says(name, text, expected):
    assert TRANSFORMS[name](text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("digits", "none"),
        ("phone_e164_us", "010-2000"),
        ("phone_e164_us", "2 555 010 2000"),
        ("date_iso", "5.11.2025"),
        ("date_iso", "13/13/2025"),
        ("date_iso", "2025-11-05 or later"),
        ("date_iso", "2025-11-055"),
        ("phone_e164_us", "+1 555 010 2000 ext 5"),
        ("phone_e164_us", "+12"),
        ("yes_no", "maybe"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_it_takes(name, text):
    with pytest.raises(ValueError, match="takes "):
        TRANSFORMS[name](text)


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name not in ("title", "first_word", "last_word")])
@given(text=st.text(min_size=1))
def test_applied_twice_it_gives_what_it_gave(name, text):
    try:
        once = TRANSFORMS[name](text)
    except ValueError:
        return
    if once:
        assert TRANSFORMS[name](once) == once


def test_a_table_knows_its_values_whatever_their_case_and_passes_no_other_on():
    replaced = replaced_by({"s": "Small", "M": "Medium"})

    assert [replaced("S"), replaced(" m ")] == ["Small", "Medium"]
    with pytest.raises(ValueError, match="takes one of M, s"):
        replaced("XL")


def test_they_run_in_turn_until_nothing_is_left():
    assert in_turn((str.strip, str.upper))(" a ") == "A"
    assert in_turn((str.strip, TRANSFORMS["yes_no"]))("  ") == ""
