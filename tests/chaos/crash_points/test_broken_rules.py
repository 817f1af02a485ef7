"""The harness of the crash points catches a worker that breaks the rules: seen, not believed."""

from __future__ import annotations

import pytest
from support.crashing_breaks import checkpoint_first, intent_last, no_look
from support.tales import TALES

from deploy.audit.report import Kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    ("name", "point", "breaks", "kind"),
    [
        ("note", "destination.write answered", intent_last, Kind.DUPLICATE),
        ("note", "destination.write answered", no_look, Kind.DUPLICATE),
        ("people", "source.read sent", checkpoint_first, Kind.WRONG),
    ],
    ids=["intent last", "no look", "checkpoint first"],
)
def test_a_worker_that_breaks_the_rules_is_caught_at_the_point_where_it_matters(ground, name, point, breaks, kind):
    it = ground(TALES[name])
    number = it.points().index(point) + 1
    it.make(["broken"])
    it.kill(["broken"], [number], breaks)
    it.finish(["broken"], breaks=breaks)

    assert [line for line in it.findings() if line.startswith(f"broken: {kind}")]
