"""What both workers and the command line may rely on, whichever store of customers they are given."""

from __future__ import annotations

import pytest
from support.builders import a_customer, after

from common.domain.customers import CustomerStatus
from common.domain.errors import CustomerInvalid


def test_a_customer_comes_back_as_it_was_added(customers):
    given = a_customer(source_settings={"base_url": "https://s"}, poll_interval_seconds=7, time_zone="Europe/Vienna")
    customers.add(given)

    assert customers.get("acme") == given


def test_an_unknown_customer_is_an_error_that_names_it(customers):
    with pytest.raises(CustomerInvalid, match="nobody"):
        customers.get("nobody")


def test_an_id_is_taken_once(customers):
    customers.add(a_customer())

    with pytest.raises(CustomerInvalid, match="taken"):
        customers.add(a_customer(name="Another"))

    assert customers.get("acme").name == "Acme"


def test_customers_are_listed_by_id(customers):
    for customer_id in ("b", "a", "c"):
        customers.add(a_customer(customer_id))

    assert [customer.customer_id for customer in customers.all()] == ["a", "b", "c"]


def test_a_paused_customer_says_why_and_resumes(customers):
    customers.add(a_customer())
    customers.park("acme", after(5), "limited")
    customers.pause("acme", "token rejected")

    paused = customers.get("acme")
    customers.resume("acme")

    assert (paused.status, paused.status_reason) == (CustomerStatus.PAUSED, "token rejected")
    assert customers.get("acme") == a_customer()


def test_the_later_of_two_parkings_wins_with_its_reason(customers):
    customers.add(a_customer())
    customers.park("acme", after(60), "an hour's budget")
    customers.park("acme", after(5), "a moment")

    parked = customers.get("acme")
    assert (parked.parked_until, parked.parked_reason) == (after(60), "an hour's budget")

    customers.park("acme", after(90), "longer")
    assert (customers.get("acme").parked_until, customers.get("acme").parked_reason) == (after(90), "longer")


def test_pausing_one_customer_leaves_the_others_alone(customers):
    customers.add(a_customer("a"))
    customers.add(a_customer("b"))

    customers.pause("a", "why")
    customers.park("a", after(5), "why")

    assert customers.get("b") == a_customer("b")


def test_changing_nobody_changes_nothing(customers):
    customers.add(a_customer())

    customers.pause("nobody", "why")
    customers.park("nobody", after(5), "why")

    assert customers.all() == [a_customer()]


def test_what_a_person_did_can_be_noted(customers):
    customers.add(a_customer())

    customers.note("acme", actor="ops", action="customers.pause", detail="asked for")

    assert customers.get("acme") == a_customer()


def test_a_pause_until_a_moment_ends_by_itself_and_any_other_does_not(customers):
    for customer_id in ("rests", "later", "stopped"):
        customers.add(a_customer(customer_id))
    customers.pause("rests", "runs failed", until=after(60))
    customers.pause("later", "runs failed", until=after(61))
    customers.pause("stopped", "on request")

    assert customers.get("rests").paused_until == after(60)
    assert customers.end_pauses(after(59)) == []
    assert [customer.customer_id for customer in customers.end_pauses(after(60))] == ["rests"]
    assert customers.get("rests") == a_customer("rests")
    assert not customers.get("later").is_active
    assert customers.end_pauses(after(1e6)) == [a_customer("later")]
    assert not customers.get("stopped").is_active


def test_a_pause_that_would_end_by_itself_leaves_alone_who_is_paused_already(customers):
    customers.add(a_customer())
    customers.pause("acme", "on request")
    customers.pause("acme", "runs failed", until=after(60))

    assert (customers.get("acme").status_reason, customers.get("acme").paused_until) == ("on request", None)


def test_a_person_makes_a_pause_that_would_end_by_itself_one_that_does_not(customers):
    customers.add(a_customer())
    customers.pause("acme", "runs failed", until=after(60))
    customers.pause("acme", "on request")

    assert customers.end_pauses(after(1e6)) == []
    customers.resume("acme")
    assert customers.get("acme") == a_customer()
