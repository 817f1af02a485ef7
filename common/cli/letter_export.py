"""`fleet dlq export`: dead letters as JSON Lines, for another tool."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from common.cli.bootstrap import Parts, open_parts
from common.cli.failures import CommandFailed
from common.cli.letter_choice import Reason, Resource, Since, filtered, found
from common.cli.letters import told_of
from common.cli.options import AsJson, operator
from common.cli.output import note, plain, show
from common.domain.letters import DeadLetter

#: Only whoever exports may read it.
OWN_ONLY = 0o600


def export(
    customer_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    to: Annotated[
        Path | None, typer.Option(help="A new file; without it, standard output.", show_default=False)
    ] = None,
    reason: Reason = None,
    resource: Resource = None,
    since: Since = None,
    personal: Annotated[bool, typer.Option("--with-personal-data", help="Payloads, and all that was said.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write open dead letters as JSON Lines: one letter a line, without personal data unless that is asked for."""
    with open_parts() as parts:
        if customer_id is not None:
            parts.customers.get(customer_id)
        which = filtered(customer_id, reason, resource, since, parts.clock.now())
        letters = found(parts, which)
        if personal:
            _warn(parts, letters)
        with _opened(to) as write:
            for letter in letters:
                write(json.dumps(_line(parts, letter, personal=personal), ensure_ascii=False) + "\n")
    if to is not None:
        data = {"exported": len(letters), "file": str(to), "personal": personal}
        show(data, as_json=as_json, human=lambda: f"{len(letters)} dead letters are in {to}")


def _warn(parts: Parts, letters: Sequence[DeadLetter]) -> None:
    """On the terminal, and in the history of each customer."""
    note("what follows is personal data: keep it where such data may be, and delete it when it has served")
    for customer_id, count in Counter(letter.customer_id for letter in letters).items():
        detail = f"{count} with personal data"
        parts.customers.note(customer_id, actor=operator(), action="dead_letter.exported", detail=detail)


def _line(parts: Parts, letter: DeadLetter, *, personal: bool) -> object:
    shown = parts.dead_letters.show(letter.customer_id, letter.dead_letter_id)
    payload = {} if shown is None else shown[1]
    told = told_of(letter, payload, values=personal)
    return plain({**told, "payload": payload} if personal else {**told, "fields": sorted(payload)})


@contextmanager
def _opened(path: Path | None) -> Iterator[Callable[[str], object]]:
    """Raises CommandFailed if the file is there already, or cannot be made."""
    if path is None:
        yield sys.stdout.write
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN_ONLY)
    except OSError as error:
        raise CommandFailed(f"--to: {path}: {error.strerror}: give a file that is not there yet") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file.write
