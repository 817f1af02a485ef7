"""Other integrations that write into the account a customer wants kept in step: said at onboarding, refused never.

Facts: volunteer-api 4.13. The vendor sells a one-way integration of its own; where both run, hours and people are
written twice. That contacts carry its references may be history, so a person has to find out whether it still runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.domain.customers import Customer
from common.domain.destinations import Destination, SeesOthers
from common.domain.errors import SyncError


def others_told(customer: Customer, destination: Destination) -> Sequence[str]:
    """A line with the mend if any seems to be at work; empty also where the connector cannot tell.

    That it could not be looked for is a line too: nobody is refused for want of a warning.
    """
    if not isinstance(destination, SeesOthers):
        return []
    try:
        found = destination.others_writing()
    except SyncError as error:
        return [f"customer {customer.customer_id!r}: whether another integration writes too is not known: {error}"]
    return [_line(customer, found)] if found else []


def _line(customer: Customer, found: Mapping[str, int]) -> str:
    marked = ", ".join(f"{count} by {name!r}" for name, count in found.items())
    return (
        f"customer {customer.customer_id!r}: another integration seems to write into its {customer.destination} too "
        f"(newest contacts marked: {marked}); if it still runs, switch it off there, or hours and people arrive "
        f"twice; if it does not, all is well"
    )
