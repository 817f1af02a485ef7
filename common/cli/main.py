"""The `fleet` command: which commands there are, and how each of them ends.

A command that fails prints one line per problem on stderr and exits with a code above zero.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from common.cli import (
    additions,
    audit,
    backfill,
    batches,
    changes,
    credentials,
    customers,
    deletions,
    discarding,
    estimate,
    explain,
    exporter,
    history,
    lanes,
    letter_export,
    letters,
    mapping,
    matches,
    nights,
    offboarding,
    reconciliation,
    replaying,
    runs,
    schedule,
    status,
    throttle,
    up,
    verify,
    work,
)
from common.cli.failures import CommandFailed, lines_of
from common.logs.setup import configure_logs

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130

#: Commands by name; a mapping is a group, and one with a space in its name is a group within the group before it.
COMMANDS: Mapping[str, Callable[..., None]] = {
    "up": up.up,
    "status": status.status,
    "lanes": lanes.lanes,
    "schedule": schedule.schedule,
    "estimate": estimate.estimate,
    "poll": work.poll,
    "backfill": backfill.backfill,
    "reconcile": reconciliation.reconcile,
    "verify": verify.verify,
    "throttle": throttle.throttle,
    "events": history.events,
    "explain": explain.explain,
    "audit": audit.audit,
    "exporter": exporter.exporter,
    "migrate": work.migrate,
}
GROUPS: Mapping[str, tuple[str, Mapping[str, Callable[..., None]]]] = {
    "customers": (
        "Whom we sync for.",
        {
            "add": additions.add,
            "list": customers.list_all,
            "show": customers.show_one,
            "set": changes.set_one,
            "token": additions.token,
            "pause": customers.pause,
            "resume": customers.resume,
            "offboard": offboarding.offboard,
        },
    ),
    "dlq": (
        "Dead letters: events that must not be retried as they are.",
        {
            "list": letters.list_letters,
            "show": letters.show_letter,
            "export": letter_export.export,
            "replay": replaying.replay,
            "discard": discarding.discard,
        },
    ),
    "dlq batches": (
        "Replays under way.",
        {
            "list": batches.list_batches,
            "show": batches.show_batch,
            "pause": batches.pause,
            "resume": batches.resume,
            "cancel": batches.cancel,
        },
    ),
    "matches": (
        "Records of which a person has to say who they are.",
        {"list": matches.list_open, "show": matches.show_one, "link": matches.link, "create": matches.create},
    ),
    "deletions": (
        "Records that are gone at the source, and are too many to be believed.",
        {"list": deletions.list_held, "approve": deletions.approve, "reject": deletions.reject},
    ),
    "mapping": (
        "What becomes of each field at the destination.",
        {"show": mapping.show_mapping, "check": mapping.check, "try": mapping.try_one, "apply": mapping.apply},
    ),
    "credentials": ("The tokens of customers.", {"verify": credentials.verify}),
    "nights": (
        "The batches of nightly customers.",
        {"list": nights.list_nights, "show": nights.show_night, "run": nights.run_night},
    ),
    "runs": ("What the pollers did, and what has become of it.", {"list": runs.list_runs, "show": runs.show_run}),
}


def main() -> None:
    """The console script."""
    configure_logs(log_format="text", level="DEBUG" if _debugging() else "ERROR")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code, whatever happens."""
    try:
        code = get_command(build_app()).main(args=list(arguments), prog_name="fleet", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a line and not a traceback
        return _tell(error)
    return code if isinstance(code, int) else 0


def build_app() -> typer.Typer:
    """All commands; connects to nothing."""
    app = _group("Keep many customers' Volunteer accounts and CRMs in step.", COMMANDS)
    groups = {"": app}
    for name, (purpose, commands) in GROUPS.items():
        within, _, own = name.rpartition(" ")
        groups[name] = _group(purpose, commands)
        groups[within].add_typer(groups[name], name=own)
    app.callback(invoke_without_command=True)(_root)
    return app


def _group(purpose: str, commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    app = typer.Typer(help=purpose, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=False)
    for name, command in commands.items():
        app.command(name)(command)
    return app


def _root(
    context: typer.Context, show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    """Keep many customers' Volunteer accounts and CRMs in step."""
    if show_version:
        sys.stdout.write(f"syncfleet {version('syncfleet')}\n")
    elif context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def _tell(error: Exception) -> int:
    if isinstance(error, typer.Abort):
        return EXIT_INTERRUPTED
    if _debugging():
        traceback.print_exception(error)
    for line in lines_of(error):
        sys.stderr.write(f"error: {line}\n")
    return _exit_code(error)


def _exit_code(error: Exception) -> int:
    return error.exit_code if isinstance(error, CommandFailed | TyperException) else EXIT_FAILED


def _debugging() -> bool:
    """From the environment itself: the settings may be what is wrong."""
    return os.environ.get("FLEET_LOG_LEVEL") == "DEBUG"
