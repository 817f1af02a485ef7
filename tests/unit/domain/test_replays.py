"""What a replay would come to, line by line of the table."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_link, an_event

from common.domain.drift import AtSource
from common.domain.letters import DeadLetter
from common.domain.replays import Facts, ReplayClass, Sight, class_of, goes_in

PHONE = {"phone": "x"}


def a_letter(**changes):
    base = {
        "customer_id": "acme", "dead_letter_id": 1, "event_id": 2, "resource": "users", "source_id": "1",
        "stage": "apply", "reason": "http_422", "field": "", "message": "", "status": 422, "detail": "", "attempts": 1,
        "run_id": "r", "trace_id": "t", "state": "open", "resolution": "", "created_at": NOW, "resolved_at": None,
    }  # fmt: skip
    return DeadLetter(**{**base, **changes})


def facts(*, stage="apply", newest=2, applied=1, is_gone=False, **event):
    return Facts(
        letter=a_letter(stage=stage), event=an_event(2, **event), link=a_link(applied_version=applied),
        newest_version=newest, is_gone=is_gone,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "seen", "found"),
    [
        (facts(newest=3), Sight(source=AtSource.GONE, wanted=PHONE), "superseded"),
        (facts(applied=3), Sight(wanted=PHONE), "superseded"),
        (facts(newest=3, coalesce=False), Sight(wanted=PHONE), "apply"),
        (facts(), Sight(source=AtSource.GONE, wanted=PHONE), "gone"),
        (facts(is_gone=True), Sight(wanted=PHONE), "gone"),
        (facts(is_gone=True), Sight(source=AtSource.SAME, wanted=PHONE), "apply"),
        (facts(is_gone=True, action="delete"), Sight(wanted=PHONE), "apply"),
        (facts(stage="detect"), Sight(source=AtSource.OTHER), "read_again"),
        (facts(), Sight(source=AtSource.OTHER, wanted=PHONE), "changed_at_source"),
        (facts(), Sight(refusal="no last name"), "fails_again"),
        (facts(), Sight(source=AtSource.SAME), "not_looked_up"),
        (facts(), Sight(wanted=PHONE, disputed=PHONE), "conflict"),
        (facts(), Sight(wanted={}), "already_there"),
        (facts(), Sight(wanted=PHONE), "apply"),
    ],
)
def test_the_first_line_that_fits_decides(known, seen, found):
    assert class_of(known, seen) == found


def test_what_would_do_harm_or_nothing_is_left_out_of_a_batch():
    left_out = {found for found in ReplayClass if not goes_in(found, overwrites=False)}

    assert left_out == {"gone", "changed_at_source", "fails_again", "conflict"}
    assert goes_in(ReplayClass.CONFLICT, overwrites=True)
    assert not goes_in(ReplayClass.GONE, overwrites=True)
