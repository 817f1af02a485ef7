"""The judge of the crash points sees what was not carried over, in each of the stories: seen, not believed."""

from __future__ import annotations

import pytest
from support.tales import TALES

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("name", TALES)
def test_what_nobody_carries_over_is_found_until_somebody_does(ground, name):
    it = ground(TALES[name])
    it.make(["idle"])

    assert [line for line in it.findings() if line.startswith("idle:")]

    it.finish(["idle"])

    assert it.findings() == []
