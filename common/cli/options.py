"""Arguments and options that several commands take, declared once."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer

CustomerId = Annotated[str, typer.Argument(metavar="ID", help="The customer's id.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Cadence = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RESOURCE=SECONDS", help="Poll a resource apart from the rest; repeatable.", show_default=False
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def operator() -> str:
    """Who is at the keyboard, for the audit table."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        return f"uid {os.getuid()}"
