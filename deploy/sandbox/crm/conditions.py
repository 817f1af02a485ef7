"""The query language: conditions that are ANDed in a group, groups that are ORed, over parameters of a record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

from deploy.sandbox.crm.access import bad
from deploy.sandbox.crm.destination import Fields, normal

#: Not documented: what a careful client should stay below.
MAX_GROUPS, MAX_VALUES = 100, 200

Test = Callable[[Any], bool]
#: Gives the test of a value that was read, from the condition's values.
Operator = Callable[[Sequence[Any]], Test]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be asked of a record: its type, and how to read it. A text has several values; any of them may match."""

    type: str
    read: Callable[[Any], Any]


def _compares(compare: Callable[[Any, Any], bool]) -> Operator:
    return lambda wanted: lambda have: compare(have, wanted[0])


def _any_text(compare: Callable[[str, str], bool]) -> Operator:
    return lambda wanted: lambda texts: any(compare(text, want) for text in texts for want in wanted)


def _is_in(wanted: Sequence[Any]) -> Test:
    among = frozenset(wanted)
    return lambda have: have in among


def _text_in(wanted: Sequence[Any]) -> Test:
    among = frozenset(wanted)
    return lambda texts: not among.isdisjoint(texts)


def _text_out(wanted: Sequence[Any]) -> Test:
    among = frozenset(wanted)
    return among.isdisjoint


def _between(wanted: Sequence[Any]) -> Test:
    """Both ends are included."""
    first, last = wanted[0], wanted[-1]
    return lambda have: first <= have <= last


ORDERED: Mapping[str, Operator] = {
    "GreaterThan": _compares(gt),
    "GreaterThanOrEqual": _compares(ge),
    "LessThan": _compares(lt),
    "LessThanOrEqual": _compares(le),
    "Between": _between,
}
OPERATORS: Mapping[str, Mapping[str, Operator]] = {
    "Int": {"Is": _is_in, "In": _is_in, **ORDERED},
    "String": {
        "Is": _text_in,
        "In": _text_in,
        "IsNot": _text_out,
        "NotIn": _text_out,
        "Contains": _any_text(lambda have, want: want in have),
        "StartsWith": _any_text(str.startswith),
        "EndsWith": _any_text(str.endswith),
    },
    "List": {"Is": _text_in, "In": _text_in, "IsNot": _text_out},
    "Date": {
        "Is": _is_in,
        "After": _compares(gt),
        "OnOrAfter": _compares(ge),
        "Before": _compares(lt),
        "OnOrBefore": _compares(le),
        **ORDERED,
    },
    "Boolean": {"IsTrue": lambda _wanted: bool, "IsFalse": lambda _wanted: lambda have: not have},
}
#: Operators that take several values; the others take the first.
MANY = frozenset({"In", "NotIn"})
VALUELESS = frozenset({"IsTrue", "IsFalse"})


def compiled(body: Fields, parameters: Mapping[str, Parameter]) -> Test:
    """A test of records; raises Refusal 400 for anything that a query cannot mean."""
    groups = _rows(body.get("groups"), "groups")
    if len(groups) > MAX_GROUPS:
        raise bad(f"A query may have at most {MAX_GROUPS} groups.", "groups")
    tested = [[_test(each, parameters) for each in _rows(group.get("conditions"), "conditions")] for group in groups]

    def matches(record: Any) -> bool:
        read: dict[str, Any] = {}
        return not tested or any(all(test(record, read) for test in tests) for tests in tested)

    return matches


def options_of(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """What a query may ask, in the manner of the live service."""
    return [
        {
            "parameter": name,
            "type": parameter.type,
            "operators": list(OPERATORS[parameter.type]),
            "multipleValuesAllowed": not MANY.isdisjoint(OPERATORS[parameter.type]),
            "valueRequired": parameter.type != "Boolean",
            "valueOptions": [],
        }
        for name, parameter in parameters.items()
    ]


def _rows(given: object, name: str) -> list[Fields]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise bad(f"{name} must be an array of objects.", name)
    return given


def _test(condition: Fields, parameters: Mapping[str, Parameter]) -> Callable[[Any, dict[str, Any]], bool]:
    """A test that reads a parameter of a record once, however many conditions ask for it."""
    name, operator = str(condition.get("parameter")), str(condition.get("operator"))
    if name not in parameters:
        raise bad(f"Unknown parameter {name!r}.", "parameter")
    parameter = parameters[name]
    if operator not in OPERATORS[parameter.type]:
        raise bad(f"Unknown operator {operator!r}.", "operator")
    matches = OPERATORS[parameter.type][operator](_wanted(condition, operator, parameter.type))

    def test(record: Any, read: dict[str, Any]) -> bool:
        if name not in read:
            read[name] = parameter.read(record)
        return matches(read[name])

    return test


def _wanted(condition: Fields, operator: str, kind: str) -> list[Any]:
    """The values of a condition, read as the parameter's type."""
    if operator in VALUELESS:
        return []
    values = condition.get("values")
    given = values if operator in MANY and isinstance(values, list) and values else [condition.get("value")]
    if operator == "Between":
        given = [condition.get("value"), condition.get("secondaryValue")]
    if len(given) > MAX_VALUES:
        raise bad(f"A condition may have at most {MAX_VALUES} values.", "values")
    if any(value is None for value in given):
        raise bad("The condition needs a value.", "value")
    return [READERS[kind](value) for value in given]


def _number(value: object) -> int:
    if not str(value).isdecimal():
        raise bad("The value must be a number.", "value")
    return int(str(value))


def _time(value: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise bad("The value must be a date.", "value") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


READERS: Mapping[str, Callable[[object], Any]] = {"Int": _number, "String": normal, "List": normal, "Date": _time}
