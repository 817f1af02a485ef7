"""`python -m soak --minutes 60`: exit code 0 for PASS, 1 for FAIL, 2 if it could not start, 130 after Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deploy.demo.fleet import demo_fleet
from deploy.demo.plan import LARGEST_COUNT
from deploy.local.errors import LocalServerError
from deploy.local.signals import stop_on_signals
from deploy.sandbox.client import SandboxAdmin
from soak.judging import Outcome
from soak.printing import COLUMNS, show, to_json
from soak.story import SETTINGS, Plan, Soak

EXIT_PASS, EXIT_FAIL, EXIT_NOT_STARTED, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    os.environ.update(SETTINGS)
    outcome: list[Outcome] = []
    try:
        with stop_on_signals():
            outcome.append(_run(options))
    except LocalServerError as error:
        announce(str(error))
        return EXIT_NOT_STARTED
    if not outcome:
        return EXIT_INTERRUPTED
    if options.json:
        sys.stdout.write(to_json(outcome[0]) + "\n")
    else:
        show(outcome[0], Console(width=None if sys.stdout.isatty() else COLUMNS))
    return EXIT_PASS if outcome[0].verdict == "PASS" else EXIT_FAIL


def _run(options: argparse.Namespace) -> Outcome:
    plan = Plan(
        seconds=options.minutes * 60,
        every_seconds=options.every,
        customers=options.customers,
        edits_per_second=options.edits_per_second,
        seed=options.seed,
    )
    with (
        demo_fleet(options.state_dir, seed=plan.seed, with_flower=False, announce=announce) as fleet,
        SandboxAdmin(fleet.sandbox_url) as admin,
    ):
        return Soak(plan=plan, fleet=fleet, admin=admin, announce=announce).run()


def announce(line: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=_positive, default=60.0, help="how long the edits and faults last")
    parser.add_argument("--every", type=_positive, default=5.0, metavar="SECONDS", help="between two samples")
    parser.add_argument("--customers", type=int, default=6, choices=range(1, LARGEST_COUNT + 1), metavar="N")
    parser.add_argument("--edits-per-second", type=_positive, default=2.0, help="over all customers")
    parser.add_argument("--seed", type=int, default=7, help="of the customers, the edits and the faults")
    parser.add_argument("--state-dir", type=Path, default=Path(".fleet/soak"))
    parser.add_argument("--json", action="store_true", help="the outcome as one JSON object; progress on stderr")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
