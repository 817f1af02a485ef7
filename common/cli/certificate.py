"""A certificate as data and as a person reads it. Ids and names of fields only: nothing in it is personal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rich.console import Group, RenderableType

from common.cli.output import make_table, plain
from common.domain.verifying import Outcome, ResourceCertificate, outcome_of

#: Differing records that are kept with a certificate; their number by class is always whole.
KEPT = 1000
#: Lines of differing records that are shown.
SHOWN = 50
#: Characters of a root that are shown: enough to tell two apart by eye.
ROOT_CHARACTERS = 16
NUMBERS = ("SOURCE", "MIRROR", "EXPECTED", "HELD", "REQUESTS")


def as_data(
    customer_id: str, certificates: Sequence[ResourceCertificate], repaired: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "outcome": outcome_of(certificates),
        "resources": [_as_row(each) for each in certificates],
        "repaired": dict(repaired),
    }


def to_keep(certificate: ResourceCertificate) -> dict[str, Any]:
    """JSON-ready."""
    row = _as_row(certificate)
    kept: dict[str, Any] = plain({**row, "differing": row["differing"][:KEPT]})
    return kept


def outcome_in(rows: Sequence[Mapping[str, Any]]) -> Outcome:
    """Of certificates as they were kept, which no stop is among."""
    found = {row["outcome"] for row in rows}
    return next((each for each in (Outcome.DIFFERS, Outcome.EQUAL) if each in found), Outcome.UNCHECKED)


def _as_row(certificate: ResourceCertificate) -> dict[str, Any]:
    own = {each.name: getattr(certificate, each.name) for each in fields(certificate)}
    source = {"total": certificate.source.total, "how": certificate.source.how}
    return {**own, "source": source, "by_drift": dict(certificate.by_drift)}


def certificate_view(data: Mapping[str, Any]) -> RenderableType:
    """The same for eyes."""
    rows: Sequence[Mapping[str, Any]] = data["resources"]
    table = make_table("RESOURCE", *NUMBERS, "DESTINATION READ", "", right=NUMBERS)
    for row in rows:
        table.add_row(row["resource"], *_numbers(row), str(row["how"]), str(row["outcome"]).upper())
    lines = [*_roots(rows), *_classes(rows), *_records(rows), *_notes(rows)]
    lines += [f"{name}: {line}" for name, line in data["repaired"].items()]
    at = max(str(plain(row["at"])) for row in rows)[:19]
    return Group(f"{data['customer_id']} at {at} UTC: {str(data['outcome']).upper()}", "", table, "", *lines)


def _numbers(row: Mapping[str, Any]) -> Iterator[str]:
    total, is_read = row["source"]["total"], bool(row["left_root"])
    yield "" if total is None else f"{total:,}"
    yield f"{row['mirrored']:,}"
    yield f"{row['expected']:,}" if is_read else ""
    yield f"{row['held']:,}" if is_read else ""
    yield f"{row['source_requests']}+{row['destination_requests']}"


def _roots(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        left, right = row["left_root"][:ROOT_CHARACTERS], row["right_root"][:ROOT_CHARACTERS]
        if left:
            yield f"{row['resource']}: expected {left} {'=' if left == right else 'is not'} {right} held"


def _classes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["by_drift"]:
            told = ", ".join(f"{count:,} {drift}" for drift, count in sorted(row["by_drift"].items()))
            yield f"{row['resource']}: {told}"


def _records(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found = [plain(each) for row in rows for each in row["differing"]]
    for each in found[:SHOWN]:
        there = f", held as {each['destination_id']}" if each["destination_id"] else ""
        names = f": {', '.join(each['fields'])}" if each["fields"] else ""
        yield f"  {each['resource']}/{each['source_id']} {each['drift']}{there}{names}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN:,} more: --json has them"


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["source"]["total"] is not None:
            yield f"note: {row['resource']}: of the source {row['source']['how']}"
        yield from (f"note: {row['resource']}: {line}" for line in row["notes"])
