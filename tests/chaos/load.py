"""What the fleet has to do meanwhile: hot entities, one with thousands of pending events, edits of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx
from sqlalchemy import Row, insert, select, update
from support.waiting import wait_until

from chaos.customers import DEEP, HOT, HOT_ENTITIES, OTHERS
from chaos.stage import Stage
from common.cli.bootstrap import open_parts
from common.config.settings import load_settings
from common.storage.tables import events, mirror

#: Between two edits of the other customers, in seconds: several a second, as an operator's busiest day has.
PAUSE_SECONDS = 0.15
HOT_WEIGHTS: Mapping[str, float] = {"change": 9, "email": 1}
#: What happens to the others, and how often against each other.
WEIGHTS: Mapping[str, int] = {"change": 10, "create": 2, "delete": 1, "sign_up": 3, "hours": 4, "form": 3}
#: Fields whose value is the same text in the sandbox's history and in our mirror.
PLAIN_FIELDS = ("first_name", "last_name", "phone")
#: Seconds for the sandbox to make thousands of edits.
EDIT_SECONDS = 60


class Editor:
    """Edits of every customer but the hot and the deep one, one after the other, until the block ends."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self._stage = stage
        self._random = random
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._edit, name="editor", daemon=True)
        self.done = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _edit(self) -> None:
        while not self._ending.wait(PAUSE_SECONDS):
            name = self._random.choice(OTHERS).name
            kind = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            # What it would have changed is gone since it looked: another edit comes.
            with suppress(httpx.HTTPStatusError):
                self._apply(name, kind)
                self.done += 1

    def _apply(self, name: str, kind: str) -> None:
        admin, source = self._stage.admin, self._stage.admin.export(name)["source"]
        users = sorted(map(int, source["users"]))
        match kind:
            case "create":
                admin.create_user(name)
            case "delete" if len(users) > 5:
                admin.delete_user(name, self._random.choice(users))
            case "sign_up":
                admin.create_record(name, "participations")
            case "form":
                admin.create_record(name, "form_completions")
            case "hours":
                self._change_hours(name, source)
            case _:
                serial = self._random.randrange(10**7)
                admin.change_user(name, self._random.choice(users), phone=f"+1 555 {serial:07d}")

    def _change_hours(self, name: str, source: Mapping[str, Any]) -> None:
        rows = [row["id"] for own in source["participations"].values() for row in own if "id" in row]
        if rows:
            hours = f"{self._random.randrange(100, 2400) / 100:.2f}"
            self._stage.admin.change_record(name, "participations", self._random.choice(rows), hours=hours, verified=1)


@contextmanager
def edits(stage: Stage, random: Random, *, hot_edits: int, seconds: float) -> Iterator[Editor]:
    """Hot entities at an even pace that makes so many edits in these seconds, and the others by an editor."""
    stage.admin.start_edits(
        seconds=seconds,
        per_second=hot_edits / seconds,
        seed=random.randrange(2**31),
        weights=HOT_WEIGHTS,
        organizations=[HOT],
    )
    editor = Editor(stage, random)
    editor.start()
    try:
        yield editor
    finally:
        editor.stop()
        stage.admin.stop_edits()


def versions_of_hot(stage: Stage) -> int:
    """The fewest versions that one of the hot entities has had at the source."""
    counts: dict[str, int] = {}
    for row in stage.admin.export(HOT)["source"]["history"]:
        counts[str(row["user_id"])] = counts.get(str(row["user_id"]), 0) + 1
    return min(counts.values(), default=0) if len(counts) >= HOT_ENTITIES else 0


def pile_up(stage: Stage, count: int) -> None:
    """Give the deep entity so many pending events: the source's own versions, put into the store while it is paused.

    Not by polls: a poll sees the newest version only, so thousands of them would take hours.
    """
    with open_parts(load_settings(stage.environment)) as parts:
        parts.customers.pause(DEEP, "until thousands of its events are pending")
        before = len(stage.admin.export(DEEP)["source"]["history"])
        stage.admin.start_edits(
            seconds=1, per_second=count, seed=1, weights={"change": 1}, organizations=[DEEP]
        )  # fmt: skip
        wait_until(lambda: not stage.admin.edits()["running"], seconds=EDIT_SECONDS, what="the edits of one entity")
        _store(stage, stage.admin.export(DEEP)["source"]["history"][before:])
        parts.customers.resume(DEEP)


def _store(stage: Stage, history: Sequence[Mapping[str, Any]]) -> None:
    """The newest is left to the next poll, which must find that it is not the last one stored."""
    own = {"customer_id": DEEP, "resource": "users"}
    with stage.engine.begin() as connection:
        known = connection.execute(select(mirror).filter_by(**own)).one()
        template = connection.execute(select(events).filter_by(**own).order_by(events.c.version.desc()).limit(1)).one()
        rows = [
            _event(template, known.version + number, {**known.body, **_plain(edit["values"])})
            for number, edit in enumerate(history[:-1], start=1)
        ]
        connection.execute(insert(events), rows)
        connection.execute(update(mirror).filter_by(**own).values(version=known.version + len(rows)))


def _plain(values: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: values[name] for name in PLAIN_FIELDS if values[name]}


def _event(template: Row[Any], version: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    row = {name: value for name, value in template._mapping.items() if name != "event_id"}
    return {
        **row, "version": version, "payload": payload, "origin": "poll", "state": "pending", "reason": "",
        "attempts": 0, "defects": 0, "occurred_at": now, "detected_at": now, "retry_at": now, "finished_at": None,
        "waits_for": "", "coalesce": True,
    }  # fmt: skip
