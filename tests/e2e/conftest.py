"""Each promise has a sandbox of its own, so that the auditor judges this test and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.audit.report import Report
from deploy.audit.run import audit
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
def audited(sandbox_url: str) -> Callable[[], Report]:
    """The auditor's report on this test's sandbox."""
    return lambda: audit(sandbox_url, only_people=True)
