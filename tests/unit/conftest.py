"""Property tests that say the same on every machine: seeded by the test's own name, and without a stop-watch."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=60, derandomize=True, database=None)
settings.load_profile("unit")
