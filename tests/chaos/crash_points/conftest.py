"""A sandbox of its own for each story, so that the auditor judges it and no other."""

from __future__ import annotations

import pytest
from support.ground import Ground
from support.own_sandbox import sandbox, sandbox_seed, sandbox_url

__all__ = ["ground", "sandbox", "sandbox_seed", "sandbox_url"]


@pytest.fixture
def ground(hub, sandbox, sandbox_url, servers):
    made = []

    def make(tale):
        made.append(Ground(hub, sandbox, sandbox_url, servers, tale))
        return made[-1]

    yield make
    for each in made:
        each.children.close()
