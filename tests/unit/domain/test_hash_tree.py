"""The hash tree: equal sets have equal roots in any order, and what differs is named exactly."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from common.domain.hash_tree import HashTree, Kind, Leaf, bucket_of, diff, differences

LEAVES = st.builds(Leaf, st.integers(min_value=0, max_value=2**63), st.text(max_size=40))
SIDES = st.dictionaries(st.text(min_size=1, max_size=12), LEAVES, max_size=40)


def tree(side, bits=6):
    built = HashTree(bits)
    for source_id, leaf in side.items():
        built.add(source_id, leaf)
    return built


def named(left, right, bits=6):
    buckets = diff(tree(left, bits), tree(right, bits))
    mine, theirs = (
        {key: leaf for key, leaf in side.items() if bucket_of(key, bits) in buckets} for side in (left, right)
    )
    return {each.source_id: each.kind for each in differences(mine, theirs)}


@given(SIDES, st.randoms())
def test_equal_sets_have_equal_roots_in_any_order(side, chance):
    shuffled = list(side.items())
    chance.shuffle(shuffled)
    assert tree(side).root == tree(dict(shuffled)).root
    assert diff(tree(side), tree(dict(shuffled))) == frozenset()


@given(SIDES, SIDES)
def test_exactly_what_differs_is_named_and_how(left, right):
    expected = {}
    for key in left.keys() | right.keys():
        if key not in right:
            expected[key] = Kind.MISSING
        elif key not in left:
            expected[key] = Kind.ADDED
        elif left[key] != right[key]:
            expected[key] = Kind.CHANGED
    assert named(left, right) == expected


@given(SIDES, SIDES)
def test_only_buckets_of_what_differs_are_descended_into(left, right):
    assert diff(tree(left), tree(right)) == {bucket_of(key, 6) for key in named(left, right)}


def test_one_tampered_record_of_100_000_is_the_one_that_is_named():
    left = {str(number): Leaf(1, f"hash-{number}") for number in range(100_000)}
    victim = str(random.Random(5).randrange(100_000))
    right = {**left, victim: Leaf(1, "tampered")}

    assert named(left, right, 12) == {victim: Kind.CHANGED}
    assert len(diff(tree(left, 12), tree(right, 12))) == 1


def test_the_same_record_twice_is_not_the_same_as_none():
    """An exclusive or would take two for nothing."""
    double = HashTree()
    for _ in range(2):
        double.add("1", Leaf(1, "h"))
    assert double.root != HashTree().root
    assert double.count == 2


def test_records_that_were_tampered_with_alike_do_not_cancel_each_other_out():
    """Two rows that show one record: what the one adds the other must not take away, whatever the first held."""
    for times in (2, 4):
        left, right = HashTree(0), HashTree(0)
        for _ in range(times):
            left.add("1", Leaf(1, "h"))
            right.add("1", Leaf(1, "tampered"))
        assert diff(left, right) == {0}


def test_fields_cannot_be_shifted_from_one_into_the_next():
    assert tree({"1": Leaf(23, "h")}, 0).root != tree({"12": Leaf(3, "h")}, 0).root


def test_values_that_change_places_are_seen():
    left = {"1": Leaf(1, "a"), "2": Leaf(1, "b")}
    assert named(left, {"1": Leaf(1, "b"), "2": Leaf(1, "a")}, 0) == {"1": Kind.CHANGED, "2": Kind.CHANGED}
