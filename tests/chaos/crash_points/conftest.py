"""A sandbox of its own for each story, so that the auditor judges it and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.ground import Ground

from deploy.sandbox.client import SandboxAdmin
from deploy.sandbox.process import start_sandbox


@pytest.fixture
def sandbox_url() -> Iterator[str]:
    with start_sandbox(seed=11) as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[SandboxAdmin]:
    with SandboxAdmin(sandbox_url) as admin:
        yield admin


@pytest.fixture
def ground(hub, sandbox, sandbox_url, servers):
    made = []

    def make(tale):
        made.append(Ground(hub, sandbox, sandbox_url, servers, tale))
        return made[-1]

    yield make
    for each in made:
        each.children.close()
