"""What all canonical records share: plain JSON-ready fields, and a body that older and newer releases can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

#: Left out of a body while empty, so that a record without them has the hash it always had.
OPTIONAL_MAPPINGS = ("extra", "custom_fields")


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """A record between any source and any destination. Text is trimmed; what the source lacks is an empty string.

    Times are ISO 8601 in UTC, dates ISO dates, decimals text with a point.
    """

    def to_body(self) -> dict[str, Any]:
        """JSON-ready; what `from_body` reads."""
        body = asdict(self)
        return {name: value for name, value in body.items() if value or name not in OPTIONAL_MAPPINGS}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a body of this release, an older or a newer one: unknown keys are ignored.

        Raises TypeError if a required field is missing.
        """
        return cls(**{field.name: body[field.name] for field in fields(cls) if field.name in body})
