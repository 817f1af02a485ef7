"""What is read from the sandbox: the evidence, which is journal, state and seal of one moment; or the state alone."""

from typing import Any, NamedTuple

import httpx

#: Seconds for one answer; a journal of a hundred thousand requests takes a few.
TIMEOUT_SECONDS = 60.0


class SandboxUnreachableError(Exception):
    """Raised when the sandbox cannot be read; the message is one line."""


class Evidence(NamedTuple):
    """What the sandbox says of itself."""

    journal: list[dict[str, Any]]
    export: dict[str, Any]
    #: Totals of the journal, and digests over it and the export.
    seal: dict[str, Any]


def read_evidence(sandbox_url: str) -> Evidence:
    with _client(sandbox_url) as client:
        try:
            return Evidence(**client.get("/admin/evidence").raise_for_status().json())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
            raise _unreachable(sandbox_url, error) from error


def read_export(sandbox_url: str) -> dict[str, Any]:
    with _client(sandbox_url) as client:
        try:
            return _export(client)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _unreachable(sandbox_url, error) from error


def _client(sandbox_url: str) -> httpx.Client:
    return httpx.Client(base_url=sandbox_url.rstrip("/"), timeout=TIMEOUT_SECONDS, trust_env=False)


def _export(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/admin/export").raise_for_status().json()
    return answer


def _unreachable(sandbox_url: str, error: Exception) -> SandboxUnreachableError:
    why = f"{error.response.status_code}" if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
    return SandboxUnreachableError(f"no sandbox to audit at {sandbox_url} ({why}): is it running?")
