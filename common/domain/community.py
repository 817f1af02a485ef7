"""What is kept in the mirror for look-up and reports, and has no counterpart at a destination of its own."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Campaign(Canonical):
    """An initiative that projects belong to."""

    name: str
    description: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Organization(Canonical):
    """The customer's own organization, or a child of it."""

    name: str
    slug: str = ""
    parent_id: str = ""
