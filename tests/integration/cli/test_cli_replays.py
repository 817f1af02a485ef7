"""`fleet dlq replay` and `fleet dlq batches`, against both stand-in APIs."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from support.breaking import Wrapped
from support.hub import MASTER_KEY
from support.waiting import wait_until

from common.domain.errors import RecordRefused
from common.domain.resources import USERS
from common.storage.tables import audit

VALUES = ("555-0002", "555-9999")


class Refuses(Wrapped):
    def apply(self, writes):
        raise RecordRefused("no", reason="http_422", field="phone", status=422, detail="no such phone: 555-0002")


@dataclass
class Shop:
    """A customer of one person, with a letter for a change of the phone number; and its tools."""

    hub: Any
    sandbox: Any
    fleet: Any
    name: str
    user_id: int

    def letter(self, phone="555-0002"):
        """The destination refuses a change."""
        opened = self.hub.slice_parts.open_destination
        self.hub.with_slice_parts(open_destination=lambda customer, share: Refuses(opened(customer, share)))
        before = len(self.hub.dead_letters.list(self.name))
        self.sandbox.change_user(self.name, self.user_id, phone=phone)
        self.detect()
        wait_until(lambda: self.hub.deliver_all(self.name) or self._count() > before, seconds=20, what="a letter")
        self.hub.with_slice_parts(open_destination=opened)
        return self.hub.dead_letters.list(self.name)[-1].dead_letter_id

    def _count(self):
        return len(self.hub.dead_letters.list(self.name))

    def detect(self):
        before = sum(self.hub.states(self.name).values())

        def is_detected():
            self.hub.poll(self.name, USERS)
            return sum(self.hub.states(self.name).values()) > before

        wait_until(is_detected, seconds=20, what="detection")

    def settle(self):
        wait_until(lambda: self.hub.deliver_all(self.name) or self.hub.is_done(self.name), seconds=20, what="the end")

    def phones(self):
        (contact,) = self.sandbox.export(self.name)["destination"]["contacts"]
        return {method["value"] for method in contact["contactIndividuals"][0]["contactMethods"]}

    def edited(self, **values):
        """By staff."""
        (contact,) = self.sandbox.export(self.name)["destination"]["contacts"]
        self.sandbox.change_contact(self.name, int(contact["id"]), **values)

    def replay(self, *arguments):
        return self.fleet("dlq", "replay", self.name, *arguments, "--json")

    def batch(self, name="again"):
        return self.fleet("dlq", "batches", "show", self.name, name, "--json").data


@pytest.fixture
def shop(fleet, hub, organization, sandbox, monkeypatch):
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    access = organization(users=1)
    hub.onboard(access, create="direct", update="single")
    (user_id,) = sandbox.export(access.name)["source"]["users"]
    sandbox.change_user(access.name, int(user_id), phone="555-0001")
    shop = Shop(hub, sandbox, fleet, access.name, int(user_id))
    shop.detect()
    shop.settle()
    return shop


def only(preview):
    (letter,) = preview.data["preview"]["letters"]
    return letter


def test_a_preview_asks_both_systems_and_shows_names_of_fields_and_no_values(shop):
    number = shop.letter()

    outcome = shop.replay("--all", "--dry-run")

    letter = only(outcome)
    assert (letter["dead_letter_id"], letter["found"], letter["goes_in"]) == (number, "apply", True)
    assert letter["source"] == "same"
    assert list(letter["destination"]) == ["phone"]
    cost = outcome.data["preview"]["cost"]
    assert (cost["source_requests"] > 0, cost["destination_requests"] > 0) == (True, True)
    assert cost["requests"] > 0
    assert not any(value in outcome.out for value in VALUES)
    assert outcome.data["batch"] is None
    assert VALUES[0] in shop.replay("--all", "--dry-run", "--values").out


def test_a_letter_is_shown_with_its_attempts_and_their_times_and_no_value(shop):
    number = shop.letter()

    shown = shop.fleet("dlq", "show", shop.name, number, "--json")

    (attempt,) = shown.data["attempts"]
    assert (attempt["number"], attempt["verdict"], attempt["status"]) == (1, "dead_letter", 422)
    assert attempt["at"] <= shown.data["dead_letter"]["created_at"]
    assert shown.data["dead_letter"]["said"] == "no … phone: …"
    assert not any(value in shown.out for value in VALUES)
    assert "LED TO" in shop.fleet("dlq", "show", shop.name, number).out


def test_a_batch_has_a_name_is_applied_and_says_what_has_become_of_its_letters(shop):
    number = shop.letter()

    started = shop.replay("--all", "--name", "again", "--yes")
    shop.settle()

    assert (started.data["batch"], started.data["replayed"]) == ("again", [number])
    assert "555-0002" in shop.phones()
    shown = shop.batch()
    assert shown["batch"]["counts"] == {"applied": 1}
    assert [(row["dead_letter_id"], row["outcome"]) for row in shown["letters"]] == [(number, "applied")]
    assert "again" in shop.fleet("dlq", "batches", "list", shop.name).out, "its name is never cut"
    with shop.hub.engine.connect() as connection:
        assert "batch.started" in connection.execute(select(audit.c.action)).scalars().all()


def test_what_somebody_else_changed_is_a_conflict_by_the_names_of_its_fields_and_is_left_out(shop):
    number = shop.letter()
    shop.edited(phone="555-9999")

    letter = only(shop.replay("--all", "--dry-run"))
    started = shop.replay("--all", "--yes")

    assert (letter["found"], letter["goes_in"], letter["conflicts"]) == ("conflict", False, ["phone"])
    assert (started.data["left_out"], started.data["batch"]) == ([number], None)
    assert shop.phones() & set(VALUES) == {"555-9999"}


def test_a_conflict_that_no_preview_has_shown_is_found_when_it_is_applied(shop):
    shop.letter()
    shop.replay("--all", "--name", "again", "--no-preview", "--yes")
    shop.edited(phone="555-9999")

    shop.settle()

    assert shop.phones() & set(VALUES) == {"555-9999"}
    (letter,) = shop.hub.dead_letters.list(shop.name)
    assert (letter.reason, letter.field, letter.batch) == ("conflict", "phone", "again")
    assert shop.batch()["batch"]["counts"] == {"failed_again": 1}

    shop.replay("--all", "--name", "over", "--overwrite", "--yes")
    shop.settle()
    assert shop.phones() & set(VALUES) == {"555-0002"}


def test_what_is_there_already_is_gone_or_is_newer_at_the_source_is_told(shop):
    shop.letter()
    shop.edited(phone="555-0002")
    assert only(shop.replay("--all", "--dry-run"))["found"] == "already_there"

    shop.sandbox.change_user(shop.name, shop.user_id, phone="555-0003")
    letter = only(shop.replay("--all", "--dry-run"))
    assert (letter["found"], letter["source"], letter["goes_in"]) == ("changed_at_source", "other", False)

    shop.sandbox.delete_user(shop.name, shop.user_id)
    assert only(shop.replay("--all", "--dry-run"))["found"] == "gone"


def test_of_two_letters_of_a_record_only_the_newer_is_sent(shop):
    old, new = shop.letter(), shop.letter("555-0005")

    told = shop.replay("--all", "--dry-run")
    assert {row["dead_letter_id"]: row["found"] for row in told.data["preview"]["letters"]} == {
        old: "superseded", new: "apply",
    }  # fmt: skip

    shop.replay("--all", "--name", "again", "--yes")
    shop.settle()
    assert "555-0005" in shop.phones()
    assert shop.batch()["batch"]["counts"] == {"superseded": 1, "applied": 1}


def test_a_preview_without_a_budget_says_so_and_what_was_not_looked_at_is_decided_later(shop):
    shop.letter()
    shop.fleet("throttle", "crm_plus", "0%")

    outcome = shop.replay("--all", "--dry-run")

    assert only(outcome)["found"] == "not_looked_up"
    assert any("destination was not looked at" in note for note in outcome.data["preview"]["notes"])


def test_a_batch_is_paused_resumed_and_cancelled_by_its_name_and_by_nothing_else(shop):
    shop.letter()
    shop.fleet("customers", "pause", shop.name, "--why", "lunch")
    started = shop.replay("--all", "--name", "again", "--no-preview", "--yes")
    assert f"{shop.name} is paused" in started.err

    def state(verb):
        return shop.fleet("dlq", "batches", verb, shop.name, "again", "--json").data["state"]

    assert [state(verb) for verb in ("pause", "resume", "cancel")] == ["paused", "active", "cancelled"]
    again = shop.fleet("dlq", "batches", "resume", shop.name, "again")
    assert again.err == f"error: customer {shop.name!r}: batch 'again' is cancelled: it cannot become active\n"
    other = shop.fleet("dlq", "batches", "show", shop.name, "other")
    assert other.err.startswith(f"error: customer {shop.name!r}: there is no batch 'other'")
    assert len(shop.hub.dead_letters.list(shop.name)) == 1


def test_a_name_is_taken_once_and_is_a_plain_word(shop):
    shop.letter()
    shop.replay("--all", "--name", "again", "--no-preview", "--yes")
    shop.settle()
    shop.letter("555-0007")

    before = len(list(shop.sandbox.journal()))
    taken = shop.replay("--all", "--name", "again", "--yes")
    odd = shop.replay("--all", "--name", "a b", "--yes")

    assert len(list(shop.sandbox.journal())) == before, "no preview was made for a name that is none"
    assert taken.err == f"error: customer {shop.name!r}: --name: 'again' is taken; choose another\n"
    assert (odd.code, odd.err.startswith("error: --name: 'a b': use 1 to 63")) == (2, True)


def test_nobody_is_asked_where_there_is_nobody(shop):
    shop.letter()

    assert shop.replay("--all", "--no-preview").err.startswith("error: nobody can be asked here: add --yes")
    assert shop.fleet("dlq", "batches", "list", "--json").data == {"batches": []}
