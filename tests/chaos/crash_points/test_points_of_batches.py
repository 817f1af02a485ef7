"""A worker is killed at every point on the way from a page to an acknowledgement: a batch, a deletion.

One file per kind of story, so that they are spread over the cores.
"""

from __future__ import annotations

import pytest
from support.tales import TALES

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("name", ["batch", "deletion"])
def test_a_worker_that_is_killed_at_any_point_loses_doubles_and_disorders_nothing(ground, name):
    ground(TALES[name]).kill_everywhere()
