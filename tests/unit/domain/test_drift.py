"""Drift: each thing that can be known of a record leads to one class, in the order of the table."""

from __future__ import annotations

import pytest

from common.domain.drift import REPAIRS, AtDestination, AtSource, Drift, Repair, Standing, drift_of
from common.domain.events import EventState

OTHER, ABSENT, UNREAD = AtDestination.OTHER, AtDestination.ABSENT, AtDestination.UNREAD
APPLIED = {"last_state": EventState.APPLIED, "applied_version": 1, "is_applied_as_mapped": True}


@pytest.mark.parametrize(
    ("known", "drift"),
    [
        ({}, None),
        ({"is_open": True}, None),
        ({"destination": OTHER, "is_open": True}, Drift.NOT_YET_APPLIED),
        ({"destination": ABSENT, "is_linked": False, "is_open": True}, Drift.NOT_YET_APPLIED),
        ({"source": AtSource.OTHER, "is_open": True}, Drift.NOT_YET_APPLIED),
        ({"source": AtSource.NEW}, Drift.MISSING_FROM_MIRROR),
        ({"source": AtSource.OTHER}, Drift.STALE_MIRROR),
        ({"source": AtSource.GONE}, Drift.STALE_MIRROR),
        ({"source": AtSource.OTHER, "destination": OTHER, **APPLIED}, Drift.STALE_MIRROR),
        ({"destination": ABSENT, "is_linked": False, "last_state": EventState.DEAD_LETTERED}, Drift.REFUSED),
        ({"destination": OTHER, **APPLIED, "last_state": EventState.DISCARDED}, Drift.REFUSED),
        ({"destination": UNREAD, **APPLIED}, Drift.CHANGING),
        ({"destination": ABSENT, **APPLIED, "is_settling": True}, Drift.NOT_YET_APPLIED),
        ({"destination": OTHER, **APPLIED, "is_settling": True}, Drift.NOT_YET_APPLIED),
        ({"destination": OTHER, "is_gone": True, "is_settling": True}, Drift.NOT_YET_APPLIED),
        ({"destination": AtDestination.SAME, **APPLIED, "is_settling": True}, None),
        ({"source": AtSource.OTHER, "is_settling": True}, Drift.STALE_MIRROR),
        ({"destination": OTHER, "is_gone": True, "last_state": EventState.APPLIED}, Drift.EXTRA),
        ({"destination": ABSENT, "is_linked": False}, Drift.LOST),
        ({"destination": ABSENT, **APPLIED}, Drift.LOST),
        ({"destination": OTHER, "version": 2, **APPLIED}, Drift.LOST),
        ({"destination": OTHER, **APPLIED}, Drift.CHANGED_AT_DESTINATION),
        ({"destination": OTHER, **APPLIED, "is_applied_as_mapped": False}, Drift.UNEXPLAINED),
        ({"destination": OTHER, **APPLIED, "applied_version": 2}, Drift.UNEXPLAINED),
    ],
)
def test_what_is_known_of_a_record_decides_its_drift(known, drift):
    assert drift_of(Standing(**known)) is drift


def test_every_drift_has_a_repair_or_says_that_it_has_none():
    assert set(REPAIRS) == set(Drift)


def test_what_a_person_or_an_open_event_sees_to_is_not_sent_again():
    left_alone = {drift for drift, repair in REPAIRS.items() if repair is Repair.NONE}
    assert left_alone == {Drift.NOT_YET_APPLIED, Drift.REFUSED, Drift.CHANGING, Drift.UNLINKED_AT_DESTINATION}
