"""`fleet explain` on real rows: what was delivered, what was refused, and what nobody knows."""

from __future__ import annotations

from sqlalchemy import select
from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.storage.tables import links


def test_a_dead_letters_story_is_told_without_its_values_unless_asked(fleet, added, letter, actions):
    added("acme")
    letter("acme", SystemClock().now())

    data = fleet("explain", "acme", "users", "1", "--json").data
    shown = fleet("explain", "acme", "users", "1", "--values")

    assert [step["kind"] for step in data["steps"]] == ["event", "letter"]
    assert data["steps"][0]["trace_id"] == "t"
    assert data["next"] == ["dead letter 1 waits for a person: see `fleet dlq show acme 1`"]
    assert "Ada" not in str(data)
    assert (shown.code, "Ada" in shown.out) == (0, True)
    assert "record.shown" in actions("acme")


def test_an_id_that_nobody_knows_names_what_has_it_elsewhere(fleet, added, letter):
    added("acme")
    letter("acme", SystemClock().now())

    near, unheard = fleet("explain", "acme", "groups", "1"), fleet("explain", "acme", "users", "99")

    assert (near.code, near.out) == (1, "")
    known = "error: customer 'acme': nothing is known of groups/1; the same id is known as users/1"
    unread = "pages: none of this customer is kept yet: whether groups were read, and showed it, is not known"
    assert near.err == f"{known}; {unread}\n"
    assert "nor of this id under any other resource" in unheard.err


def test_what_was_delivered_is_found_by_its_id_at_the_destination(hub, fleet, organization, engine):
    customer_id = hub.onboard(organization(users=2)).customer_id
    hub.poll(customer_id)
    wait_until(lambda: hub.deliver_all(customer_id) or hub.is_done(customer_id), seconds=60, what="all to be applied")
    with engine.connect() as connection:
        link = connection.execute(select(links)).first()

    data = fleet("explain", customer_id, "users", "--destination-id", link.destination_id, "--json").data
    wrong = fleet("explain", customer_id, "users", "--destination-id", "nobody")
    unheard = fleet("explain", customer_id, "users", "nobody")
    sheet = fleet("explain", customer_id, "users", "--destination-id", link.destination_id)

    kinds = [step["kind"] for step in data["steps"]]
    assert {"run", "page", "event", "write", "outcome", "link", "mirror"} <= set(kinds)
    (page,) = [step for step in data["steps"] if step["kind"] == "page"]
    assert page["what"] == "seen on page 1 of its run, scan pass 1, by backfill, at the start of the list"
    assert page["run_id"] == data["steps"][0]["run_id"]
    counts = {name: data["pages"][name] for name in ("seen_on", "left_out", "kept")}
    assert counts == {"seen_on": 1, "left_out": 0, "kept": 1}
    assert data["pages"]["kept_since"] == page["at"]
    assert page["what"] in " ".join(sheet.out.split())
    assert "it was on 1 of the 1 of users that are kept since" in sheet.out
    assert "it was on none of the 1 of users that are kept since" in unheard.err
    assert (data["source_id"], data["next"][0].split(":")[0]) == (link.source_id, "nothing is pending")
    assert "no users record is linked to nobody" in wrong.err
