"""The report as a table for a terminal, and the line that sums it up."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.audit.report import Report, Row

#: Heading, word and attribute; a number above zero in one of them fails the audit.
BREAKS = (
    ("miss-\ning", "missing", "missing"),
    ("wrong", "wrong", "wrong"),
    ("dou-\nbled", "duplicates", "duplicates"),
    ("order\nbreaks", "order breaks", "order_breaks"),
    ("over\nbudget", "over budget", "over_budget"),
    ("mixed", "mixed", "mixed"),
)
#: For information; left out where the terminal is narrow.
ASIDE = ("facts", "429", "kept", "req/\n1000")
#: Characters from which nothing is left out.
WIDE = 100
#: Findings shown below the table; the JSON has all of them.
FINDINGS_SHOWN = 20


def render(report: Report, *, wide: bool = True) -> Table:
    """One line per customer, and the sum."""
    style = "bold green" if report.passed else "bold red"
    table = Table(
        title=f"Audit: {report.verdict}",
        title_style=style,
        box=box.SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("customer", no_wrap=True)
    headings = ("source", "con-\ntacts", *(heading for heading, _, _ in BREAKS), "edits", "p50 s", "p95 s")
    for heading in (*headings, *(ASIDE if wide else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(*_cells(row, wide=wide))
    table.add_section()
    table.add_row(*_totals(report, wide=wide), style="bold")
    return table


def show(report: Report, console: Console) -> None:
    """The table, and the first findings below it."""
    console.print(render(report, wide=console.width >= WIDE))
    for finding in report.findings[:FINDINGS_SHOWN]:
        place = " ".join(filter(None, (finding.organization, finding.kind, finding.entity_id, finding.field)))
        console.print(f"  {place}: {finding.explanation}", markup=False, highlight=False, soft_wrap=True)
    if len(report.findings) > FINDINGS_SHOWN:
        console.print(f"  and {len(report.findings) - FINDINGS_SHOWN} more: see --json")


def summary(report: Report) -> str:
    """`PASS` or `FAIL`, and the numbers that it stands on, on one line."""
    breaks = ", ".join(f"{report.total(name)} {word}" for _, word, name in BREAKS)
    fresh = f"freshness p50 {_seconds(report.freshness_p50_seconds)} s p95 {_seconds(report.freshness_p95_seconds)} s"
    records = f"{report.total('source')} source records, {report.total('destination')} contacts"
    facts = report.total("facts")
    records += f", {facts} other facts" if facts else ""
    changes = f"{report.total('changes')} edits, {_per_1000(report)} requests per 1,000"
    return f"{report.verdict} {len(report.rows)} customers, {records}, {breaks}, {changes}, {fresh}"


def _cells(row: Row, *, wide: bool) -> Sequence[str | Text]:
    requests = row.requests_per_1000_changes
    return [
        row.organization,
        str(row.source),
        str(row.destination),
        *(_break(getattr(row, name)) for _, _, name in BREAKS),
        str(row.changes),
        _seconds(row.freshness_p50_seconds),
        _seconds(row.freshness_p95_seconds),
        *([str(row.facts), str(row.rejected), str(row.kept_after_delete), _whole(requests)] if wide else []),
    ]


def _totals(report: Report, *, wide: bool) -> Sequence[str | Text]:
    aside = [
        str(report.total("facts")),
        str(report.total("rejected")),
        str(report.total("kept_after_delete")),
        _per_1000(report),
    ]
    return [
        "all",
        str(report.total("source")),
        str(report.total("destination")),
        *(_break(report.total(name)) for _, _, name in BREAKS),
        str(report.total("changes")),
        _seconds(report.freshness_p50_seconds),
        _seconds(report.freshness_p95_seconds),
        *(aside if wide else []),
    ]


def _per_1000(report: Report) -> str:
    changes = report.total("changes")
    return _whole(1000 * report.total("destination_requests") / changes if changes else None)


def _break(count: int) -> Text:
    return Text(str(count), style="bold red" if count else "")


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
