"""What stands of backfills, and beginning one anew: the first reading of a resource, until it has a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, RowMapping, and_, func, select, true
from sqlalchemy.dialects.postgresql import insert

from common.domain.checkpoints import Progress, progress_from_json
from common.domain.events import Origin
from common.domain.layers import Layer
from common.domain.windows import Windows, windows_from_json
from common.storage.engine import reading
from common.storage.tables import checkpoints, customers, runs, scopes


@dataclass(frozen=True, kw_only=True)
class BackfillRow:
    """One resource that was begun and never read to its end; times are aware."""

    customer_id: str
    resource: str
    run_id: str | None
    #: None: no run is under way.
    progress: Progress | None
    #: What the next run would go on from, if none is.
    kept: Windows | None
    continue_at: datetime | None
    #: Of its run; None: none is under way.
    started_at: datetime | None
    updated_at: datetime
    #: Records that its run has read, each time that it did.
    read: int
    #: Scopes known and read, of a resource that is read so.
    scopes: int
    scopes_read: int


class PostgresBackfills:
    """Reads for `fleet status` and `fleet backfill`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def standing(self, customer_id: str | None = None) -> Sequence[BackfillRow]:
        """Of one customer, or of all that are served."""
        with self._reads.connect() as connection:
            return [_row(row) for row in connection.execute(_standing(customer_id)).mappings()]

    def begin_again(self, customer_id: str, begun: Mapping[str, Progress], now: datetime) -> None:
        """Runs by resource that read all from the start, due now; one that is under way is fenced and forgotten."""
        key = {"customer_id": customer_id, "layer": Layer.POLL}
        rows = [
            {**key, "resource": name, "progress": run.to_json(), "run_id": run.run_id, "continue_at": now,
             "updated_at": now, "position": None, "backfill": None}
            for name, run in begun.items()
        ]  # fmt: skip
        row = insert(checkpoints).values(rows)
        names = ("progress", "run_id", "continue_at", "updated_at", "position", "backfill")
        with self._engine.begin() as connection:
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["customer_id", "resource", "layer"],
                    set_={name: row.excluded[name] for name in names},
                )
            )


def _standing(customer_id: str | None) -> Any:
    """Scopes are counted for these resources alone: others may have hundreds of thousands."""
    own = and_(scopes.c.customer_id == checkpoints.c.customer_id, scopes.c.resource == checkpoints.c.resource)
    counted = (
        select(func.count().label("scopes"), func.count(scopes.c.read_at).label("scopes_read"))
        .where(own)
        .lateral("counted")
    )
    same = and_(runs.c.customer_id == checkpoints.c.customer_id, runs.c.run_id == checkpoints.c.run_id)
    is_open = checkpoints.c.progress.is_not(None)
    names = ("customer_id", "resource", "run_id", "progress", "backfill", "continue_at", "updated_at")
    query = (
        select(*(checkpoints.c[name] for name in names), counted)
        .add_columns(runs.c.started_at, func.coalesce(runs.c.read, 0).label("read"))
        .join(customers, customers.c.customer_id == checkpoints.c.customer_id)
        .outerjoin(runs, and_(same, is_open, runs.c.origin == Origin.BACKFILL))
        .join(counted, true())
        .where(checkpoints.c.layer == Layer.POLL, checkpoints.c.position.is_(None), customers.c.status != "offboarded")
        .order_by(checkpoints.c.customer_id, checkpoints.c.resource)
    )
    return query if customer_id is None else query.where(checkpoints.c.customer_id == customer_id)


def _row(row: RowMapping) -> BackfillRow:
    own = {name: value for name, value in row.items() if name not in ("progress", "backfill")}
    return BackfillRow(**own, progress=progress_from_json(row["progress"]), kept=windows_from_json(row["backfill"]))
