"""Partitions are a contract with every other machine and release: their values never change."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from support.builders import an_entity

from common.domain.entities import partition_of


def test_the_partition_of_an_entity_is_the_same_for_ever():
    found = [partition_of(an_entity(str(number)), 4) for number in range(4101, 4113)]

    assert found == [3, 3, 0, 1, 3, 0, 2, 3, 2, 1, 2, 0]


@given(st.text(min_size=1), st.integers(1, 64))
def test_a_partition_lies_in_its_range_and_does_not_hang_on_the_customer(source_id, partitions):
    ours = partition_of(an_entity(source_id, customer_id="a"), partitions)

    assert 0 <= ours < partitions
    assert ours == partition_of(an_entity(source_id, customer_id="b"), partitions)


def test_ids_in_a_row_are_spread_evenly():
    counts = Counter(partition_of(an_entity(str(number)), 8) for number in range(8000))

    assert set(counts) == set(range(8))
    assert all(850 < count < 1150 for count in counts.values())


def test_resource_and_id_are_not_confused():
    pairs = [("users", "1"), ("users1", ""), ("user", "s1"), ("", "users1")]
    keys = {partition_of(an_entity(i, resource=r), 1_000_003) for r, i in pairs}

    assert len(keys) == 4


def test_an_entity_is_told_by_customer_resource_and_id():
    assert str(an_entity("7")) == "acme/users/7"
