"""Both systems of a customer, opened to be compared: on the share of reconciliations, by their breakers, counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from common.cli.bootstrap import Parts
from common.cli.certificate import to_keep
from common.cli.destinations import open_destination
from common.cli.verification import client_of
from common.domain.customers import Customer, System
from common.domain.limits import Share
from common.domain.mapping import read_mapping
from common.domain.passages import passing
from common.domain.verifying import ResourceCertificate
from common.limits.counting import Counting
from poller.comparing import CompareParts, compare
from poller.sources import registry as sources
from processor.verifying.checking import Checking
from processor.verifying.reading import ReadParts


class Checkup:
    """Of one customer. Raises SyncError where a system may not, or cannot, be asked."""

    def __init__(self, parts: Parts, customer: Customer, stack: ExitStack, tell: Callable[[str, int], None]) -> None:
        self._parts = parts
        self._customer = customer
        self._asked_there, self._asked_here = Counting(parts.budget), Counting(parts.budget)
        self._checking = Checking(self._reading(stack, tell), customer.customer_id)
        self._comparing = self._source(stack)

    def certificate(self, resource: str, *, full: bool, deep: bool) -> ResourceCertificate:
        """Found, and remembered."""
        there, here, customer_id = self._asked_there.count, self._asked_here.count, self._customer.customer_id
        source = compare(self._comparing, customer_id, resource, full=full)
        checked = self._checking.check(resource, source, full=full, deep=deep)
        certificate = replace(
            checked.certificate,
            source_requests=self._asked_here.count - here,
            destination_requests=self._asked_there.count - there,
        )
        self._parts.verified.certify(
            customer_id, resource, certificate.at, to_keep(certificate), checked.baseline
        )  # fmt: skip
        return certificate

    def _reading(self, stack: ExitStack, tell: Callable[[str, int], None]) -> ReadParts:
        parts, customer = self._parts, self._customer
        passage = stack.enter_context(
            passing(parts.breakers, parts.clock, customer.customer_id, System.DESTINATION)
        )  # fmt: skip
        return ReadParts(
            destination=open_destination(parts, customer, budget=self._asked_there, share=Share.RECONCILIATION),
            store=parts.verified,
            mapping=read_mapping(customer.customer_id, customer.mapping),
            clock=parts.clock,
            links=parts.delivery.links,
            watch=lambda ask: passage.watch(ask, proves=False),
            tell=tell,
        )

    def _source(self, stack: ExitStack) -> CompareParts:
        parts, customer = self._parts, self._customer
        passage = stack.enter_context(passing(parts.breakers, parts.clock, customer.customer_id, System.SOURCE))
        token = parts.vault.open(customer.customer_id, System.SOURCE)
        api = client_of(parts, customer, System.SOURCE, token, self._asked_here, Share.RECONCILIATION)
        return CompareParts(
            source=sources.definition(customer).open(api, customer),
            store=parts.verified,
            now=parts.clock.now,
            watch=passage.watch,
        )
