"""`POST /api/Contact/Query`: conditions that are ANDed in a group, groups that are ORed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from deploy.sandbox.crm.access import bad, window
from deploy.sandbox.crm.destination import Contact, Fields, normal
from deploy.sandbox.crm.rendering import brief_contact, display_name, full_contact
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply

Compare = Callable[[Any, Any], bool]
Test = Callable[[Contact], bool]

NUMBER_OPERATORS: Mapping[str, Compare] = {
    "Is": eq, "GreaterThan": gt, "GreaterThanOrEqual": ge, "LessThan": lt, "LessThanOrEqual": le,
}  # fmt: skip
TEXT_OPERATORS: Mapping[str, Compare] = {
    "Is": eq, "In": eq, "IsNot": ne, "Contains": lambda have, want: want in have, "StartsWith": str.startswith,
}  # fmt: skip
TIME_OPERATORS: Mapping[str, Compare] = {
    "After": gt, "OnOrAfter": ge, "Before": lt, "OnOrBefore": le, "GreaterThan": gt, "LessThan": lt,
}  # fmt: skip
#: Parameter -> how to read it from a contact; several values mean that any may match.
NUMBERS: Mapping[str, Callable[[Contact], int]] = {"Contact Id": lambda contact: contact.id}
TEXTS: Mapping[str, Callable[[Contact], list[str]]] = {
    "Email Address": lambda contact: _methods(contact, "email"),
    "Phone": lambda contact: _methods(contact, "phone"),
    "First Name": lambda contact: _persons(contact, "firstName"),
    "Last Name": lambda contact: _persons(contact, "lastName"),
    "Contact Name": lambda contact: [normal(display_name(contact) or "")],
    "Contact Type": lambda contact: [normal(contact.fields.get("contactType"))],
}
TIMES: Mapping[str, Callable[[Contact], datetime]] = {
    "Create DateTime UTC": lambda contact: contact.created,
    "Last Modified DateTime UTC": lambda contact: contact.modified,
    "Create Date": lambda contact: _day(contact.created),
    "Last Modified Date": lambda contact: _day(contact.modified),
}
SORTS: Mapping[str, Callable[[Contact], Any]] = {
    "Id": lambda contact: contact.id,
    "Contact Id": lambda contact: contact.id,
    "Name": lambda contact: (display_name(contact) or "", contact.id),
    "CreatedDateTime": lambda contact: (contact.created, contact.id),
    "LastModifiedDateTime": lambda contact: (contact.modified, contact.id),
}


def query_brief(call: Call) -> Reply:
    return _query(call, brief_contact)


def query_full(call: Call) -> Reply:
    return _query(call, full_contact)


def list_options(_call: Call) -> Reply:
    """What a query may ask, in the manner of the live service."""
    kinds = (("Int", NUMBERS, NUMBER_OPERATORS), ("String", TEXTS, TEXT_OPERATORS), ("Date", TIMES, TIME_OPERATORS))
    options = [
        {"parameter": name, "type": kind, "operators": list(operators), "valueRequired": True, "valueOptions": []}
        for kind, parameters, operators in kinds
        for name in parameters
    ]
    return Reply(payload={"options": options, "sortOptions": list(SORTS)})


def _query(call: Call, render: Callable[[Contact], dict[str, Any]]) -> Reply:
    body = require_object(call.body or {})
    span = window(call)
    groups = [[_test(condition) for condition in group.get("conditions") or ()] for group in body.get("groups") or ()]
    archived_too = bool(body.get("includeArchived"))
    found = [
        contact
        for contact in call.organization.destination.contacts.values()
        if (archived_too or not contact.archived)
        and (not groups or any(all(test(contact) for test in tests) for tests in groups))
    ]
    found.sort(key=_sort_key(body), reverse=bool(body.get("descending")))
    call.entry.contact_ids = tuple(contact.id for contact in found[span])
    return Reply(payload={"list": [render(contact) for contact in found[span]], "total": len(found)})


def _sort_key(body: Fields) -> Callable[[Contact], Any]:
    name = body.get("sortBy") or "Id"
    if name not in SORTS:
        raise bad(f"Unknown sort {name!r}.", "sortBy")
    return SORTS[name]


def _test(condition: Fields) -> Test:
    name, operator, value = str(condition.get("parameter")), condition.get("operator"), condition.get("value")
    if name in NUMBERS:
        return _number_test(NUMBERS[name], _operator(NUMBER_OPERATORS, operator), value)
    if name in TEXTS:
        return _text_test(TEXTS[name], _operator(TEXT_OPERATORS, operator), condition.get("values") or [value])
    if name in TIMES:
        return _time_test(TIMES[name], _operator(TIME_OPERATORS, operator), value)
    raise bad(f"Unknown parameter {name!r}.", "parameter")


def _operator(operators: Mapping[str, Compare], given: object) -> Compare:
    name = str(given)
    if name not in operators:
        raise bad(f"Unknown operator {name!r}.", "operator")
    return operators[name]


def _number_test(read: Callable[[Contact], int], compare: Compare, value: object) -> Test:
    if not str(value).isdecimal():
        raise bad("The value must be a number.", "value")
    wanted = int(str(value))
    return lambda contact: compare(read(contact), wanted)


def _text_test(read: Callable[[Contact], list[str]], compare: Compare, values: list[object]) -> Test:
    wanted = [normal(value) for value in values]
    return lambda contact: any(compare(text, want) for text in read(contact) for want in wanted)


def _time_test(read: Callable[[Contact], datetime], compare: Compare, value: object) -> Test:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise bad("The value must be a date.", "value") from error
    wanted = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return lambda contact: compare(read(contact), wanted)


def _methods(contact: Contact, label: str) -> list[str]:
    methods = [method for individual in contact.individuals for method in individual.methods]
    return [normal(method["value"]) for method in methods if label in method["type"].lower()]


def _persons(contact: Contact, name: str) -> list[str]:
    return [normal(individual.fields.get(name)) for individual in contact.individuals]


def _day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
