"""Fixtures of a sandbox for each test alone, so that the auditor judges this test and no other.

A folder's conftest imports them; its own `sandbox_seed`, if it has one, decides the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.audit.report import Report
from deploy.audit.run import audit
from deploy.sandbox.client import SandboxAdmin
from deploy.sandbox.process import start_sandbox


@pytest.fixture
def sandbox_seed() -> int:
    return 11


@pytest.fixture
def sandbox_url(sandbox_seed: int) -> Iterator[str]:
    with start_sandbox(seed=sandbox_seed) as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[SandboxAdmin]:
    with SandboxAdmin(sandbox_url) as admin:
        yield admin


@pytest.fixture
def audited(sandbox_url: str) -> Callable[[], Report]:
    """The auditor's report on this test's sandbox."""
    return lambda: audit(sandbox_url, only_people=True)
