"""Whether the journal is whole and as it was written: its chain of seals, its totals, and the counts kept beside it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.report import Finding, Kind

Row = Mapping[str, Any]
#: Characters of a digest, as the sandbox writes them.
DIGEST_CHARACTERS = 32


def digest(content: object, before: str = "") -> str:
    """Of JSON in its canonical spelling, after the digest `before`."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}{text}".encode()).hexdigest()[:DIGEST_CHARACTERS]


def broken_seals(journal: Sequence[Row], export: Row, seal: Row) -> Iterator[Finding]:
    yield from _totals(journal, seal)
    yield from _chain(journal, seal)
    yield from _arrivals(journal, seal)
    if digest(export) != seal.get("export"):
        yield record_finding("(all)", "", "the state is not the one that was exported")


def chained(rows: Iterable[object], seal: Row) -> bool:
    """Whether a log is what was sealed."""
    count, before = 0, ""
    for row in rows:
        count, before = count + 1, digest(row, before)
    return (count, before) == (seal.get("count"), seal.get("seal"))


def record_finding(organization: str, entity_id: str, what: str) -> Finding:
    explanation = f"{what}: nothing can be concluded from it"
    return Finding(organization=organization, kind=Kind.RECORD, entity_id=entity_id, field="", explanation=explanation)


def _totals(journal: Sequence[Row], seal: Row) -> Iterator[Finding]:
    if [row.get("seq") for row in journal] != list(range(1, len(journal) + 1)):
        yield record_finding("(all)", "", "the journal is not numbered from 1 without a gap")
    if len(journal) != seal.get("entries"):
        what = f"the journal has {len(journal)} entries, {seal.get('entries')} were written"
        yield record_finding("(all)", "", what)


def _chain(journal: Sequence[Row], seal: Row) -> Iterator[Finding]:
    """An entry that is still being answered is in no chain yet; it is in the totals."""
    complete = [row for row in journal if row.get("closed") is not None]
    if any((row.get("closed") is None) != (row.get("finished_at") is None) for row in journal):
        yield record_finding("(all)", "", "an entry of the journal is complete and not sealed, or the reverse")
    before = ""
    for number, row in enumerate(sorted(complete, key=lambda row: str(row["closed"]).zfill(12)), 1):
        before = digest({name: value for name, value in row.items() if name != "seal"}, before)
        if row["closed"] != number or row.get("seal") != before:
            yield record_finding(str(row.get("organization")), str(row.get("seq")), "a journal entry breaks its seal")
            return
    if (len(complete), before) != (seal.get("count"), seal.get("seal")):
        yield record_finding("(all)", "", "the journal does not end as it was sealed")


def _arrivals(journal: Sequence[Row], seal: Row) -> Iterator[Finding]:
    """Requests as the gate counted them, which knows nothing of the journal."""
    noted = Counter(
        (str(row.get("organization") or ""), str(row.get("system"))) for row in journal if row.get("method") != "IMPORT"
    )
    counted = {
        (name, system): number
        for name, systems in (seal.get("arrivals") or {}).items()
        for system, number in systems.items()
    }
    for name, system in sorted(noted.keys() | counted.keys()):
        if noted[name, system] != counted.get((name, system), 0):
            what = f"{noted[name, system]} requests are noted, {counted.get((name, system), 0)} were received"
            yield record_finding(name or "(nobody)", system, what)
