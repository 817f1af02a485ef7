"""What is wrong with a customer's configuration, found before anything is stored or sent.

Settings are checked by the connector that will read them: it is opened, which sends nothing.
"""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from common.domain.customers import Customer, check_customer_id
from common.domain.errors import CustomerInvalid
from common.domain.mapping import read_mapping
from poller.schedule.hours import read_hours
from poller.sources import registry as sources
from processor.destinations import registry as destinations

BASE_URL = "base_url"
#: Everybody is reconciled once a day: a poll that comes more seldom than that would be no poll.
LONGEST_PERIOD_SECONDS = 86_400
#: Connectors name the key they complain about after the section, which is a field of Customer's.
SOURCE_SETTINGS, DESTINATION_SETTINGS = "source_settings", "destination_settings"


class Checked(Protocol):
    """A connector's definition, of either side."""

    @property
    def check(self) -> Callable[[Customer], object]:
        """Raises CustomerInvalid, naming the first setting that is malformed."""
        ...


def problems(customer: Customer) -> list[CustomerInvalid]:
    """Everything that is wrong, each naming customer and field; empty if nothing is."""
    found = [
        *_of_id(customer),
        *_of_time_zone(customer),
        *_of_backfill_hours(customer),
        *_of_source(customer),
        *_of_interval(customer),
        *_of_cadences(customer),
        *_of_destination(customer),
        *_of_mapping(customer),
        *_of_base_url(customer, "source_settings", customer.source_settings),
        *_of_base_url(customer, "destination_settings", customer.destination_settings),
    ]
    return list({problem.field: problem for problem in found}.values())


def check(customer: Customer) -> None:
    """Raises the first of the problems."""
    for problem in problems(customer):
        raise problem


def _of_id(customer: Customer) -> Iterator[CustomerInvalid]:
    try:
        check_customer_id(customer.customer_id)
    except CustomerInvalid as problem:
        yield problem


def _of_time_zone(customer: Customer) -> Iterator[CustomerInvalid]:
    name = customer.time_zone
    known = zoneinfo.available_timezones() | {"UTC"}
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    mend = f"did you mean {close[0]}?" if close else "use a name like Europe/Berlin"
    if len(known) == 1:
        mend = "this machine has no time zone database: install the package tzdata, or use UTC"
    yield CustomerInvalid(customer.customer_id, "time_zone", f"{name!r} is not a time zone; {mend}")


def _of_backfill_hours(customer: Customer) -> Iterator[CustomerInvalid]:
    try:
        read_hours(customer.backfill_hours, "UTC")
    except ValueError as mistake:
        yield CustomerInvalid(customer.customer_id, "backfill_hours", str(mistake))


def _of_source(customer: Customer) -> Iterator[CustomerInvalid]:
    yield from _of_connector(customer, SOURCE_SETTINGS, sources.definition)


def _of_interval(customer: Customer) -> Iterator[CustomerInvalid]:
    if customer.poll_interval_seconds is not None and (mend := _period_mend(customer.poll_interval_seconds)):
        yield CustomerInvalid(customer.customer_id, "poll_interval_seconds", mend)


def _period_mend(seconds: int) -> str:
    """What is wrong with a time between polls; empty: nothing."""
    if seconds < 1:
        return "is no number of seconds above 0"
    return f"is longer than a day ({LONGEST_PERIOD_SECONDS} s)" if seconds > LONGEST_PERIOD_SECONDS else ""


def _of_cadences(customer: Customer) -> Iterator[CustomerInvalid]:
    try:
        known = sources.resources(customer)
    except CustomerInvalid:
        return  # said already
    for name, seconds in customer.cadences.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there is: {', '.join(known)}"
            yield CustomerInvalid(customer.customer_id, f"cadences.{name}", f"is no resource of its source; {hint}")
        elif mend := _period_mend(seconds):
            yield CustomerInvalid(customer.customer_id, f"cadences.{name}", mend)


def _of_mapping(customer: Customer) -> Iterator[CustomerInvalid]:
    try:
        read_mapping(customer.customer_id, customer.mapping)
    except CustomerInvalid as problem:
        yield problem


def _of_destination(customer: Customer) -> Iterator[CustomerInvalid]:
    yield from _of_connector(customer, DESTINATION_SETTINGS, destinations.definition)


def _of_connector(customer: Customer, section: str, define: Callable[[Customer], Checked]) -> Iterator[CustomerInvalid]:
    """A connector names its first problem; without that key, it names the next."""
    try:
        definition = define(customer)
    except CustomerInvalid as problem:
        yield problem
        return
    while True:
        try:
            definition.check(customer)
        except CustomerInvalid as problem:
            yield problem
            settings: Mapping[str, Any] = getattr(customer, section)
            key = problem.field.removeprefix(f"{section}.").partition(".")[0]
            if key not in settings:
                return
            changes: dict[str, Any] = {section: {name: value for name, value in settings.items() if name != key}}
            customer = replace(customer, **changes)
        else:
            return


def _of_base_url(customer: Customer, section: str, settings: Mapping[str, Any]) -> Iterator[CustomerInvalid]:
    if BASE_URL not in settings:
        return
    parts = urlsplit(str(settings[BASE_URL]))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield CustomerInvalid(customer.customer_id, f"{section}.{BASE_URL}", "use http(s)://host/path")
    elif parts.username or parts.password:
        mend = "holds a user or a password; the token is given apart"
        yield CustomerInvalid(customer.customer_id, f"{section}.{BASE_URL}", mend)
