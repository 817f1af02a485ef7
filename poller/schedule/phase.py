"""When a customer's turn comes."""

from __future__ import annotations

import hashlib
import math


def phase_seconds(customer_id: str, job: str, period_seconds: float) -> float:
    """A customer's stable offset in a period, in [0, period): hashed, so turns are spread evenly and never shift."""
    digest = hashlib.blake2b(f"{customer_id}\x1f{job}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * period_seconds


def next_turn(after: float, period_seconds: float, phase: float) -> float:
    """The first moment (unix seconds) later than `after` that lies `phase` into a period."""
    return (math.floor((after - phase) / period_seconds) + 1) * period_seconds + phase
