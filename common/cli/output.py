"""What commands print: a table or a line for people, one JSON value with `--json`; notes go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

#: Columns when the output is no terminal: what the tables are made for.
PIPE_COLUMNS = 100


def show(data: object, *, as_json: bool, human: Callable[[], RenderableType]) -> None:
    """Print `data` as JSON, or what `human` makes of it."""
    if as_json:
        print_json(data)
    else:
        make_console().print(human())


def print_json(data: object) -> None:
    """One line: several values, as of `--watch`, can be read line by line."""
    sys.stdout.write(json.dumps(plain(data), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Something worth knowing that is no failure."""
    sys.stderr.write(f"note: {line}\n")


def make_console(pipe_columns: int = PIPE_COLUMNS) -> Console:
    width = None if sys.stdout.isatty() else pipe_columns
    return Console(file=sys.stdout, width=width, highlight=False, markup=False)


def plain(value: object) -> Any:
    """As JSON takes it. Times become ISO in UTC; anything unforeseen, a secret for one, is refused."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(entry) for entry in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


def make_table(*headings: str, right: Sequence[str] = (), folded: Sequence[str] = ()) -> Table:
    """A table without lines; headings in `right` are aligned there, for numbers.

    Those in `folded` hold sentences: they take more lines where there is no room, so that no other column is cut.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in headings:
        how: dict[str, Any] = {"overflow": "fold"} if heading in folded else {"no_wrap": True, "overflow": "ellipsis"}
        table.add_column(heading, justify="right" if heading in right else "left", **how)
    return table


def make_sheet(values: Mapping[str, str]) -> Table:
    """Names and values, one pair a line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(name, value)
    return table
