"""The report as a table for a terminal, and the line that sums it up."""

from rich.table import Table
from rich.text import Text

from deploy.audit.report import Report, Row

#: Heading and attribute; a number above zero in one of them fails the audit.
BREAKS = (
    ("missing", "missing"),
    ("wrong", "wrong"),
    ("doubled", "duplicates"),
    ("order", "order_breaks"),
    ("over budget", "over_budget"),
    ("mixed", "mixed"),
)
#: For information.
FIGURES = (("429", "rejected"), ("kept after delete", "kept_after_delete"), ("changes", "changes"))


def render(report: Report) -> Table:
    """One line per customer, and the sum."""
    table = Table(title=f"Audit: {report.verdict}", title_style="bold green" if report.passed else "bold red")
    table.add_column("customer")
    for heading in ("source", "dest.", *(name for name, _ in (*BREAKS, *FIGURES)), "p50 s", "p95 s", "req/1000"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        table.add_row(*_cells(row))
    table.add_section()
    table.add_row(*_totals(report), style="bold")
    return table


def summary(report: Report) -> str:
    """`PASS` or `FAIL`, and the numbers that it stands on, on one line."""
    breaks = ", ".join(f"{report.total(name)} {heading}" for heading, name in BREAKS)
    fresh = f"freshness p50 {_seconds(report.freshness_p50_seconds)} s p95 {_seconds(report.freshness_p95_seconds)} s"
    records = f"{report.total('source')} source records, {report.total('destination')} contacts"
    changes = f"{report.total('changes')} changes"
    return f"{report.verdict} {len(report.rows)} customers, {records}, {breaks}, {changes}, {fresh}"


def _cells(row: Row) -> list[str | Text]:
    return [
        row.organization,
        str(row.source),
        str(row.destination),
        *(_break(getattr(row, name)) for _, name in BREAKS),
        *(str(getattr(row, name)) for _, name in FIGURES),
        _seconds(row.freshness_p50_seconds),
        _seconds(row.freshness_p95_seconds),
        "-" if row.requests_per_1000_changes is None else f"{row.requests_per_1000_changes:.0f}",
    ]


def _totals(report: Report) -> list[str | Text]:
    changes = report.total("changes")
    return [
        "all",
        str(report.total("source")),
        str(report.total("destination")),
        *(_break(report.total(name)) for _, name in BREAKS),
        *(str(report.total(name)) for _, name in FIGURES),
        _seconds(report.freshness_p50_seconds),
        _seconds(report.freshness_p95_seconds),
        f"{1000 * report.total('destination_requests') / changes:.0f}" if changes else "-",
    ]


def _break(count: int) -> Text:
    return Text(str(count), style="bold red" if count else "")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
