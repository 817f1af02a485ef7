"""Hashes that tell a change from a repetition, and values that a database can hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.builders import a_person, a_record

from common.domain.people import Person
from common.domain.records import content_hash, storable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet=st.characters()), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=5)


@given(BODIES)
def test_key_order_does_not_matter(body):
    assert content_hash(body) == content_hash(dict(reversed(body.items())))


@given(BODIES, BODIES)
def test_different_bodies_have_different_hashes(one, other):
    assume(one != other)

    assert content_hash(one) != content_hash(other)


def test_the_hash_of_a_body_is_the_same_in_every_release():
    assert content_hash({"b": "ü", "a": 1}) == "70e5e4fe06719d026d21c73a0c5e0bc1"


def test_every_field_of_a_person_counts():
    plain = a_person()
    hashes = {content_hash(a_person(**{name: "x"}).to_body()) for name in plain.to_body()}

    assert len(hashes | {content_hash(plain.to_body())}) == len(plain.to_body()) + 1


def test_what_is_raw_and_when_it_was_updated_do_not_count():
    later = a_record("1", at=a_record().updated_at.replace(year=2030), email="")

    assert later.content_hash == a_record("2", email="").content_hash


@given(JSON)
def test_whatever_json_holds_can_be_stored(value):
    stored = storable(value)
    text = json.dumps(stored, allow_nan=False, ensure_ascii=False)

    assert "\\u0000" not in text
    assert text.encode("utf-8")
    assert storable(stored) == stored


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("plain", "plain"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        ([1, {"k\x00": float("inf")}], [1, {"k\ufffd": "inf"}]),
    ],
)
def test_only_what_cannot_be_held_is_changed(value, stored):
    assert storable(value) == stored


@given(st.builds(a_person, first_name=st.text(), phone=st.text(), membership_role=st.text()))
def test_a_person_survives_its_body(person):
    assert Person.from_body(person.to_body()) == person


def test_a_body_of_another_release_is_read_as_far_as_it_is_known():
    body = {"first_name": "A", "last_name": "B", "shoe_size": 44}

    assert Person.from_body(body).last_name == "B"
