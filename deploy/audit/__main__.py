"""`python -m deploy.audit --sandbox URL`: exit code 0 for PASS, 1 for FAIL, 2 if there is nothing to audit."""

import argparse
import json
import sys
from datetime import UTC, datetime

from rich.console import Console

from deploy.audit.reading import SandboxUnreachableError
from deploy.audit.render import show, summary
from deploy.audit.run import REFERENCE_SOURCE, audit

EXIT_PASS, EXIT_FAIL, EXIT_UNREACHABLE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        report = audit(options.sandbox, since=options.since, reference_source=options.reference_source)
    except SandboxUnreachableError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNREACHABLE
    if options.json:
        sys.stdout.write(json.dumps(report.to_json()) + "\n")
    else:
        console = Console()
        show(report, console)
        console.print(summary(report), markup=False, highlight=False, soft_wrap=True)
    return EXIT_PASS if report.passed else EXIT_FAIL


def moment(text: str) -> float:
    """Unix seconds, or an ISO time; one without a zone is UTC. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.audit", description=__doc__)
    parser.add_argument("--sandbox", required=True, metavar="URL")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--since", type=moment, metavar="TS", help="count freshness from this time on")
    parser.add_argument("--reference-source", default=REFERENCE_SOURCE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
