import json

import pytest

from common.cli.entries import read_entry, read_file, read_settings
from common.cli.failures import CommandFailed
from common.domain.customers import Lane, System, Tier
from common.domain.errors import CustomerInvalid

GOOD = {"customer_id": "acme", "name": "Acme", "tier": "premium"}


def lines(values):
    with pytest.raises(CommandFailed) as caught:
        read_entry(values, "number 1")
    return caught.value.lines


def test_a_customer_gets_the_lane_of_its_tier():
    customer = read_entry(GOOD, "").customer()

    assert (customer.tier, customer.lane) == (Tier.PREMIUM, Lane.PRIORITY)


def test_a_lane_may_be_chosen():
    assert read_entry({**GOOD, "lane": "background"}, "").customer().lane is Lane.BACKGROUND


def test_every_mistake_of_an_entry_is_named_with_its_field():
    found = lines({**GOOD, "tier": "gold", "tme_zone": "UTC", "poll_interval_seconds": 0})

    assert found == (
        "customer 'acme': tier: input should be 'premium', 'standard' or 'basic'",
        "customer 'acme': poll_interval_seconds: input should be greater than or equal to 1",
        "customer 'acme': tme_zone: is no field; did you mean time_zone?",
    )


def test_an_entry_without_an_id_is_named_by_its_place():
    assert lines({"name": "Acme", "tier": "basic"}) == ("customer number 1: customer_id: field required",)


def test_no_complaint_repeats_a_token():
    found = lines({**GOOD, "source_token": ["secret-token"]})

    assert "secret-token" not in str(found)


def test_a_file_gives_its_sound_entries_and_the_mistakes_of_the_others(tmp_path):
    file = tmp_path / "customers.json"
    file.write_text(json.dumps([GOOD, 5, GOOD, {**GOOD, "customer_id": "b", "tier": "x"}]))

    entries, found = read_file(file)

    assert [entry.customer_id for entry in entries] == ["acme", "acme"]
    assert found == [
        "customer number 2: is not a JSON object",
        "customer 'b': tier: input should be 'premium', 'standard' or 'basic'",
        "customer 'acme': customer_id: is there twice",
    ]


@pytest.mark.parametrize(("text", "what"), [("{", "is not JSON"), ("{}", "give a JSON list")])
def test_a_file_that_is_no_list_is_refused(tmp_path, text, what):
    (tmp_path / "customers.json").write_text(text)

    with pytest.raises(CommandFailed, match=what):
        read_file(tmp_path / "customers.json")


def test_tokens_may_stand_in_files_beside_it(tmp_path):
    (tmp_path / "acme.token").write_text("abc\n")
    entry = read_entry({**GOOD, "source_token_file": "acme.token", "destination_token": "xyz123"}, "")

    assert entry.token(System.SOURCE, tmp_path).get_secret_value() == "abc"
    assert entry.token(System.DESTINATION, tmp_path).get_secret_value() == "xyz123"
    assert "xyz123" not in repr(entry)


def test_a_missing_token_is_named(tmp_path):
    with pytest.raises(CustomerInvalid, match="customer 'acme': source_token: is missing"):
        read_entry(GOOD, "").token(System.SOURCE, tmp_path)


def test_settings_are_pairs_and_values_may_hold_the_sign():
    assert read_settings(["base_url=http://x/?a=b", "create=direct"], "--source-setting") == {
        "base_url": "http://x/?a=b",
        "create": "direct",
    }


def test_a_setting_that_is_no_pair_is_refused():
    with pytest.raises(CommandFailed, match="--source-setting: 'create': write KEY=VALUE"):
        read_settings(["create"], "--source-setting")
