"""What is printed at the end: a table, or one JSON object, and a last line that says it all."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from chaos.game import Game, Played

#: Findings shown below the table; the JSON has all of them.
FINDINGS_SHOWN = 10


def show(game: Game, console: Console) -> None:
    console.print(_table(game))
    for played in game.rounds:
        for finding in played.rest.report.findings[:FINDINGS_SHOWN]:
            place = f"{played.round.attack}: {finding.organization} {finding.kind} {finding.entity_id} {finding.field}"
            console.print(f"  {place}: {finding.explanation}", markup=False, highlight=False, soft_wrap=True)
        if played.rest.unrest:
            console.print(f"  {played.round.attack}: no rest: {played.rest.unrest}", markup=False, soft_wrap=True)
        for healing in played.healings:
            if not healing.is_in_time:
                what = f"{healing.work} of {healing.wound.victim}"
                console.print(f"  {played.round.attack}: {what}: {_late(healing)}", markup=False, soft_wrap=True)
    console.print(last_line(game), markup=False, highlight=False, soft_wrap=True)


def _late(healing: Any) -> str:
    return "never went on" if healing.seconds is None else f"went on after {healing.seconds:.1f} s"


def as_json(game: Game) -> str:
    return json.dumps(
        {
            "verdict": "PASS" if game.passed else "FAIL",
            "seed": game.seed,
            "seconds": game.seconds,
            "hot_versions": game.hot_versions,
            "pending": game.pending,
            "left_out": game.left_out,
            "rounds": [_round(played) for played in game.rounds],
        }
    )


def last_line(game: Game) -> str:
    worst = [played.worst for played in game.rounds if played.worst]
    never = any(healing.seconds is None for healing in worst)
    slowest = max((healing.seconds for healing in worst if healing.seconds is not None), default=0.0)
    slow = sum(played.is_slow for played in game.rounds)
    findings = sum(len(played.rest.report.findings) for played in game.rounds)
    return (
        f"{'PASS' if game.passed else 'FAIL'} seed {game.seed}: {len(game.rounds)} attacks,"
        f" {sum(len(played.wounds) for played in game.rounds)} blows, worst recovery"
        f" {'never' if never else f'{slowest:.1f} s'}, {findings} findings, {slow} slow to rest;"
        f" 50 entities with {game.hot_versions} versions or more each, one with {game.pending} pending,"
        f" {sum(played.edits for played in game.rounds)} edits, {game.seconds:.0f} s in all"
        f"{f'; not played: {game.left_out}' if game.left_out else ''}"
    )


def _table(game: Game) -> Table:
    table = Table(title=f"Chaos, seed {game.seed}", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "attack", "blows", "what was struck", "edits", "worst recovery s", "rest s", "findings", ""):
        table.add_column(heading, justify="left" if heading in {"attack", "what was struck"} else "right")
    for played in game.rounds:
        table.add_row(*_cells(played), style="" if played.passed else "bold red")
    return table


def _cells(played: Played) -> list[str]:
    worst = played.worst
    return [
        str(played.round.number),
        played.round.attack,
        str(len(played.wounds)),
        _struck(played),
        str(played.edits),
        "-" if worst is None else "never" if worst.seconds is None else f"{worst.seconds:.1f}",
        "never" if played.rest.unrest else f"{played.rest.seconds:.0f}",
        str(len(played.rest.report.findings)),
        _verdict(played),
    ]


def _verdict(played: Played) -> str:
    if not played.passed:
        return "FAIL"
    return "slow" if played.is_slow else "ok"


def _struck(played: Played) -> str:
    counts = Counter(wound.victim for wound in played.wounds)
    return ", ".join(name if count == 1 else f"{name} {count}" for name, count in sorted(counts.items()))


def _round(played: Played) -> dict[str, Any]:
    return {
        "attack": played.round.attack,
        "attack_seconds": played.round.seconds,
        "seconds": played.seconds,
        "edits": played.edits,
        "passed": played.passed,
        "wounds": [{"at": wound.at, "victim": wound.victim, "locks": sorted(wound.locks)} for wound in played.wounds],
        "recoveries": [
            {"victim": healing.wound.victim, "work": healing.work, "seconds": healing.seconds}
            for healing in played.healings
        ],
        "unrest": played.rest.unrest,
        "rest_seconds": played.rest.seconds,
        "is_slow": played.is_slow,
        "audit": played.rest.report.to_json(),
    }
