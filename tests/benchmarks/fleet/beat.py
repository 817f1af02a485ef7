"""How late beat publishes the turns of ten thousand customers with four schedules each, and what that costs it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from benchmarks.fleet.accounts import MIX, add_customers, customer_row, mixed_tier, names
from benchmarks.fleet.arithmetic import percentile
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.fleet import running_beat
from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import Stage, commands, cpu_seconds, machine_busy
from benchmarks.fleet.watching import Poll, watched_polls
from common.config.settings import Settings
from common.domain.customers import Tier
from poller.schedule.phase import next_turn, phase_seconds

CUSTOMERS = 10_000
#: A source with this many resources; the first is polled with whatever has no schedule of its own.
SOURCE, RESOURCES = "wide", ("users", "projects", "forms", "groups")
#: After beat leads, until it is in its stride, in seconds.
SETTLE_SECONDS = 5.0


def measure(stage: Stage) -> Table:
    many, seconds = (1_000, 8.0) if stage.quick else (CUSTOMERS, 60.0)
    tiers = {name: mixed_tier(number) for number, name in enumerate(names(many))}
    add_customers(stage.engine, [_row(name, tier) for name, tier in tiers.items()])
    with running_beat(stage, app="benchmarks.fleet.wide") as pid, watched_polls(stage.redis) as polls:
        started = figure("CPU until it leads", cpu_seconds(pid), "s")
        time.sleep(SETTLE_SECONDS)
        polls.clear()
        progress(f"beat: {many} customers for {seconds:.0f} s")
        costs = _costs(stage, pid, seconds)
    return Table(title=f"Beat at {many:,} customers ({_mix()} %) with {len(RESOURCES)} schedules each", figures=[
        *_lags(polls, tiers, seconds), *costs, started,
    ], notes=["A real beat process at the tiers' default cadences; nobody works on what it publishes."])  # fmt: skip


def _row(name: str, tier: Tier) -> dict[str, object]:
    """Each resource but the first apart, all at the tier's cadence."""
    return customer_row(name, tier, source=SOURCE, cadences=dict.fromkeys(RESOURCES[1:], _period(tier)))


def _period(tier: Tier) -> int:
    return Settings().interval_seconds(tier)


def _mix() -> str:
    return ", ".join(f"{tier} {part}" for tier, part in MIX)


def _costs(stage: Stage, pid: int, seconds: float) -> list[Figure]:
    cpu, asked, (busy, whole) = cpu_seconds(pid), commands(stage.redis), machine_busy()
    time.sleep(seconds)
    busy_after, whole_after = machine_busy()
    return [
        figure("CPU", (cpu_seconds(pid) - cpu) / seconds * 100, "% of a core", below=10),
        figure("Redis commands", (commands(stage.redis) - asked) / seconds, "/s"),
        figure("machine busy", (busy_after - busy) / (whole_after - whole) * 100, "% of all cores"),
    ]


def _lags(polls: Sequence[Poll], tiers: Mapping[str, Tier], seconds: float) -> list[Figure]:
    turns = [poll for poll in polls if "layer" not in poll.arguments]
    lags = [_lag(poll, _period(tiers[poll.customer_id])) for poll in turns]
    due = sum(len(RESOURCES) / _period(tier) for tier in tiers.values())
    return [
        figure("turns published", len(turns), ""),
        figure("turns published a second", len(turns) / seconds, "/s"),
        figure("turns due a second", due, "/s"),
        figure("lag behind the turn's moment: p50", percentile(lags, 50), "s"),
        figure("lag behind the turn's moment: p99", percentile(lags, 99), "s", below=1),
        figure("lag behind the turn's moment: the longest", max(lags), "s"),
    ]


def _lag(poll: Poll, period: int) -> float:
    """Seconds from the last moment that was its turn. One that is early counts as late by a period."""
    resources = poll.arguments.get("resources") or ()
    job = f"poll:{resources[0]}" if len(resources) == 1 and resources[0] != RESOURCES[0] else "poll"
    phase = phase_seconds(poll.customer_id, job, period)
    return poll.at - (next_turn(poll.at, period, phase) - period)
