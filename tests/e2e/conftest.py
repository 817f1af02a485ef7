"""Each promise has a sandbox of its own."""

from __future__ import annotations

from support.own_sandbox import audited, sandbox, sandbox_seed, sandbox_url

__all__ = ["audited", "sandbox", "sandbox_seed", "sandbox_url"]
