"""One real sandbox process per test module, and clients of it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from deploy.sandbox.client import Access, SandboxAdmin
from deploy.sandbox.process import start_sandbox

#: Settings that take the chance out of a test; a test changes what it is about.
PLAIN = {
    "users": 40,
    "volunteer_requests_per_minute": 100_000,
    "crm_requests_per_hour": 100_000,
    "import_mode": "by_hand",
    "error_shape": "envelope",
    "refusal_status": 422,
    "id_style": "int",
    "timestamp_style": "offset",
    "next_style": "null",
    "meta_style": "int",
    "bulk_endpoints": True,
    "volunteer_module": True,
}


class Desk:
    """One organization of the running sandbox: a client for each system, and the admin surface."""

    def __init__(self, admin: SandboxAdmin, access: Access) -> None:
        self.admin = admin
        self.access = access
        self.name = access.name
        self.volunteer = _client(access.volunteer_base_url, access.volunteer_token)
        self.crm = _client(access.crm_base_url, access.crm_token)

    def close(self) -> None:
        self.volunteer.close()
        self.crm.close()

    def users(self, **query: Any) -> list[dict[str, Any]]:
        """All rows of /users, page by page along the links."""
        rows: list[dict[str, Any]] = []
        answer = self.volunteer.get("/users", params=query).json()
        while True:
            rows += answer["data"]
            if answer["links"]["next"] in (None, "null"):
                return rows
            answer = self.volunteer.get(answer["links"]["next"]).json()

    def submit(self, *items: dict[str, Any], source: str = "VOMO") -> httpx.Response:
        return self.crm.post("/api/Contact/Batch", json={"referenceSource": source, "contacts": list(items)})

    def create_contact(self, email: str, **more: Any) -> dict[str, Any]:
        methods = [{"type": "Home Email", "value": email}, {"type": "Home Phone", "value": "555-0100"}]
        person = {"firstName": "Fenmar", "lastName": "Quonox", "contactMethods": methods}
        body = {"contactType": "Household", "contactIndividuals": [person], **more}
        return self.crm.post("/api/Contact", json=body).raise_for_status().json()

    def contacts(self) -> list[dict[str, Any]]:
        return self.admin.export(self.name)["destination"]["contacts"]

    def journal(self, **wanted: Any) -> list[dict[str, Any]]:
        rows = [row for row in self.admin.journal() if row["organization"] == self.name]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def flat(reference: str, **changes: Any) -> dict[str, Any]:
    item = {
        "referenceId": reference,
        "contactType": "Household",
        "firstName": "Fenmar",
        "lastName": "Quonox",
        "emailType": "Home Email",
        "email": f"contact{reference}@example.org",
    }
    return {name: value for name, value in {**item, **changes}.items() if value is not ...}


@pytest.fixture(scope="module")
def admin() -> Iterator[SandboxAdmin]:
    with start_sandbox(seed=7) as url, SandboxAdmin(url) as client:
        yield client


@pytest.fixture
def desk(admin: SandboxAdmin) -> Iterator[Callable[..., Desk]]:
    """Opens an organization of its own for the test; faults end with it."""
    opened: list[Desk] = []

    def open_desk(**settings: Any) -> Desk:
        name = f"org{admin.health()['organizations']}"
        opened.append(Desk(admin, admin.create_organization(name, **{**PLAIN, **settings})))
        return opened[-1]

    yield open_desk
    for each in opened:
        each.close()
    admin.clear_faults()


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    return flat


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Asks again until it is so; the asking is what takes the time."""

    def wait(condition: Callable[[], bool], *, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"

    return wait


def _client(base_url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
