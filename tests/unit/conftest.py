"""Property tests that say the same on every machine, and no log lines: rendering them took most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("unit")


def _drop(_logger: Any, _method: str, _line: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def no_log_lines() -> Iterator[None]:
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
