"""Fields of a customer, as they are typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.cli.changes import differences, read_changes
from common.domain.customers import Customer, Lane, Mode, Tier

ACME = Customer(customer_id="acme", name="Acme", tier=Tier.PREMIUM, lane=Lane.PRIORITY)


def test_what_was_typed_becomes_fields_and_a_tier_brings_its_lane():
    given = {"tier": "basic", "poll_interval_seconds": "90", "cadences": {"users": "60"}, "mode": "nightly"}

    wanted, mistakes = read_changes("acme", given)

    assert mistakes == []
    assert wanted == {
        "tier": Tier.BASIC, "lane": Lane.BACKGROUND, "poll_interval_seconds": 90, "cadences": {"users": 60},
        "mode": Mode.NIGHTLY,
    }  # fmt: skip


@pytest.mark.parametrize("word", ["default", "0"])
def test_the_tiers_own_interval_is_asked_for_by_a_word(word):
    assert read_changes("acme", {"poll_interval_seconds": word}) == ({"poll_interval_seconds": None}, [])


def test_no_cadences_are_a_change_too():
    assert read_changes("acme", {"cadences": {}}) == ({"cadences": {}}, [])


def test_every_mistake_is_named_at_once_with_customer_field_and_mend():
    given = {
        "name": " ", "tier": "premum", "mode": "weekly", "poll_interval_seconds": "often",
        "cadences": {"users": "", "forms": "-5"}, "time_zone": "UTC",
    }  # fmt: skip

    wanted, mistakes = read_changes("acme", given)

    assert wanted == {"time_zone": "UTC"}
    assert [str(mistake) for mistake in mistakes] == [
        "customer 'acme': name: is empty",
        "customer 'acme': tier: 'premum' is not known; did you mean premium?",
        "customer 'acme': mode: 'weekly' is not known; there is: continuous, nightly",
        "customer 'acme': poll_interval_seconds: 'often' is no number of seconds above 0",
        "customer 'acme': cadences.users: '' is no number of seconds above 0",
        "customer 'acme': cadences.forms: '-5' is no number of seconds above 0",
    ]


def test_only_fields_that_differ_are_a_change():
    after = replace(ACME, tier=Tier.BASIC, cadences={})

    assert differences(ACME, after) == {"tier": {"before": Tier.PREMIUM, "after": Tier.BASIC}}
    assert differences(ACME, ACME) == {}
