"""`python -m chaos`: a fleet of real processes, attacked by a seeded plan, judged after every attack.

Exit code 0 for PASS, 1 for FAIL, 2 if it could not be played.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from support.faults.disks import why_not

from chaos.attacks.registry import ATTACKS, LONG, LONG_MINUTES, ON_SMALL_DISK
from chaos.broken import BUGS
from chaos.game import Game, joined, play
from chaos.outcome import as_json, show
from chaos.plan import Round, plan
from chaos.stage import set_stage
from common.cli.failures import CommandFailed
from common.domain.errors import SyncError
from deploy.local.errors import LocalServerError
from deploy.local.signals import stop_on_signals

EXIT_PASS, EXIT_FAIL, EXIT_NOT_PLAYED = 0, 1, 2
#: The load of issue 6.
VERSIONS, PENDING = 2_000, 5_000


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    games: list[Game] = []
    try:
        with stop_on_signals():
            games.append(_play(options))
    except (LocalServerError, CommandFailed, SyncError) as error:
        sys.stderr.write(f"{error}\n")
    if not games:
        return EXIT_NOT_PLAYED
    if options.json:
        sys.stdout.write(as_json(games[0]) + "\n")
    else:
        show(games[0], Console())
    return EXIT_PASS if games[0].passed else EXIT_FAIL


def _play(options: argparse.Namespace) -> Game:
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731, T201 - progress, for a person
    say(f"seed {options.seed}; the logs are in {options.state_dir / 'logs'}")
    wanted = options.only or [name for name in ATTACKS if name not in LONG or options.minutes >= LONG_MINUTES]
    why_no_disk = why_not() if ON_SMALL_DISK & set(wanted) else ""
    names = [name for name in wanted if not why_no_disk or name not in ON_SMALL_DISK]
    if not names:
        raise LocalServerError(f"nothing can be played here: {why_no_disk}")
    rounds = plan(options.seed, options.minutes, names)
    parts = [[each for each in rounds if (each.attack in ON_SMALL_DISK) is small] for small in (False, True)]
    games = [_part(options, say, part, len(rounds)) for part in parts if part]
    return joined(games, left_out=f"disk ({why_no_disk})" if why_no_disk else "")


def _part(options: argparse.Namespace, say: Callable[[str], None], rounds: Sequence[Round], of_rounds: int) -> Game:
    """Rounds that share a stage, with their share of the load."""
    small_disk = rounds[0].attack in ON_SMALL_DISK
    versions = options.versions * len(rounds) // of_rounds
    with set_stage(
        options.state_dir, seed=options.seed, say=say, planted=options.planted, small_disk=small_disk
    ) as stage:
        return play(stage, rounds, seed=options.seed, versions=versions, pending=options.pending)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="of the plan, the edits and every draw")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="how long, about; each attack is played at least once"
    )
    parser.add_argument("--only", type=_names, default=[], metavar="NAME,...", help=", ".join(ATTACKS))
    parser.add_argument("--json", action="store_true", help="the outcome as one JSON object, progress on stderr")
    parser.add_argument("--state-dir", type=Path, default=Path(".fleet/chaos"))
    parser.add_argument(
        "--versions", type=int, default=VERSIONS, help="of each of the 50 hot entities, over all rounds"
    )
    parser.add_argument("--pending", type=int, default=PENDING, help="events of one entity, before the first round")
    parser.add_argument("--planted", choices=BUGS, help="play with a bug on purpose: it must FAIL")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in ATTACKS]:
        raise argparse.ArgumentTypeError(f"no attack {', '.join(unknown)}; there are {', '.join(ATTACKS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
