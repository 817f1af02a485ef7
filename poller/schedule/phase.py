"""When a customer's turn comes."""

from __future__ import annotations

import hashlib
import math


def phase_fraction(customer_id: str, job: str) -> float:
    """Where a customer's job lies between others, in [0, 1): hashed, so even, and moved by nobody who comes or goes."""
    digest = hashlib.blake2b(f"{customer_id}\x1f{job}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds: one more could round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def phase_seconds(customer_id: str, job: str, period_seconds: float) -> float:
    """A job's stable offset in a period, in [0, period)."""
    return phase_fraction(customer_id, job) * period_seconds


def next_turn(after: float, period_seconds: float, phase: float) -> float:
    """The first moment (unix seconds) later than `after` that lies `phase` into a period."""
    return (math.floor((after - phase) / period_seconds) + 1) * period_seconds + phase
