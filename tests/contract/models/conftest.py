"""No log lines: stories make thousands, and rendering them takes longer than all the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


def _drop(_logger: Any, _method: str, _line: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def no_log_lines() -> Iterator[None]:
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
