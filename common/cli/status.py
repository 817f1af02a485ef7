"""`fleet status`: how the customers stand, once or live. PostgreSQL knows it; Redis only adds the queues' depths."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import typer
from redis.exceptions import RedisError
from rich.live import Live

from common.cli.backfills import Backfilling, by_customer
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson
from common.cli.output import make_console, print_json, show
from common.cli.standing import Standing, standings, totals, view

#: Between two looks of `--watch`.
WATCH_SECONDS = 1.0


def status(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again each second, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """How all customers stand, or one; trouble first."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        if watch:
            _watch(parts, customer_id, as_json=as_json)
            return
        rows = look(parts, customer_id)
        now = parts.clock.now()
        show(_data(parts, rows), as_json=as_json, human=lambda: view(rows, now))


def look(parts: Parts, customer_id: str | None = None) -> list[Standing]:
    """How they stand now."""
    rows = [row for row in parts.overview.customers() if customer_id in (None, row.customer_id)]
    now, backfills = parts.clock.now(), backfills_of(parts, customer_id)
    try:
        depths = parts.hot_set.depths(row.customer_id for row in rows)
    except RedisError:
        depths = None
    found = standings(rows, depths, now, parts.backlog_limits)
    return [replace(row, backfilling=backfills.get(row.customer_id, ())) for row in found]


def backfills_of(parts: Parts, customer_id: str | None = None) -> Mapping[str, Sequence[Backfilling]]:
    """By customer, those that are not through. Customers are read only if there are any."""
    rows = parts.backfills.standing(customer_id)
    customers = {row.customer_id: parts.customers.get(row.customer_id) for row in rows}
    return by_customer(rows, customers, parts.clock.now())


def _data(parts: Parts, rows: list[Standing]) -> dict[str, object]:
    return {"at": parts.clock.now(), "customers": rows, "totals": totals(rows)}


def _watch(parts: Parts, customer_id: str | None, *, as_json: bool) -> None:
    """Until Ctrl-C, which is how it is meant to end."""
    try:
        if as_json:
            _repeat(lambda: print_json(_data(parts, look(parts, customer_id))))
        else:
            _live(parts, customer_id)
    except KeyboardInterrupt:
        return


def _live(parts: Parts, customer_id: str | None) -> None:
    console = make_console()
    if not console.is_terminal:
        raise CommandFailed("--watch needs a terminal, or --json", exit_code=2)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        _repeat(lambda: live.update(view(look(parts, customer_id), parts.clock.now()), refresh=True))


def _repeat(do: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        do()
        pause.wait(WATCH_SECONDS)
