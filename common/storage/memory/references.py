"""The twin of `common.storage.references`."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any


class MemoryReferenceCache:
    """Implements `common.domain.references.ReferenceCache`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], tuple[datetime, Any]] = {}

    def get(self, customer_id: str, name: str, *, not_before: datetime) -> Any | None:
        with self._lock:
            fetched_at, value = self._rows.get((customer_id, name), (None, None))
            return value if fetched_at is not None and fetched_at >= not_before else None

    def put(self, customer_id: str, name: str, value: Any, now: datetime) -> None:
        with self._lock:
            known = self._rows.get((customer_id, name))
            if known is None or known[0] <= now:
                self._rows[customer_id, name] = (now, value)

    def forget(self, customer_id: str, name: str) -> None:
        with self._lock:
            self._rows.pop((customer_id, name), None)
