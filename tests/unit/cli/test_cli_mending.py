"""`fleet verify --repair`: the reading that it asks for reaches what the check has found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOW

from common.cli.mending import reading_that_finds
from common.domain.layers import Layer
from common.domain.verifying import SourceView

DAY = timedelta(hours=25)


@pytest.mark.parametrize(
    ("since", "reading"),
    [
        # What was found by reading all, as what is gone, is found by nothing less.
        (None, (Layer.FULL, None)),
        (NOW - timedelta(minutes=5), (Layer.RECONCILIATION, NOW - DAY)),
        (NOW - DAY, (Layer.RECONCILIATION, NOW - DAY)),
        # The checkpoint is older than what the daily run reads.
        (NOW - timedelta(days=3), (Layer.RECONCILIATION, NOW - timedelta(days=3))),
    ],
)
def test_a_repair_reads_as_far_back_as_the_check_did(since, reading):
    assert reading_that_finds(SourceView(since=since), NOW) == reading
