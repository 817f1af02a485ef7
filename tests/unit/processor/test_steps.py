"""The line of steps: what is not understood, done already, or could only be refused, ends before anything is sent."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_link, a_person, an_entity, an_event, an_intent
from support.delivering import PretendedDestination

from common.domain.errors import PermanentError
from common.domain.events import EventState
from common.domain.mapping import FieldMapping
from common.domain.records import content_hash
from processor.pipeline import Work
from processor.steps.line import first_steps, last_steps, pass_through


def work(**changes):
    own = {name: changes.pop(name) for name in ("link", "unresolved") if name in changes}
    event = an_event(**changes)
    return Work(entity=event.entity, event=event, **own)


def through(*works, destination=None):
    line = (*first_steps(FieldMapping()), *last_steps(destination or PretendedDestination(), NOW))
    return pass_through(works, line)


def only_end(plan):
    assert plan.works == ()
    (end,) = plan.ended
    return end


def test_a_readable_event_comes_out_with_the_person_it_asks_for():
    (left,) = through(work()).works

    assert left.desired == a_person()
    assert left.mapped_hash == content_hash(a_person().to_body())


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"event_version": 2}, "unknown_event_version", "event_version"),
        ({"action": "merge"}, "unknown_action", "action"),
        ({"entity": an_entity(resource="unheard_of")}, "unknown_resource", "resource"),
        ({"payload": {"first_name": "A"}}, "payload_unreadable", "last_name"),
        ({"payload": {}}, "payload_unreadable", "first_name"),
        ({"payload": a_person(last_name="").to_body()}, "record_invalid", "last_name"),
    ],
)
def test_what_cannot_be_applied_is_a_dead_letter_that_names_its_reason(changes, reason, field):
    end = only_end(through(work(**changes)))

    assert (end.state, end.reason, end.attempts) == (EventState.DEAD_LETTERED, reason, 1)
    assert (end.refusal.reason, end.refusal.field) == (reason, field)
    assert "acme" in end.refusal.message
    assert "Fenmar" not in end.refusal.message


def test_fields_of_a_newer_release_in_the_payload_are_no_obstacle():
    assert through(work(payload={**a_person().to_body(), "shoe_size": 44})).works


def test_one_bad_event_does_not_spoil_the_others():
    plan = through(work(), work(event_id=2, entity=an_entity("2"), action="merge"))

    assert [left.event.event_id for left in plan.works] == [1]
    assert [end.event_id for end in plan.ended] == [2]


def test_what_was_applied_before_ends_as_unchanged():
    link = a_link(applied_version=1, applied_hash=content_hash(a_person().to_body()))

    assert only_end(through(work(version=2, link=link))).state is EventState.UNCHANGED


def test_what_changes_nothing_is_the_version_that_is_there_from_now_on():
    """An older one that is replayed must not come after it."""
    link = a_link(applied_version=1, applied_hash=content_hash(a_person().to_body()))

    assert [link.applied_version for link in through(work(version=3, link=link)).links] == [3]


def test_an_older_version_than_the_one_applied_ends_as_superseded():
    assert only_end(through(work(version=2, link=a_link(applied_version=3)))).state is EventState.SUPERSEDED


def test_the_same_version_with_another_hash_is_applied_again():
    assert through(work(version=3, link=a_link(applied_version=3, applied_hash=""))).works


def test_a_write_of_unknown_outcome_is_not_taken_for_done():
    link = a_link(applied_hash=content_hash(a_person().to_body()))

    assert through(work(version=2, link=link, unresolved=an_intent(version=2))).works


@pytest.mark.parametrize("link", [None, a_link(applied_version=1)])
def test_an_older_version_never_follows_a_newer_one_that_may_have_landed(link):
    """A replayed dead letter, while a later version's outcome is not known."""
    end = only_end(through(work(version=2, link=link, unresolved=an_intent(version=3))))

    assert end.state is EventState.SUPERSEDED
    assert "version 3" in end.reason


def test_a_step_may_end_the_work_and_the_later_ones_do_not_see_it():
    seen = []

    def refuse(_):
        raise PermanentError("no", reason="because", field="f")

    plan = pass_through([work()], (lambda w: seen.append("first") or w, refuse, lambda w: seen.append("last") or w))

    assert seen == ["first"]
    assert only_end(plan).refusal.field == "f"
