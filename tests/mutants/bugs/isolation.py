"""Promise 5: customers are isolated."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
TURNS = "tests/integration/test_turns.py"

BUGS = (
    Mutant(
        name="slice-of-all-customers",
        promise=5,
        does="a slice reads the events of whoever shares the partition's number",
        file="common/storage/delivery.py",
        old=".where(events.c.customer_id == customer_id, events.c.partition == partition)",
        new=".where(events.c.partition == partition)",
        tests=(f"{STORAGE}/test_detection_store.py::test_two_customers_with_the_same_ids_do_not_meet",),
    ),
    Mutant(
        name="outcome-of-all-customers",
        promise=5,
        does="an outcome ends the event of that id, whosever it is",
        file="common/storage/outcomes.py",
        old='.where(events.c.customer_id == customer_id, events.c.event_id == bindparam("id"), OPEN)',
        new='.where(events.c.event_id == bindparam("id"), OPEN)',
        tests=(f"{STORAGE}/test_delivery_store.py::test_one_customers_outcome_does_not_touch_anothers_events",),
    ),
    Mutant(
        name="mirror-of-all-customers",
        promise=5,
        does="a page is compared with another customer's records of the same ids",
        file="common/storage/mirror_rows.py",
        old="tuple_(mirror.c.customer_id, mirror.c.resource) == (page.customer_id, page.resource),",
        new="tuple_(mirror.c.resource) == (page.resource,),",
        tests=(f"{STORAGE}/test_detection_store.py::test_two_customers_with_the_same_ids_do_not_meet",),
    ),
    Mutant(
        name="seen-by-all-customers",
        promise=5,
        does="what one customer's page shows counts as seen for another",
        file="common/storage/mirror_rows.py",
        old="and_(mirror.c.customer_id == page.customer_id, mirror.c.resource == page.resource),",
        new="and_(mirror.c.resource == page.resource),",
        tests=(f"{STORAGE}/test_customers_apart.py::test_what_a_page_of_one_customer_shows_was_not_seen_of_another",),
    ),
    Mutant(
        name="links-of-all-customers",
        promise=5,
        does="who is linked to a record is looked for among all customers",
        file="common/storage/delivery.py",
        old=".filter_by(customer_id=customer_id, resource=resource)",
        new=".filter_by(resource=resource)",
        tests=(
            f"{STORAGE}/test_customers_apart.py::test_who_is_linked_to_a_record_is_looked_for_among_the_customers_own",
        ),
    ),
    Mutant(
        name="dead-letters-of-all-customers",
        promise=5,
        does="one customer's dead letters pause another",
        file="common/storage/delivery.py",
        old='where(dead_letters.c.customer_id == customer_id, dead_letters.c.state == "open")',
        new='where(dead_letters.c.state == "open")',
        tests=(f"{STORAGE}/test_customers_apart.py::test_dead_letters_are_counted_by_customer",),
    ),
    Mutant(
        name="addresses-of-all-customers",
        promise=5,
        does="a person is held because another customer has one with that address",
        file="common/storage/emails.py",
        old="where(emails.c.customer_id == customer_id, emails.c.email.in_(addresses), IS_CURRENT)",
        new="where(emails.c.email.in_(addresses), IS_CURRENT)",
        tests=(f"{STORAGE}/test_customers_apart.py::test_whose_an_address_is_is_looked_for_among_the_customers_own",),
    ),
    Mutant(
        name="backlog-of-all-customers",
        promise=5,
        does="one customer's backlog holds back another's polls",
        file="common/storage/backlog.py",
        old=".where(events.c.customer_id == customer_id, OPEN)",
        new=".where(OPEN)",
        tests=(f"{STORAGE}/test_failed_runs.py::test_open_events_of_one_customer_are_counted_no_further_than_asked",),
    ),
    Mutant(
        name="link-wakes-all-customers",
        promise=5,
        does="a link of one customer makes due what waits for the same name of another",
        file="common/storage/waiting.py",
        old="""        .where(events.c.customer_id == customer_id, *which, IS_OPEN)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(events)
        .where(events.c.customer_id == customer_id, events.c.event_id.in_(waiting))
""",
        new="""        .where(*which, IS_OPEN)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(events)
        .where(events.c.event_id.in_(waiting))
