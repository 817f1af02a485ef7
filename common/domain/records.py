"""Records: a normalised item of a resource, and the hashes that tell a change from a repetition."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Record:
    """One item as the source gave it, normalised at the edge; JSON-ready throughout."""

    resource: str
    source_id: str
    #: When the source says it last changed; aware UTC. Whole seconds at VOMO, so several versions may share one.
    updated_at: datetime
    #: Canonical fields, snake_case, our types.
    body: Mapping[str, Any]
    #: The item exactly as received: unknown fields are kept here.
    raw: Mapping[str, Any] = field(default_factory=dict)
    #: The scope that can tell of its absence, where it is first shown by another one that cannot.
    scope: str = ""

    @property
    def content_hash(self) -> str:
        return content_hash(self.body)


@dataclass(frozen=True, kw_only=True)
class BrokenRecord:
    """An item that could not be normalised. It becomes a dead letter; its page goes on."""

    resource: str
    #: The source's id where one could be read, else a hash of the item, so that repeats meet.
    source_id: str
    reason: str
    field: str
    message: str
    raw: Any
    #: False: its id could not be read, so that any record may be it.
    is_identified: bool = True


def content_hash(body: Mapping[str, Any]) -> str:
    """Hex digest of a canonical JSON form: key order and spacing do not matter, every value does."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def storable(value: Any) -> Any:
    """The same JSON without what PostgreSQL cannot hold: NUL characters, lone surrogates, NaN and infinities.

    One such value in one record must not keep a whole page from being saved, for ever.
    """
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value
