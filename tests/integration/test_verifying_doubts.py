"""What a check may not say: lost, of what is not shown yet; equal, where a double is; and nothing of another customer.

Over PostgreSQL's rows, with a destination that is a double at the seam of `Lists`; see `support.listed`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from support.builders import NOW
from support.listed import BASE, checking_of, fill_in_step

from common.cli.certificate import to_keep
from common.domain.clock import ManualClock
from common.domain.drift import Drift
from common.domain.verifying import How, Outcome, SourceView, Unlinked
from common.storage.repairs import Ask, repair
from common.storage.tables import links
from common.storage.verified_tables import verified
from processor.verifying.unlinked import unlinked

COUNT = 5
VIEW = SourceView(total=COUNT)


class Checked:
    """A customer whose five people are in step, and who is checked again and again."""

    def __init__(self, engine, clock, customer_id="acme"):
        fill_in_step(engine, COUNT, customer_id)
        self.checking, self.double, self.store = checking_of(engine, COUNT, customer_id, clock)
        self.customer_id = customer_id

    def check(self, **options):
        """The certificate, kept as the command keeps it."""
        checked = self.checking.check("users", VIEW, **options)
        found = checked.certificate
        self.store.certify(self.customer_id, "users", found.at, to_keep(found), checked.baseline)
        return found


def named(certificate):
    return [(each.source_id, each.drift, each.destination_id) for each in certificate.differing]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def acme(engine, clock):
    return Checked(engine, clock)


def link_of(source_id, customer_id="acme"):
    return {"customer_id": customer_id, "resource": "users", "source_id": source_id}


def unlink(engine, source_id):
    with engine.begin() as connection:
        connection.execute(delete(links).filter_by(**link_of(source_id)))


@pytest.mark.parametrize("how", ["hidden", "tampered"])
def test_what_was_written_too_lately_to_be_shown_is_not_yet_applied_and_lost_or_other_once_it_must_be_shown(
    acme, engine, clock, how
):
    acme.double.visibility_seconds = 30.0
    setattr(acme.double, how, frozenset({3}))
    with engine.begin() as connection:
        written = {"updated_at": clock.now() - timedelta(seconds=29)}
        connection.execute(update(links).filter_by(**link_of("3")).values(**written))

    assert [drift for _, drift, _ in named(acme.check())] == [Drift.NOT_YET_APPLIED]
    clock.advance(2)
    drift = Drift.LOST if how == "hidden" else Drift.UNEXPLAINED
    assert named(acme.check()) == [("3", drift, str(BASE + 3))]


def test_a_double_is_named_by_every_check_after_the_full_one_until_it_is_linked(acme, engine):
    unlink(engine, "3")
    double = ("3", Drift.UNLINKED_AT_DESTINATION, str(BASE + 3))
    lost = ("3", Drift.LOST, "")
    assert named(acme.check()) == [lost, double]

    again = acme.check()
    assert (again.how, again.outcome) == (How.SINCE, Outcome.DIFFERS)
    assert named(again) == [lost, double]

    with engine.begin() as connection:
        row = {**link_of("3"), "destination_id": str(BASE + 3), "details": {}, "applied_version": 1}
        connection.execute(links.insert().values(**row, created_at=NOW, updated_at=NOW - timedelta(days=1)))
    assert acme.check().outcome is Outcome.EQUAL


def test_what_is_on_its_way_to_a_link_is_no_double(acme, engine, clock):
    unlink(engine, "3")
    ask = Ask(customer_id="acme", resource="users", run_id="r", trace_id="t", now=clock.now())
    assert repair(engine, ask, ["3"], partitions=4) == 1
    assert named(acme.check()) == [("3", Drift.NOT_YET_APPLIED, "")]


def test_what_was_linked_after_it_was_read_is_no_double(acme):
    seen = [Unlinked(destination_id=str(BASE + number), source_id=str(number)) for number in (1, COUNT + 1)]
    with acme.store.records("acme", "users") as records:
        assert [each.source_id for each in unlinked(records, "users", seen)] == [str(COUNT + 1)]


def test_more_doubles_than_a_certificate_keeps_are_read_whole_again(acme, engine, monkeypatch):
    monkeypatch.setattr("common.cli.certificate.KEPT", 1)
    unlink(engine, "3")
    acme.check()
    assert acme.check().how is How.WHOLE


def test_what_a_slow_clock_of_theirs_has_stamped_is_still_seen(acme, clock):
    acme.check()
    acme.double.modified_at = clock.now() - timedelta(minutes=9)
    acme.double.tampered = frozenset({2})
    found = acme.check()
    assert (found.how, [each.source_id for each in found.differing]) == (How.SINCE, ["2"])


def test_what_is_remembered_of_one_customer_says_nothing_of_another(acme, engine, clock):
    acme.double.tampered = frozenset({2})
    acme.check()
    clock.advance(60)
    beta = Checked(engine, clock, "beta")
    assert beta.store.baseline("beta", "users") is None
    beta.double.hidden = frozenset({4})
    assert [each.source_id for each in beta.check().differing] == ["4"]

    query = select(verified.c.customer_id, func.count()).group_by(verified.c.customer_id)
    with engine.connect() as connection:
        assert dict(map(tuple, connection.execute(query))) == {"acme": COUNT, "beta": COUNT - 1}
    acme.double.tampered = frozenset()
    assert [each.source_id for each in acme.check().differing] == ["2"]
    unlink(engine, "3")  # beta's link leads to a record of the same id, in another account
    assert ("3", Drift.UNLINKED_AT_DESTINATION, str(BASE + 3)) in named(acme.check(full=True))
    assert beta.store.unlinked("beta", "users") == []
