"""`python -m deploy.demo`: the whole fleet at work, disturbed, audited.

Exit code 0 for PASS, 1 for FAIL, 2 if it could not start, 130 after Ctrl-C.
"""

import argparse
import sys
from pathlib import Path
from threading import Event

import httpx
from rich.console import Console

from common.cli.failures import CommandFailed
from common.domain.errors import SyncError
from deploy.audit.reading import SandboxUnreachableError
from deploy.demo.fleet import demo_fleet
from deploy.demo.outcome import passed, print_json, print_outcome
from deploy.demo.plan import LARGEST_COUNT, plan_customers
from deploy.demo.progress import Progress, displayed
from deploy.demo.story import Story
from deploy.local.errors import LocalServerError
from deploy.local.signals import stop_on_signals
from deploy.sandbox.client import SandboxAdmin

EXIT_PASS, EXIT_FAIL, EXIT_NOT_STARTED = 0, 1, 2
#: What a shell shows for a process that Ctrl-C ended.
EXIT_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    outcome = [EXIT_INTERRUPTED]
    try:
        with stop_on_signals():
            _run(options, outcome)
    except (LocalServerError, CommandFailed, SyncError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_NOT_STARTED
    except (httpx.HTTPError, SandboxUnreachableError) as error:
        where = options.state_dir / "logs" / "sandbox.log"
        sys.stderr.write(f"FAIL the sandbox cannot be reached ({type(error).__name__}); see {where}\n")
        return EXIT_FAIL
    return outcome[-1]


def _run(options: argparse.Namespace, outcome: list[int]) -> None:
    """Adds the exit code to `outcome` as soon as it is known: a signal may end what comes after."""
    console = Console(stderr=options.json)
    progress = Progress(console, live=console.is_terminal)
    with demo_fleet(options.state_dir, seed=options.seed, with_flower=options.flower, announce=progress.note) as fleet:
        with displayed(progress), SandboxAdmin(fleet.sandbox_url) as admin:
            customers = plan_customers(options.customers, options.seed)
            story = Story(fleet, admin, customers, progress, edit_seconds=options.seconds, seed=options.seed)
            report, figures = story.tell()
        outcome.append(EXIT_PASS if passed(report, figures) else EXIT_FAIL)
        if options.json:
            print_json(report, figures, state_dir=options.state_dir)
        else:
            print_outcome(report, figures, console=console, state_dir=options.state_dir)
        if options.keep:
            console.print(f"the fleet goes on, its sandbox at {fleet.sandbox_url}; Ctrl-C ends it", markup=False)
            Event().wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the outcome as one JSON object, progress on stderr")
    parser.add_argument("--keep", action="store_true", help="leave the fleet running afterwards, until Ctrl-C")
    parser.add_argument("--seconds", type=_positive, default=60.0, help="how long the edits and faults last")
    parser.add_argument("--state-dir", type=Path, default=Path(".fleet/demo"))
    parser.add_argument("--customers", type=_count, default=12)
    parser.add_argument("--seed", type=int, default=7, help="of the customers, the edits and the faults")
    parser.add_argument("--flower", action="store_true", help="start Flower as well")
    return parser


def _positive(text: str) -> float:
    seconds = float(text)
    if seconds <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= LARGEST_COUNT:
        raise argparse.ArgumentTypeError(f"must be from 1 to {LARGEST_COUNT}")
    return count


if __name__ == "__main__":
    sys.exit(main())
