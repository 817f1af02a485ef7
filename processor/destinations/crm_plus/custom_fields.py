"""The organization's custom fields: what there is, asked once a day, and whether a value fits.

Facts: crm-api 1.6. The API drops a value for a field that it does not have without a word, so we look first: such a
record is a dead letter, and nothing of it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from common.domain.entities import EntityKey
from common.domain.errors import PageUnreadable
from common.domain.resources import FORM_COMPLETIONS, GIFTS, PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Refusal, Refused, Write
from processor.destinations.crm_plus.account import Account

#: Whose custom fields a resource's records fill.
KINDS: Mapping[str, str] = {
    USERS: "Contact",
    FORM_COMPLETIONS: "Contact",
    PROJECTS: "VolunteerOpportunity",
    PROJECT_DATES: "VolunteerOpportunity",
    GIFTS: "Gift",
}
#: Facts: "refresh discovery daily".
KEPT = timedelta(days=1)
#: A field that is missing is asked for again after this: somebody may just have made it.
MISSED = timedelta(minutes=10)

Definition = Mapping[str, Any]


class CustomFields:
    """The definitions of one account, through the reference cache."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._opened_at = account.clock.now()

    def missing(self, resource: str, names: Sequence[str]) -> Sequence[str]:
        """Those of `names` that the organization lacks now: what was learned before this was opened does not count."""
        kind = KINDS[resource]
        known = self._remembered(kind, self._opened_at)
        if known is None:
            known = self._ask_anew(kind)
        return [name for name in names if name not in known]

    def refused(self, writes: Sequence[Write]) -> dict[EntityKey, Refused]:
        """Of writes of one resource, those with a value that would be dropped or refused."""
        wanted = {write.entity: _values(write) for write in writes}
        names = sorted({name for values in wanted.values() for name in values})
        if not names:
            return {}
        known = self._definitions(writes[0].entity.resource, names)
        found = {entity: next(_problems(entity, values, known), None) for entity, values in wanted.items()}
        return {entity: Refused(refusal=refusal) for entity, refusal in found.items() if refusal is not None}

    def _definitions(self, resource: str, names: Sequence[str]) -> Mapping[str, Definition]:
        """By name; asked for anew when one of `names` is not among those remembered."""
        kind, now = KINDS[resource], self._account.clock.now()
        known = self._remembered(kind, now - KEPT)
        if known is None or (any(name not in known for name in names) and self._remembered(kind, now - MISSED) is None):
            known = self._ask_anew(kind)
        return known

    def _ask_anew(self, kind: str) -> Mapping[str, Definition]:
        """And remember it, so that the records that follow are judged by it too."""
        now = self._account.clock.now()
        known = self._ask(kind)
        self._account.references.put(self._account.customer_id, _name(kind), list(known.values()), now)
        return known

    def _remembered(self, kind: str, not_before: Any) -> Mapping[str, Definition] | None:
        rows = self._account.references.get(self._account.customer_id, _name(kind), not_before=not_before)
        return None if rows is None else {str(row["name"]): row for row in rows}

    def _ask(self, kind: str) -> Mapping[str, Definition]:
        route = f"/api/{kind}/CustomFields"
        rows = self._account.api.read(route).json()
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) and row.get("name") for row in rows):
            raise PageUnreadable(f"crm_plus: GET {route}: the answer is no list of custom fields")
        return {str(row["name"]): dict(row) for row in rows}


def _name(kind: str) -> str:
    return f"custom_fields/{kind}"


def _values(write: Write) -> Mapping[str, Any]:
    return {} if write.is_removal else getattr(write.desired, "custom_fields", {})


def _problems(entity: EntityKey, values: Mapping[str, Any], known: Mapping[str, Definition]) -> Iterator[Refusal]:
    for name, value in values.items():
        definition = known.get(name)
        if definition is None:
            mend = "CRM+ has no such custom field; create it there, or correct `to` in the mapping, then replay"
            yield _refusal(entity, name, "unknown_custom_field", mend)
        elif mend := _mend(str(value), definition):
            yield _refusal(entity, name, "custom_field_value", mend)


def _refusal(entity: EntityKey, name: str, reason: str, mend: str) -> Refusal:
    message = f"customer {entity.customer_id}: {entity.resource} record: field 'custom:{name}': {mend}"
    return Refusal(reason=reason, message=message, field=f"custom:{name}")


def _mend(text: str, definition: Definition) -> str:
    """What is wrong with a value; empty if it fits. Types that are not known here are the destination's to judge."""
    kind = str(definition.get("dataType", "")).lower()
    if kind == "dropdown":
        options = [_label(option) for option in definition.get("options") or ()]
        return "" if text in options else f"is none of its options ({', '.join(options)}); mind upper and lower case"
    if kind == "number":
        return "" if _is_number(text) else "is no number, and the custom field is one"
    if kind == "boolean":
        return "" if text in ("true", "false") else "is neither true nor false; use the transform yes_no"
    if kind == "date":
        return "" if _is_date(text) else "is no ISO date; use the transform date_iso"
    return ""


def _label(option: Any) -> str:
    return str(option.get("value", option.get("name", ""))) if isinstance(option, Mapping) else str(option)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
