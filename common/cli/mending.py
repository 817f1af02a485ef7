"""What `fleet verify --repair` asks of the path, and how it tells it: an event once more, or another reading."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from common.cli.bootstrap import Parts
from common.cli.readings import begun
from common.domain.customers import Customer
from common.domain.drift import REPAIRS, Repair
from common.domain.layers import RECONCILIATION_SECONDS, Layer
from common.domain.sources import Style
from common.domain.verifying import ResourceCertificate, SourceView
from common.storage.repairs import Ask, repair
from poller.sources import registry as sources


def mended(parts: Parts, customer: Customer, certificate: ResourceCertificate) -> str:
    """In words; empty: nothing."""
    return ", ".join([*_sent(parts, customer, certificate), *_read(parts, customer, certificate)])


def _sent(parts: Parts, customer: Customer, certificate: ResourceCertificate) -> Iterator[str]:
    wanted = [each.source_id for each in certificate.differing if REPAIRS[each.drift] is Repair.EVENT]
    if not wanted:
        return
    ask = Ask(
        customer_id=customer.customer_id, resource=certificate.resource, run_id=f"verify-{uuid.uuid4().hex}",
        trace_id=uuid.uuid4().hex, now=parts.clock.now(),
    )  # fmt: skip
    yield f"{repair(parts.engine, ask, wanted, partitions=parts.settings.partitions):,} sent once more"


def _read(parts: Parts, customer: Customer, certificate: ResourceCertificate) -> Iterator[str]:
    if any(REPAIRS[each.drift] is Repair.RECONCILE for each in certificate.differing):
        yield _read_again(parts, customer, certificate)


def _read_again(parts: Parts, customer: Customer, certificate: ResourceCertificate) -> str:
    """A run that goes on instead of a new one may read less far back, or be past the record already: that is told."""
    resource, now = certificate.resource, parts.clock.now()
    terms = sources.definition(customer).terms.get(resource)
    if terms is None or terms.style is not Style.MODIFIED:
        return "is compared whole when it is read next"
    layer, since = reading_that_finds(certificate.source, now)
    new = parts.schedule.begin(customer.customer_id, layer, {resource: begun(layer, now, since)}, now)
    parts.hint(customer, poll=True, layer=layer, resources=[resource])
    if resource not in new:
        return f"a run of layer {layer} is under way and goes on: ask again when it has ended"
    reach = "" if since is None else f", of what changed since {since:%Y-%m-%d %H:%M} UTC,"
    return f"a run of layer {layer}{reach} was asked for"


def reading_that_finds(source: SourceView, now: datetime) -> tuple[Layer, datetime | None]:
    """What was found by reading all is found only by that; else the daily run's own reach, or further back, to where
    this check has read from: a checkpoint may be older than a day.
    """
    if source.since is None:
        return Layer.FULL, None
    return Layer.RECONCILIATION, min(source.since, now - timedelta(seconds=RECONCILIATION_SECONDS))
