"""Dead letters, found, counted and closed: the same over PostgreSQL and over the twin."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_broken_record, after

from common.domain.letters import LetterFilter, LetterState

ALL = LetterFilter(state=None)


def numbers(found):
    return [letter.dead_letter_id for letter in found]


def test_letters_are_found_by_customer_reason_resource_time_state_and_number_the_oldest_first(desk):
    desk.refuse("1", "2")
    desk.refuse("3", reason="http_409", now=after(60))
    desk.refuse("4", customer_id="globex")
    first, second, third, other = numbers(desk.letters.find(ALL, limit=10))

    def found(**which):
        return numbers(desk.letters.find(LetterFilter(**which), limit=10))

    assert len({first, second, third, other}) == 4
    assert found(customer_id="acme") == [first, second, third]
    assert found(reason="http_409") == [third]
    assert found(customer_id="acme", since=after(30)) == [third]
    assert found(resource="projects") == []
    assert found(customer_id="acme", numbers=(first, other)) == [first]
    assert found(state=LetterState.DISCARDED) == []
    assert numbers(desk.letters.find(LetterFilter(customer_id="acme"), limit=2)) == [first, second]


def test_letters_are_grouped_by_customer_reason_resource_and_field_with_counts_and_times(desk):
    desk.refuse("1", "2")
    desk.refuse("3", now=after(60))
    desk.refuse("4", reason="http_409", field="phone", now=after(90))
    desk.refuse("5", customer_id="globex")

    groups = desk.letters.groups(LetterFilter())

    assert [(g.customer_id, g.reason, g.resource, g.field, g.count) for g in groups] == [
        ("acme", "http_422", "users", "email", 3),
        ("acme", "http_409", "users", "phone", 1),
        ("globex", "http_422", "users", "email", 1),
    ]
    assert (groups[0].oldest, groups[0].newest) == (NOW, after(60))


def test_a_letter_is_shown_with_its_payload_and_only_to_its_customer(desk):
    desk.refuse("1", first_name="Ada")
    (number,) = numbers(desk.letters.find(ALL, limit=10))

    letter, payload = desk.letters.show("acme", number)

    assert (letter.status, letter.field, letter.attempts, letter.detail) == (422, "email", 1, "Fenmar was refused")
    assert payload["first_name"] == "Ada"
    assert desk.letters.show("globex", number) is None


def test_what_was_unreadable_is_shown_as_it_came(desk):
    desk.broken("b1")
    (number,) = numbers(desk.letters.find(ALL, limit=10))

    assert desk.letters.show("acme", number)[1] == {"id": "b1", "reading": 1}


@pytest.mark.parametrize("raw", ["Ada Field", ["Ada"], 7])
def test_what_was_not_even_an_object_is_shown_as_the_value_of_one(desk, raw):
    """Names of fields are shown unmasked, and these have none."""
    desk.storage.detect(broken=(a_broken_record("b1", raw=raw),), run_id="broken")
    (number,) = numbers(desk.letters.find(ALL, limit=10))

    assert desk.letters.show("acme", number)[1] == {"item": raw}


def test_a_discard_ends_the_event_and_leaves_a_line_in_the_history_for_each(desk):
    desk.refuse("1", "2", "3")
    first, second, third = numbers(desk.letters.find(ALL, limit=10))

    done = desk.letters.discard("acme", [first, second], why="left the charity", actor="ada", now=after(5))

    assert done == [first, second]
    assert desk.event_states() == ["discarded", "discarded", "dead_lettered"]
    assert [line for line in desk.storage.history() if line[1] == "dead_letter.discarded"] == [
        ("acme", "dead_letter.discarded", f"{first} left the charity"),
        ("acme", "dead_letter.discarded", f"{second} left the charity"),
    ]
    assert numbers(desk.letters.find(LetterFilter(), limit=10)) == [third]


def test_a_letter_is_discarded_once_and_only_by_its_customer(desk):
    desk.refuse("1")
    (number,) = numbers(desk.letters.find(ALL, limit=10))

    assert desk.letters.discard("globex", [number], why="x", actor="ada", now=NOW) == []
    assert desk.letters.discard("acme", [number], why="x", actor="ada", now=NOW) == [number]
    assert desk.letters.discard("acme", [number], why="y", actor="ada", now=NOW) == []
