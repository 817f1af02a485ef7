"""Values as a test gives them: readable times become unix seconds, anything else stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def settled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with every readable `*_at` in unix seconds."""
    return {name: _seconds(value) if name.endswith("_at") else value for name, value in values.items()}


def _seconds(value: object) -> object:
    """Unix seconds of an ISO time with a zone; anything else stays for the client to stumble over."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return value
    return int(instant.timestamp()) if instant and instant.tzinfo else value
