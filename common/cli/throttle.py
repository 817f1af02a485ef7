"""`fleet throttle`: slow all customers of one system down, at once, in every process; and see what is slowed.

The word goes into the table first and then to Redis, where the very next request of any process finds it. Should
Redis miss it, the sweep tells it again within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.console import RenderableType

from common.cli.ages import moment_text
from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed, is_broker_failure
from common.cli.options import AsJson, operator
from common.cli.output import make_table, note, show
from common.domain.customers import Lane
from common.domain.throttles import Throttle

#: Exit code of a command that was called wrongly, as typer's own.
MISUSE = 2
PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?")
LIFTED = 1.0


def throttle(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", show_default=False)] = None,
    percent: Annotated[
        str | None,
        typer.Argument(metavar="[PERCENT]", help="50% of the limit, 0% (nothing), or off.", show_default=False),
    ] = None,
    lane: Annotated[str | None, typer.Option(help="Only customers of this lane.", show_default=False)] = None,
    why: Annotated[str, typer.Option(help="For whoever wonders later.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """Use only a part of every customer's limit at a system; without arguments, list what is throttled."""
    fraction = None if percent is None else read_percent(percent)
    chosen = None if lane is None else read_lane(lane)
    with open_parts() as parts:
        if system is not None:
            check_system(system, parts.throttles.systems())
        if system is None or fraction is None:
            _list([each for each in parts.throttles.all() if system in {None, each.system}], as_json=as_json)
            return
        said = Throttle(
            system=system, lane=chosen, fraction=fraction, reason=why, actor=operator(), set_at=parts.clock.now()
        )
        parts.throttles.set(said)
        told = _tell(parts)
    show({"throttle": said, "told": told}, as_json=as_json, human=lambda: _line(said))
    if not told:
        note("Redis cannot be reached: the sweep tells the workers when it is back")


def _tell(parts: Parts) -> bool:
    """False if Redis cannot be reached."""
    try:
        parts.throttles.tell(parts.budget.obey)
    except Exception as error:
        if is_broker_failure(error):
            return False
        raise
    return True


def read_percent(text: str) -> float:
    """A part from 0 to 1. Raises CommandFailed."""
    if text.strip().lower() == "off":
        return LIFTED
    found = PERCENT.fullmatch(text.strip())
    if found is None or float(found[1]) > 100:  # noqa: PLR2004 - that is what a percentage is
        raise CommandFailed(f"PERCENT: {text!r} is not 0% to 100%, or off", exit_code=MISUSE)
    return float(found[1]) / 100


def read_lane(text: str) -> Lane:
    """Raises CommandFailed."""
    if text not in set(Lane):
        raise CommandFailed(
            f"--lane: {text!r} is none of {', '.join(Lane)}{_close(text, list(Lane))}", exit_code=MISUSE
        )
    return Lane(text)


def check_system(name: str, known: Collection[str]) -> None:
    """Raises CommandFailed for one that no customer uses: a typing error would slow nobody down, and look as if."""
    if name in known:
        return
    in_use = f"in use: {', '.join(known)}" if known else "there are no customers yet"
    raise CommandFailed(f"no customer uses a system {name!r}{_close(name, known)}; {in_use}")


def _close(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f", did you mean {close[0]}?" if close else ""


def _line(said: Throttle) -> str:
    whose = f"{said.system}, lane {said.lane}" if said.lane else f"{said.system}, all customers"
    return (
        f"{whose}: no throttle" if said.fraction == LIFTED else f"{whose}: {percent_text(said.fraction)} of the limit"
    )


def percent_text(fraction: float) -> str:
    return f"{fraction * 100:g}%"


def _list(throttles: Sequence[Throttle], *, as_json: bool) -> None:
    def table() -> RenderableType:
        if not throttles:
            return "nothing is throttled"
        rows = make_table("SYSTEM", "LANE", "OF THE LIMIT", "SINCE", "WHO", "WHY", right=("OF THE LIMIT",))
        for each in throttles:
            part = "off" if each.fraction == LIFTED else percent_text(each.fraction)
            rows.add_row(each.system, each.lane or "all", part, moment_text(each.set_at), each.actor, each.reason)
        return rows

    show({"throttles": throttles}, as_json=as_json, human=table)
