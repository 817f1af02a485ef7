"""`fleet audit`: the proof, from the sandbox's own state and journal; its exit code is the verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from common.cli.failures import CommandFailed
from common.cli.options import AsJson
from common.cli.output import make_console, print_json
from common.config.settings import load_settings, running_fleet
from deploy.audit.reading import SandboxUnreachableError
from deploy.audit.render import show, summary
from deploy.audit.run import audit as judge_sandbox

#: Its table has fourteen columns.
PIPE_COLUMNS = 140
EXIT_FAIL, EXIT_NOTHING_TO_AUDIT = 1, 2


def audit(
    sandbox: Annotated[
        str | None, typer.Option(metavar="URL", help="Else the running fleet's.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Count freshness from this ISO time (UTC) or unix second on.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that nothing was lost, doubled, reordered or mixed. Exit code 0: PASS; 1: FAIL; 2: nothing to audit."""
    url = sandbox or _running_sandbox()
    try:
        report = judge_sandbox(url, since=None if since is None else _moment(since))
    except SandboxUnreachableError as error:
        raise CommandFailed(str(error), exit_code=EXIT_NOTHING_TO_AUDIT) from None
    if as_json:
        print_json(report.to_json())
    else:
        console = make_console(PIPE_COLUMNS)
        show(report, console)
        console.print(summary(report), soft_wrap=True)
    if not report.passed:
        raise typer.Exit(EXIT_FAIL)


def _running_sandbox() -> str:
    state_dir = load_settings().state_dir
    url = running_fleet(state_dir).get("sandbox_url")
    if not url:
        mend = "give --sandbox URL, or start a fleet with `fleet up --sandbox`"
        raise CommandFailed(f"no sandbox runs in {state_dir}: {mend}", exit_code=EXIT_NOTHING_TO_AUDIT)
    return str(url)


def _moment(text: str) -> float:
    """Unix seconds. A time without a zone is UTC."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"--since: {text!r} is no ISO time and no unix second", exit_code=2) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
