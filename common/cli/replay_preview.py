"""What a replay would come to, letter by letter, and what it would cost: before anything is done."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.console import Group, RenderableType

from common.cli.ages import age_text
from common.cli.bootstrap import Parts
from common.cli.output import make_table
from common.cli.replay_cost import requests_to_apply
from common.cli.replay_sight import Seen, see
from common.domain.customers import Customer
from common.domain.letters import DeadLetter
from common.domain.limits import Share, allowance
from common.domain.masking import Mask
from common.domain.replays import Facts, ReplayClass, Sight, class_of, goes_in

SECONDS_A_MINUTE, SECONDS_AN_HOUR = 60, 3600
#: Letters named to a person; `--json` has all.
NAMED = 50


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One letter. Values are masked, unless they were asked for."""

    dead_letter_id: int
    record: str
    found: ReplayClass
    #: It goes into the batch.
    goes_in: bool
    why: str
    stored: Mapping[str, str]
    #: Fields of the mirror that are not as in the letter, as the mirror has them.
    mirror: Mapping[str, str]
    #: `same` as the mirror, `other`, `gone`, or `not asked`.
    source: str
    #: Fields that would be written, with what is there; None: not looked at.
    destination: Mapping[str, str] | None
    #: Of these: changed there by somebody else.
    conflicts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """In requests and seconds; None: not known of this destination."""

    #: Spent on this preview.
    source_requests: int
    destination_requests: int
    #: To apply what goes into the batch, and how long that takes at the budget's share, or at the batch's own rate.
    requests: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Preview:
    """All of it."""

    letters: Sequence[Looked]
    counts: Mapping[str, int]
    cost: Cost
    notes: Sequence[str]

    @property
    def numbers(self) -> list[int]:
        """Those that go in."""
        return [each.dead_letter_id for each in self.letters if each.goes_in]


def preview(
    parts: Parts, customer: Customer, letters: Sequence[DeadLetter], *, overwrites: bool, per_minute: int, values: bool
) -> Preview:
    """Asks both systems. Raises CustomerInvalid if the customer has no token, or its settings are malformed."""
    customer_id, mask = customer.customer_id, Mask(key=secrets.token_bytes(), shows=values)
    found = parts.replay_facts.of(customer_id, [letter.dead_letter_id for letter in letters])
    baselines = parts.replay_facts.last_written(customer_id, [each.event.event_id for each in found])
    seen = see(parts, customer, found, baselines)
    looked = [_looked(each, seen.sight(each.letter.dead_letter_id), mask, overwrites=overwrites) for each in found]
    taken = [each for each, shown in zip(found, looked, strict=True) if shown.goes_in]
    return Preview(
        letters=looked,
        counts=Counter(each.found for each in looked),
        cost=_cost(parts, customer, taken, seen, per_minute),
        notes=tuple(seen.notes),
    )


def _looked(facts: Facts, sight: Sight, mask: Mask, *, overwrites: bool) -> Looked:
    found, stored = class_of(facts, sight), facts.event.payload
    other = {name: value for name, value in facts.mirror_body.items() if stored.get(name) != value} if stored else {}
    return Looked(
        dead_letter_id=facts.letter.dead_letter_id,
        record=f"{facts.letter.resource}/{facts.letter.source_id}",
        found=found,
        goes_in=goes_in(found, overwrites=overwrites),
        why=_why(facts, sight, found),
        stored=mask.fields(stored),
        mirror=mask.fields(other),
        source="not asked" if sight.source is None else sight.source,
        destination=None if sight.wanted is None else mask.fields(sight.wanted),
        conflicts=sorted(sight.disputed),
    )


def _why(facts: Facts, sight: Sight, found: ReplayClass) -> str:
    """Names and versions; never a value."""
    if found is ReplayClass.SUPERSEDED:
        applied = facts.link.applied_version if facts.link else 0
        return f"version {facts.event.version}; there is {max(applied, facts.newest_version)}"
    if found is ReplayClass.CONFLICT:
        return ", ".join(name or "it differs" for name in sorted(sight.disputed))
    if found is ReplayClass.APPLY:
        return ", ".join(name or "it differs" for name in sorted(sight.wanted or ()))
    return sight.refusal


def _cost(parts: Parts, customer: Customer, taken: Sequence[Facts], seen: Seen, per_minute: int) -> Cost:
    requests = requests_to_apply(customer, taken)
    an_hour = allowance(parts.settings.crm_requests_per_hour, Share.RECONCILIATION, 1.0)
    at_the_budget = 0.0 if requests is None else requests / an_hour * SECONDS_AN_HOUR
    return Cost(
        source_requests=seen.source_requests,
        destination_requests=seen.destination_requests,
        requests=requests,
        seconds=ceil(max(at_the_budget, len(taken) / per_minute * SECONDS_A_MINUTE)),
    )


def preview_view(found: Preview) -> RenderableType:
    """For a person."""
    headings = ("LETTER", "RECORD", "WOULD", "IN", "FIELDS OR WHY", "SOURCE")
    table = make_table(*headings, right=("LETTER",), folded=("FIELDS OR WHY",))
    for each in found.letters[:NAMED]:
        taken = "yes" if each.goes_in else "no"
        table.add_row(str(each.dead_letter_id), each.record, each.found, taken, each.why, each.source)
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items()) or "nothing"
    more = [f"{len(found.letters) - NAMED} more: --json has them all"] if len(found.letters) > NAMED else []
    return Group(table, *more, "", f"{counts}; {len(found.numbers)} would go in", _cost_line(found.cost),
                 *(f"note: {line}" for line in found.notes))  # fmt: skip


def _cost_line(cost: Cost) -> str:
    asked = f"{cost.source_requests} requests of the source, {cost.destination_requests} of the destination"
    spent = f"this preview took {asked}"
    requests = "unknown" if cost.requests is None else f"about {ceil(cost.requests)}"
    return f"{spent}; to apply: {requests} requests of the destination, {age_text(cost.seconds)} at its budget and rate"


def preview_data(found: Preview) -> dict[str, Any]:
    """For a program."""
    return {"letters": found.letters, "counts": found.counts, "cost": found.cost, "notes": found.notes}
