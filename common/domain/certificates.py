"""Certificates: definitions, and who earned them until when."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Certificate(Canonical):
    """A definition."""

    name: str
    #: Digits, or empty: it does not expire.
    expires_after_days: str = ""


@dataclass(frozen=True, kw_only=True)
class EarnedCertificate(Canonical):
    """One user's certificate. Source id: `<certificate_id>:<user_id>`."""

    certificate_id: str
    user_id: str
    earned_at: str = ""
    expires_at: str = ""
