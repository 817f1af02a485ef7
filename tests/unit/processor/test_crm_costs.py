"""What CRM+ costs, as the README of the connector tells it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from common.domain.resources import CERTIFICATES, GROUPS, USERS
from common.domain.retry import AT_ONCE, BY_STAFF, NIGHTLY
from processor.destinations import crm_plus
from processor.destinations.crm_plus.cases import (
    A_CUSTOMER,
    A_DAY,
    A_NIGHT,
    A_NIGHT_WITH_HOURS,
    NIGHT_CHANGES,
    Size,
    backfill,
    nightly,
    steady,
)
from processor.destinations.crm_plus.client import SHAPES
from processor.destinations.crm_plus.costs import (
    BUDGET_FRACTION,
    FORMULAS,
    REQUESTS_PER_HOUR,
    Change,
    Load,
    looks,
    outlay,
    per_thousand,
)
from processor.destinations.crm_plus.settings import CrmPlusSettings

README = Path(crm_plus.__file__).with_name("README.md")
POOR = Load(has_bulk=False, has_module=False)


def hours(requests, per_hour=REQUESTS_PER_HOUR):
    """At least a minute."""
    at_all = requests / per_hour
    if at_all >= 1:
        return f"{at_all:.1f} h"
    return f"{at_all * 60:.0f} min" if at_all * 60 > 1 else "1 min"


def line(*cells):
    return f"| {' | '.join(cells)} |"


def prices():
    """By resource and change."""
    yield line("resource", "change", "requests", "time", "without bulk endpoints and module")
    yield line("---", "---", "--:", "--:", "--:")
    for kind in FORMULAS:
        rich, poor = per_thousand(kind, Load()), per_thousand(kind, POOR)
        yield line(f"`{kind[0]}`", kind[1], f"{rich:,.0f}", hours(rich), f"{poor:,.0f}")


def cases():
    yield line("case", "requests", "at 1,200 an hour", "at 80 % of it", "without bulk endpoints and module")
    yield line("---", "--:", "--:", "--:", "--:")
    size = A_CUSTOMER
    told = {
        f"backfill: {size.users:,} users, {size.dates:,} dates, {size.participations:,} participations, "
        f"{size.members:,} memberships, {size.earned:,} earned, {size.completions:,} completions": (
            lambda load: backfill(size, load)
        ),
        "the same without participations": lambda load: backfill(replace(size, participations=0), load),
        f"a day: {sum(A_DAY.values()):,} changes, found by polls every 5 minutes": lambda load: steady(A_DAY, load),
        f"a night: {sum(A_NIGHT.values()):,} changes of people, memberships and completions": (
            lambda load: nightly(A_NIGHT, load)
        ),
        "a night: as many, 2,000 of them participations": lambda load: nightly(A_NIGHT_WITH_HOURS, load),
        "a night one by one, as in the recipe": lambda _: None,
    }
    for name, of in told.items():
        rich, poor = (NIGHT_CHANGES if of(load) is None else of(load).requests for load in (Load(), POOR))
        less = hours(rich, REQUESTS_PER_HOUR * BUDGET_FRACTION)
        yield line(name, f"{rich:,.0f}", hours(rich), less, f"{poor:,.0f}, {hours(poor)}")


def settings():
    yield line("key", "default")
    yield line("---", "---")
    for name, field in CrmPlusSettings.model_fields.items():
        default = ", ".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        yield line(f"`{name}`", f"`{default}`")


@pytest.mark.parametrize("table", [prices, cases])
def test_the_readme_shows_what_the_formulas_say(table):
    expected = "\n".join(table())

    assert expected in README.read_text(), f"processor/destinations/crm_plus/README.md must hold:\n{expected}"


def test_the_readme_names_every_setting_with_its_default():
    told = README.read_text()

    assert [row for row in list(settings())[2:] if f"{row.removesuffix(' |')} |" not in told] == []


def test_every_resource_that_is_written_has_a_price():
    assert {resource for resource, _ in FORMULAS} == SHAPES.keys() - {GROUPS, CERTIFICATES}


def test_a_night_of_ten_thousand_takes_minutes_and_not_the_recipes_eight_hours():
    assert sum(A_NIGHT.values()) == sum(A_NIGHT_WITH_HOURS.values()) == NIGHT_CHANGES
    assert NIGHT_CHANGES / REQUESTS_PER_HOUR > 8
    assert nightly(A_NIGHT).hours(REQUESTS_PER_HOUR * BUDGET_FRACTION) < 1


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("load", [Load(), POOR], ids=["rich", "poor"])
def test_what_is_due_together_is_never_dearer_than_one_by_one(kind, load):
    one_by_one = outlay({kind: 1000}, replace(load, together=1)).requests

    assert per_thousand(kind, load) <= one_by_one


def test_a_backfill_costs_what_its_parts_cost_and_lists_all_opportunities_each_time():
    few, many = Size(dates=1000), Size(dates=1001)

    assert backfill(few).requests == 1000 + 5
    assert backfill(many).requests == 1001 + 6 * 2
    assert backfill(Size(users=200, members=200, groups=2)).requests == (4 + 2 + 1) + 2 * 2


def test_a_day_of_rare_changes_is_the_price_of_single_ones():
    assert steady({(USERS, Change.NEW): 10}).requests == 10 * 3
    assert steady({(USERS, Change.NEW): 288 * 5}).requests == 288 * 3


def test_what_is_held_for_long_is_looked_for_ever_less_often():
    assert looks(AT_ONCE, 0.5) == 1
    assert looks(NIGHTLY, 12 * 3600) == 17
    assert looks(BY_STAFF, 72 * 3600) == 17
    assert looks(AT_ONCE, 72 * 3600) == 93