""",
        tests=(f"{STORAGE}/test_waiting_events.py::test_a_link_of_one_customer_wakes_nothing_of_another",),
    ),
    Mutant(
        name="cache-key-without-customer",
        promise=5,
        does="what one account was found to have is taken for another's",
        file="common/storage/references.py",
        old="            .filter_by(customer_id=customer_id, name=name)\n",
        new="            .filter_by(name=name)\n            .limit(1)\n",
        tests=(f"{STORAGE}/test_references.py::test_no_customer_sees_what_another_has",),
    ),
    Mutant(
        name="budget-of-all-customers",
        promise=5,
        does="all customers of a system share one count",
        file="common/limits/budget.py",
        old='return f"budget:{system}:{customer_id}"',
        new='return f"budget:{system}:{customer_id[:0]}"',
        tests=("tests/contract/limits/test_budgets.py::test_customers_do_not_share_a_budget",),
    ),
    Mutant(
        name="breaker-of-all-customers",
        promise=5,
        does="one customer's outage opens the breaker of all",
        file="common/storage/breakers.py",
        old="return breakers.c.customer_id == customer_id, breakers.c.system == system",
        new="return breakers.c.customer_id != '', breakers.c.system == system",
        tests=(f"{STORAGE}/test_breakers.py::test_the_other_system_and_other_customers_are_not_concerned",),
    ),
    Mutant(
        name="pause-of-all-customers",
        promise=5,
        does="pausing or parking one customer does it to all",
        file="common/storage/customers.py",
        old="statement = update(customers).where(customers.c.customer_id == customer_id, *only_if)",
        new="statement = update(customers).where(customers.c.customer_id != '', *only_if)",
        tests=(f"{STORAGE}/test_customer_store.py::test_pausing_one_customer_leaves_the_others_alone",),
    ),
    Mutant(
        name="one-hot-set",
        promise=5,
        does="all lanes share one line",
        file="common/queueing/names.py",
        old='return f"hot:{lane}"',
        new='return f"hot:{lane[:0]}"',
        tests=("tests/unit/queueing/test_hot_set.py::test_lanes_do_not_meet",),
    ),
    Mutant(
        name="served-and-first-again",
        promise=5,
        does="who was served keeps its place at the head of the line, and a flood takes all turns",
        file="common/queueing/take.lua",
        old="    redis.call('ZADD', key, now_text, best)\n",
        new="    redis.call('ZSCORE', key, best)\n",
        tests=(f"{TURNS}::test_everybody_gets_a_turn_before_anybody_gets_a_second",),
    ),
    Mutant(
        name="all-slots-for-one",
        promise=5,
        does="a customer may hold all slots of a worker",
        file="common/queueing/transport.py",
        old="for queue, count in held.items() if count >= slots]",
        new="for queue, count in held.items() if count > slots * 1000]",
        tests=(f"{TURNS}::test_who_has_its_share_of_slots_is_passed_by_until_one_is_free",),
    ),
    Mutant(
        name="unreadable-message-served-again",
        promise=5,
        does="a message that nobody can read comes again for ever",
        file="common/queueing/take.lua",
        old="    redis.call('LPUSH', KEYS[3], item)\n",
        new="    redis.call('RPUSH', queue, item)\n",
        tests=(f"{TURNS}::test_what_nobody_can_read_is_put_aside_and_stops_nobody",),
    ),
    Mutant(
        name="park-holds-a-worker",
        promise=5,
        does="a delivery of a parked customer is worked on, and its slot is held by waiting",
        file="processor/tasks.py",
        old="""        processor.deliveries.park(customer.customer_id, customer.lane, customer.parked_until)
        return False
""",
        new="        processor.metrics.slices.labels(customer.lane)\n",
        tests=(
            "tests/integration/test_linger.py::test_a_delivery_of_a_parked_customer_holds_no_worker_and_its_queue_is_left_alone_until_then",
        ),
    ),
    Mutant(
        name="backfill-before-live",
        promise=5,
        does="a customer's live changes go behind its backfill",
        file="common/storage/due.py",
        old="IN_ORDER = (BACKFILL_LAST, events.c.event_id)",
        new="IN_ORDER = (events.c.event_id,)",
        tests=(f"{STORAGE}/test_delivery_store.py::test_live_events_come_before_a_backfills",),
    ),
    Mutant(
        name="one-bad-row-stops-the-beat",
        promise=5,
        does="a customer whose row makes no sense keeps all others from being polled",
        file="poller/schedule/publishing.py",
        old="            except UNSCHEDULABLE as error:",
        new="            except ZeroDivisionError as error:",
        tests=("tests/integration/test_beats.py::test_a_row_that_makes_no_sense_keeps_nobody_else_from_being_polled",),
    ),
    Mutant(
        name="token-of-the-other-system",
        promise=5,
        does="a customer's source is opened with the token of its destination",
        file="poller/bootstrap.py",
        old="token=self.vault.open(customer.customer_id, System.SOURCE),",
        new="token=self.vault.open(customer.customer_id, System.DESTINATION),",
        tests=("tests/integration/test_pipeline.py::test_every_user_becomes_a_contact",),
    ),
)
