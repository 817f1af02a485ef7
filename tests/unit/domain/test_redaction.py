"""What another system said is shown without anything personal and without a token."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.redaction import GONE, PLAIN_WORDS, excerpt

RECORD = {
    "first_name": "Ada", "last_name": "Field", "email": "ada@charity.org", "phone": "+1 555 0100",
    "address": {"street": "12 Long Lane", "city": "Springfield"}, "custom_fields": {"shirt": "XL"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("The email address is already in use", f"The email address is already in {GONE}"),
        ('{"email": ["\'ada@charity.org\' is not valid"]}', f'{{"email": ["\'{GONE}\' is not valid"]}}'),
        ("contactMethods[0].value is required", f"contactMethods[{GONE}].value is required"),
        ("Ada was refused", f"{GONE} was refused"),
        ("duplicate of Bob Smith, born 1980-02-01", f"duplicate of {GONE}, {GONE}"),
        ("Authorization: Bearer abc.def-123 is expired", f"{GONE} is expired"),
        ("Ångström 李 is unknown", f"{GONE} is unknown"),
        ("", ""),
    ],
)  # fmt: skip
def test_words_of_refusals_stay_and_all_others_go(said, told):
    assert excerpt(said, RECORD) == told


def test_a_word_of_the_record_goes_even_if_refusals_use_it():
    assert excerpt("the last name Field is invalid", RECORD) == f"the last name {GONE} is invalid"
    assert excerpt("the last name Field is invalid", {}) == "the last name Field is invalid"


def test_a_long_answer_is_cut():
    assert len(excerpt("the value is invalid " * 100, {}, longest=80)) == 80


@given(st.text(max_size=60), st.text(max_size=200))
def test_nothing_that_was_said_comes_through_but_plain_words_and_punctuation(name, said):
    record = {"last_name": name}
    told = excerpt(json.dumps({"message": f"{said} {name}"}, ensure_ascii=False), record, longest=10_000)
    words = "".join(c if c.isalpha() else " " for c in told).split()
    assert not any(c.isdigit() for c in told)
    for word in words:
        assert all(part in PLAIN_WORDS for part in _parts(word)), word


def _parts(word):
    found, part = [], ""
    for c in word:
        if c.isupper() and part and not part[-1].isupper():
            found.append(part)
            part = ""
        part += c
    return [p.lower() for p in [*found, part]] if not word.isupper() else [word.lower()]


def test_no_word_that_may_stay_is_a_common_name():
    names = {
        "mark", "grant", "bill", "rich", "will", "may", "june", "april", "august", "rose", "grace", "hope", "faith",
        "frank", "jack", "bob", "sue", "pat", "art", "gene", "chase", "drew", "miles", "page", "case", "long", "short",
        "young", "king", "bishop", "church", "street", "hall", "hill", "park", "lane", "rivers", "stone", "wood",
        "post", "main", "north", "south", "east", "west", "march", "sky", "joy", "ray", "dean", "earl", "duke", "dawn",
        "eve", "ivy", "jean", "john", "mary", "james", "robert", "link", "max",
    }  # fmt: skip
    assert PLAIN_WORDS & names == set()
