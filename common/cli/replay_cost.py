"""What a batch of replays costs at its destination, where that is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import TypeAlias

from common.domain.customers import Customer
from common.domain.letters import Stage
from common.domain.replays import Facts
from processor.destinations.crm_plus.contacts_read import MOST_GROUPS
from processor.destinations.crm_plus.costs import FORMULAS, Change, Kind, Load, outlay
from processor.destinations.crm_plus.settings import read_settings

Costs: TypeAlias = Callable[[Customer, Sequence[Facts]], float]


def requests_to_apply(customer: Customer, found: Sequence[Facts]) -> float | None:
    """None if nothing is known of what its destination costs. Raises CustomerInvalid for malformed settings."""
    costs = COSTS.get(customer.destination)
    applied = [each for each in found if each.letter.stage == Stage.APPLY]
    return None if costs is None else costs(customer, applied)


def _crm_plus(customer: Customer, found: Sequence[Facts]) -> float:
    """Each as a change of its kind, and a reading before it, to see whose what is there is."""
    changes: Counter[Kind] = Counter((each.letter.resource, _change(each)) for each in found)
    known = {kind: count for kind, count in changes.items() if kind in FORMULAS}
    guard = ceil(sum(each.link is not None for each in found) / MOST_GROUPS)
    return sum(outlay(known, Load(settings=read_settings(customer))).by_kind.values()) + guard


def _change(facts: Facts) -> Change:
    if facts.event.action == "delete":
        return Change.GONE
    return Change.NEW if facts.link is None else Change.CHANGED


#: By destination.
COSTS: Mapping[str, Costs] = {"crm_plus": _crm_plus}
