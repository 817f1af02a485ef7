"""Enums, which this API does not declare: an unknown value is data, kept as it is, and said once."""

from __future__ import annotations

import threading

import structlog

from poller.sources.volunteer.translate.fields import Fields

log = structlog.get_logger(__name__)

#: More are said no more: then a field is no enum, and the log is not the place for its values.
MOST_SAID = 10_000


class Said:
    """What has been said in this process, so that one value in 10,000 records is one line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[str, str, str, str]] = set()

    def is_new(self, key: tuple[str, str, str, str]) -> bool:
        with self._lock:
            if key in self._known or len(self._known) >= MOST_SAID:
                return False
            self._known.add(key)
            return True


_said = Said()


def kept(fields: Fields, name: str, known: frozenset[str]) -> str:
    """The value, with a warning at the first record of the customer's that holds it; never the value in the log."""
    value = fields.text(name)
    if value not in known and _said.is_new((fields.customer_id, fields.resource, name, value)):
        log.warning(
            "unknown value kept as it is",
            action="translate.unknown_value",
            customer_id=fields.customer_id,
            resource=fields.resource,
            field=name,
        )
    return value
