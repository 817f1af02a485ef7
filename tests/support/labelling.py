"""Groups, certificates, completions and gifts at a destination that is a real sandbox, without the processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from common.domain.certificates import Certificate, EarnedCertificate
from common.domain.forms import FormCompletion
from common.domain.gifts import Gift
from common.domain.groups import Group, GroupMember
from common.domain.resources import (
    CERTIFICATES,
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    GIFTS,
    GROUP_MEMBERS,
    GROUPS,
    USERS,
)
from common.domain.writes import Write
from deploy.sandbox.client import Access, SandboxAdmin
from support.volunteering import Volunteering


class Labelling(Volunteering):
    """People, and what hangs on them."""

    def __init__(self, access: Access, transport: httpx.Client, sandbox: SandboxAdmin, **options: Any) -> None:
        super().__init__(access, transport, sandbox, **options)
        #: Source ids of the people a test works with.
        self.ids: list[str] = []
        self._options = options

    def reopen(self) -> None:
        """As the next slice: nothing is known but the links and what the reference cache holds."""
        fresh = Labelling(self.access, self._transport, self.sandbox, **self._options)
        fresh.references._rows.update(self.references._rows)
        self.destination, self.references = fresh.destination, fresh.references

    def staff(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What people of the organization do by themselves; a deletion is answered without a body."""
        if body is not None:
            return super().staff(method, path, body)
        headers = {"Authorization": f"Bearer {self.access.crm_token}"}
        return self._transport.request(method, f"{self.access.crm_base_url}{path}", headers=headers).raise_for_status()

    def people(self, count: int) -> list[str]:
        """Source ids of contacts that staff have made and we are linked to."""
        ids = [str(4101 + number) for number in range(count)]
        for source_id in ids:
            self.link_person(source_id)
        return ids

    def link_person(self, source_id: str, contact_id: str = "") -> str:
        """To a contact of its own, or to one that is another's too. Gives the contact's id."""
        if not contact_id:
            names = {"firstName": "Fenmar", "lastName": f"Quonox{source_id}", "isPrimary": True}
            body = {"contactType": "Household", "contactIndividuals": [names]}
            contact_id = str(self.staff("POST", "/api/Contact", body)["id"])
        return self.link(self.key(USERS, source_id), contact_id, {}).destination_id

    def contact(self, source_id: str) -> str:
        return self.links[self.key(USERS, source_id)].destination_id

    def group(self, source_id: str = "61", name: str = "Volunteer") -> Write:
        return self.write(GROUPS, source_id, Group(name=name))

    def certificate(self, source_id: str = "9", name: str = "Donor") -> Write:
        return self.write(CERTIFICATES, source_id, Certificate(name=name))

    def member(self, user_id: str, group_id: str = "61", **changes: Any) -> Write:
        record = GroupMember(group_id=group_id, user_id=user_id)
        return self._under(
            self.write(GROUP_MEMBERS, f"{group_id}:{user_id}", record, **changes), user_id, GROUPS, group_id
        )

    def earned(self, user_id: str, expires_at: str = "2027-01-02", **changes: Any) -> Write:
        record = EarnedCertificate(certificate_id="9", user_id=user_id, earned_at="2026-01-02", expires_at=expires_at)
        return self._under(
            self.write(EARNED_CERTIFICATES, f"9:{user_id}", record, **changes), user_id, CERTIFICATES, "9"
        )

    def completion(self, source_id: str, user_id: str, *, is_removal: bool = False, **changes: Any) -> Write:
        base = {
            "form_id": "310", "form_name": "Waiver", "user_id": user_id, "completed_at": "2026-01-02T03:04:05+00:00",
            "answers": [{"field_id": "77", "label": "Size", "value": "M"}],
        }  # fmt: skip
        record = FormCompletion(**{**base, **changes})
        return self._under(self.write(FORM_COMPLETIONS, source_id, record, is_removal=is_removal), user_id)

    def gift(self, source_id: str, **changes: Any) -> Write:
        base = {
            "amount": "25.00", "gift_date": "2026-01-02", "gift_type": "Check", "first_name": "Fenmar",
            "last_name": "Quonox", "email": f"g{source_id}@example.org", "project_code": "GEN",
        }  # fmt: skip
        record = Gift(**{**base, **changes})
        return self._under(self.write(GIFTS, source_id, record), record.user_id)

    def _under(self, write: Write, user_id: str, resource: str = "", source_id: str = "") -> Write:
        """With the parents that its handler asks for."""
        wanted = [(USERS, user_id), (resource, source_id)]
        keys = [] if write.is_removal else [self.key(*each) for each in wanted if all(each)]
        return replace(write, parents={key: self.links[key] for key in keys})

    def tags_of(self, source_id: str) -> list[int]:
        contact_id = self.contact(source_id)
        return [row["tagId"] for row in self.shown("contact_tags") if str(row["contactId"]) == contact_id]

    def texts(self) -> list[str]:
        return [row["note"] for row in self.shown("notes")]
