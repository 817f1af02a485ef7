"""The admin surface from a test's side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

#: What can be created, changed and deleted besides users.
Resource = Literal[
    "projects",
    "project_dates",
    "participations",
    "groups",
    "group_members",
    "campaigns",
    "forms",
    "form_completions",
    "certificates",
    "earned_certificates",
]


@dataclass(frozen=True, slots=True)
class Access:
    """How a client reaches one organization in both systems."""

    name: str
    volunteer_base_url: str
    volunteer_token: str = field(repr=False)
    crm_base_url: str
    crm_token: str = field(repr=False)
    users: int
    canary: str


class SandboxAdmin:
    """A client of `/admin`; raises httpx.HTTPStatusError where the sandbox refuses."""

    def __init__(self, url: str, *, timeout_seconds: float = 60) -> None:
        self._client = httpx.Client(base_url=f"{url}/admin", timeout=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def health(self) -> dict[str, Any]:
        return self._object("GET", "/health")

    def create_organizations(self, *customers: Mapping[str, Any]) -> list[Access]:
        """Each mapping has a name, and settings where the defaults will not do."""
        rows = self._send("POST", "/organizations", {"customers": list(customers)}).json()
        return [Access(**row) for row in rows]

    def create_organization(self, name: str, **settings: object) -> Access:
        return self.create_organizations({"name": name, **settings})[0]

    def change_organization(self, name: str, **settings: object) -> dict[str, Any]:
        return self._object("PUT", f"/organizations/{name}", settings)

    def create_user(self, name: str, **overrides: object) -> dict[str, Any]:
        return self._object("POST", f"/organizations/{name}/users", overrides)

    def change_user(self, name: str, user_id: int, **values: object) -> dict[str, Any]:
        return self._object("PATCH", f"/organizations/{name}/users/{user_id}", values)

    def delete_user(self, name: str, user_id: int) -> None:
        self._send("DELETE", f"/organizations/{name}/users/{user_id}")

    def create_record(self, name: str, resource: Resource, /, **values: object) -> dict[str, Any]:
        """The new row, as it is exported; values that are left out are invented, `omit` hides fields."""
        return self._object("POST", f"/organizations/{name}/records/{resource}", values)

    def change_record(self, name: str, resource: Resource, record_id: int | str, /, **values: object) -> dict[str, Any]:
        """The row after the change; `silent=True` leaves its `updated_at`."""
        return self._object("PATCH", _record(name, resource, record_id), values)

    def delete_record(self, name: str, resource: Resource, record_id: int | str) -> None:
        self._send("DELETE", _record(name, resource, record_id))

    def create_contact(self, organization: str, **values: object) -> dict[str, Any]:
        """As staff make one: the body of `POST /api/Contact`, and `references` [{source, id}]; gives it in full."""
        return self._object("POST", f"/organizations/{organization}/contacts", values)

    def change_contact(self, organization: str, contact_id: int, **values: object) -> dict[str, Any]:
        """Corrected in place: firstName, lastName, email, phone, address parts, customFields, of `individualId`."""
        return self._object("PATCH", f"/organizations/{organization}/contacts/{contact_id}", values)

    def archive_contact(self, name: str, contact_id: int, *, archived: bool = True) -> dict[str, Any]:
        verb = "archive" if archived else "unarchive"
        return self._object("POST", f"/organizations/{name}/contacts/{contact_id}/{verb}")

    def merge_contacts(self, name: str, *, loser: int, winner: int) -> dict[str, Any]:
        """Gives the loser."""
        return self._object("POST", f"/organizations/{name}/contacts/{loser}/merge", {"into": winner})

    def create_tag(self, name: str, tag: str) -> dict[str, Any]:
        """`{id, tagName}`, of the known one where there is one."""
        return self._object("POST", f"/organizations/{name}/tags", {"tagName": tag})

    def create_tags(self, name: str) -> None:
        """As staff do: the API makes no tags, and groups and certificates become those of their names."""
        source = self.export(name)["source"]
        for label in sorted({row["name"] for row in (*source["groups"], *source["certificates"])}):
            self.create_tag(name, label)

    def delete_tag(self, name: str, tag_id: int) -> None:
        self._send("DELETE", f"/organizations/{name}/tags/{tag_id}")

    def define_custom_field(self, name: str, resource: str, field: str, **values: object) -> dict[str, Any]:
        """dataType, options, displayName; the keyword `renamed` gives it another name."""
        if "renamed" in values:
            values["name"] = values.pop("renamed")
        return self._object("PUT", _custom_field(name, resource, field), values)

    def remove_custom_field(self, name: str, resource: str, field: str) -> None:
        self._send("DELETE", _custom_field(name, resource, field))

    def create_fund(self, organization: str, **values: object) -> dict[str, Any]:
        """A project of CRM+, in the fields of its API."""
        return self._object("POST", f"/organizations/{organization}/funds", values)

    def change_fund(self, organization: str, fund_id: int, **values: object) -> dict[str, Any]:
        return self._object("PATCH", f"/organizations/{organization}/funds/{fund_id}", values)

    def run_import(self, name: str) -> int:
        return int(self._object("POST", f"/organizations/{name}/import")["imported"])

    def start_edits(
        self,
        *,
        seconds: float,
        per_second: float,
        weights: Mapping[str, float] | None = None,
        organizations: Sequence[str] | None = None,
        seed: int = 0,
    ) -> dict[str, Any]:
        body = {"seconds": seconds, "per_second": per_second, "weights": weights, "seed": seed}
        return self._object("POST", "/edits", {**body, "organizations": organizations})

    def edits(self) -> dict[str, Any]:
        return self._object("GET", "/edits")

    def stop_edits(self) -> dict[str, Any]:
        return self._object("DELETE", "/edits")

    def add_faults(self, *rules: Mapping[str, Any]) -> list[str]:
        return list(self._object("POST", "/faults", {"rules": list(rules)})["ids"])

    def play(self, name: str, *steps: object, **where: object) -> str:
        """A script for one organization: what happens to its next requests in turn; then all is normal again.

        A step is a status (200 lets it through), "reset", "applied_then_reset", or an object with `status`, `applied`,
        `retry_after_seconds`, `body`. `where`: system, method, route. Gives the id for `steps_left`.
        """
        return self.add_faults({"kind": "script", "organization": name, "script": list(steps), **where})[0]

    def steps_left(self, script_id: str) -> int:
        """Of a script that was not removed."""
        return next(len(rule["script"]) for rule in self.faults() if rule["id"] == script_id)

    def faults(self) -> list[dict[str, Any]]:
        return list(self._object("GET", "/faults")["rules"])

    def clear_faults(self) -> None:
        self._send("DELETE", "/faults")

    def remove_fault(self, fault_id: str) -> None:
        self._send("DELETE", f"/faults/{fault_id}")

    def export(self, name: str | None = None) -> dict[str, Any]:
        """Everything, or one organization."""
        return self._object("GET", f"/export/{name}" if name else "/export")

    def journal(self, *, after: int = 0, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Entries with a greater number than `after`, in order of arrival."""
        query = {"after": after} if limit is None else {"after": after, "limit": limit}
        with self._client.stream("GET", "/journal", params=query) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line:
                    yield json.loads(line)

    def _object(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._send(method, path, body).json()
        return answer

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._client.request(method, path, json=body).raise_for_status()


def _custom_field(name: str, resource: str, field: str) -> str:
    return f"/organizations/{name}/custom_fields/{resource}/{quote(field, safe='')}"


def _record(name: str, resource: Resource, record_id: int | str) -> str:
    """The path of a record; an id may hold a role, and a role anything."""
    return f"/organizations/{name}/records/{resource}/{quote(str(record_id), safe='')}"
