"""What a letter would change, and what of that is somebody else's."""

from __future__ import annotations

import pytest
from support.builders import a_link, a_person, an_event

from common.domain.batches import Baseline
from common.domain.mapping import FieldMapping
from processor.pipeline import Work
from processor.replaying.comparing import compare
from processor.steps.line import first_steps, pass_through


def compared(*, before, letter, there, unlike=None):
    """Each a phone number; an empty one says nothing."""
    event = an_event(2, payload=a_person(phone=letter).to_body())
    (work,) = pass_through([Work(entity=event.entity, event=event, link=a_link())], first_steps(FieldMapping())).works

    def in_there(write):
        said = write.desired.phone
        return {"phone": there} if said and said != there else {}

    baseline = None if before is None else Baseline(payload=a_person(phone=before).to_body(), version=1)
    return compare(work, baseline, FieldMapping(), unlike or in_there)


@pytest.mark.parametrize(
    ("before", "letter", "there", "wanted", "disputed"),
    [
        ("1", "2", "1", ["phone"], []),  # as we left it
        ("1", "2", "2", [], []),  # as the letter says
        ("1", "2", "staff", ["phone"], ["phone"]),
        ("1", "2", None, ["phone"], ["phone"]),  # staff have removed it
        ("", "2", "staff", ["phone"], ["phone"]),  # we had said nothing, and somebody has
        ("", "2", None, ["phone"], []),
        (None, "2", "staff", ["phone"], []),  # what we last wrote is not known
        ("1", "1", "staff", ["phone"], ["phone"]),
    ],
)
def test_what_would_be_changed_is_disputed_if_it_is_not_what_we_last_wrote(before, letter, there, wanted, disputed):
    told = compared(before=before, letter=letter, there=there)

    assert (list(told.wanted), list(told.disputed)) == (wanted, disputed)


@pytest.mark.parametrize(("differs_then", "disputed"), [(True, [""]), (False, [])])
def test_where_only_that_it_differs_is_told_that_decides(differs_then, disputed):
    def unlike(write):
        return {"": None} if write.desired.phone == "2" or differs_then else {}

    assert list(compared(before="1", letter="2", there="x", unlike=unlike).disputed) == disputed
