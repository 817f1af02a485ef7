"""`fleet verify`: are source, mirror and destination the same, and if not, where? The product's own check.

It asks the real APIs, on the share of reconciliations, and writes to neither. What it repairs goes the path of every
other change.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from common.cli.bootstrap import Parts, open_parts
from common.cli.certificate import as_data, certificate_view, outcome_in
from common.cli.checkup import Checkup
from common.cli.failures import CommandFailed
from common.cli.mending import mended
from common.cli.options import AsJson, CustomerId, operator
from common.cli.output import note, show
from common.cli.readings import require_known
from common.domain.customers import Customer
from common.domain.errors import SyncError
from common.domain.verifying import How, Outcome, ResourceCertificate, SourceView, outcome_of
from poller.sources import registry as sources
from processor.handlers.kept import kept
from processor.handlers.registry import HANDLERS

EXIT_DIFFERS, EXIT_STOPPED = 1, 2


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found of all that was to be checked."""

    certificates: Sequence[ResourceCertificate]
    #: Why it had to stop; empty: it did not.
    stopped: str = ""
    #: By resource: what was asked of the path.
    repaired: Mapping[str, str] = field(default_factory=dict)


def verify(
    customer_id: CustomerId,
    resource: Annotated[str | None, typer.Option(help="Only this, as in users.", show_default=False)] = None,
    full: Annotated[bool, typer.Option("--full", help="Read both systems whole, whatever was read before.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Look for records without a list, one by one.")] = False,
    repairs: Annotated[bool, typer.Option("--repair", help="Ask the path for what mends it.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Show the last certificate, and ask nobody.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare source, mirror and destination, and print a certificate: equal, or the very records that differ.

    Ends with 0 if they are equal, 1 if they differ, 2 if that could not be found out.
    """
    with open_parts() as parts:
        customer = parts.customers.get(customer_id)
        if last:
            _show_last(parts, customer_id, as_json=as_json)
            return
        found = _checked(parts, customer, _wanted(customer, resource), full=full, deep=deep)
        if repairs:
            found = _repaired(parts, customer, found)
    data = as_data(customer_id, found.certificates, found.repaired)
    show(data, as_json=as_json, human=lambda: certificate_view(data))
    _end(customer_id, found)


def _wanted(customer: Customer, resource: str | None) -> Sequence[str]:
    """Those that anything is written of. Raises CommandFailed for any other."""
    terms = sources.definition(customer).terms
    known = list(dict.fromkeys(name for own, each in terms.items() for name in (own, *each.also)))
    names = [name for name in known if HANDLERS[name] is not kept]
    if resource is None:
        return names
    require_known(resource, names)
    return [resource]


def _checked(parts: Parts, customer: Customer, names: Sequence[str], *, full: bool, deep: bool) -> Found:
    """What is done stays done: a resource whose certificate is written need not be read again."""
    done: list[ResourceCertificate] = []
    try:
        with ExitStack() as stack:
            checkup = Checkup(parts, customer, stack, _progress(stack))
            for name in names:
                done.append(checkup.certificate(name, full=full, deep=deep))  # noqa: PERF401 - what is done must stay
    except SyncError as error:
        left = [_stopped(parts, name, str(error)) for name in names[len(done) :]]
        return Found(certificates=[*done, *left], stopped=str(error))
    return Found(certificates=done)


def _progress(stack: ExitStack) -> Any:
    """Shows records read, where somebody watches."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty())
    task = stack.enter_context(bar).add_task("...")
    return lambda resource, count: bar.update(task, description=f"{resource}: {count:,} read")


def _stopped(parts: Parts, resource: str, why: str) -> ResourceCertificate:
    return ResourceCertificate(
        resource=resource, at=parts.clock.now(), outcome=Outcome.STOPPED, how=How.NOT, source=SourceView(), notes=(why,)
    )


def _repaired(parts: Parts, customer: Customer, found: Found) -> Found:
    """Events for what the path has lost or others have changed; another reading of what the mirror lacks."""
    done = {each.resource: line for each in found.certificates if (line := mended(parts, customer, each))}
    if done:
        detail = "; ".join(f"{name}: {line}" for name, line in done.items())
        parts.customers.note(customer.customer_id, actor=operator(), action="verify.repaired", detail=detail)
        if not parts.hint(customer, delivery=True, by="verify"):
            note("Redis cannot be reached: the sweep sees to it when it is back")
    return Found(certificates=found.certificates, stopped=found.stopped, repaired=done)


def _show_last(parts: Parts, customer_id: str, *, as_json: bool) -> None:
    stored = parts.verified.certificates(customer_id)
    if not stored:
        raise CommandFailed(
            f"customer {customer_id!r} was never verified: run `fleet verify {customer_id}`", exit_code=2
        )
    data = {"customer_id": customer_id, "outcome": outcome_in(stored), "resources": stored, "repaired": {}}
    show(data, as_json=as_json, human=lambda: certificate_view(data))
    if data["outcome"] == Outcome.DIFFERS:
        raise CommandFailed(f"customer {customer_id!r}: its sides differed", exit_code=EXIT_DIFFERS)


def _end(customer_id: str, found: Found) -> None:
    if found.stopped:
        done = [each.resource for each in found.certificates if each.outcome is not Outcome.STOPPED]
        so_far = f"checked before: {', '.join(done) or 'nothing'}"
        raise CommandFailed(
            f"customer {customer_id!r}: could not be checked: {found.stopped}; {so_far}", exit_code=EXIT_STOPPED
        )
    outcome = outcome_of(found.certificates)
    if outcome is Outcome.DIFFERS:
        count = sum(len(each.differing) for each in found.certificates)
        raise CommandFailed(f"customer {customer_id!r}: the sides differ: {count:,} records", exit_code=EXIT_DIFFERS)
    if outcome is Outcome.UNCHECKED:
        raise CommandFailed(f"customer {customer_id!r}: nothing could be compared", exit_code=EXIT_STOPPED)
