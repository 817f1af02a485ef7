"""A customer's `source_settings`: what is wrong is named before anything is stored."""

from __future__ import annotations

import pytest
from support.builders import a_customer

from common.cli.checks import problems
from common.domain.errors import CustomerInvalid
from poller.sources.volunteer.settings import VolunteerSettings, read_settings


def named(**settings):
    return [problem.field for problem in problems(a_customer(source_settings=settings))]


def test_without_settings_everything_has_a_default():
    assert read_settings(a_customer()) == VolunteerSettings()
    assert named() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base_urll", "x"), ("participations", "both"), ("window_days_back", 0), ("window_days_ahead", "a week"),
        ("near_seconds", -1), ("details_seconds", 1.5), ("extra_fields", 7), ("extra_fields", [""]),
        ("lists_seconds", 32 * 86_400), ("user_details_complete", "perhaps"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_customer_and_key(key, value):
    with pytest.raises(CustomerInvalid) as raised:
        read_settings(a_customer(source_settings={key: value}))

    assert str(raised.value).startswith(f"customer 'acme': source_settings.{key}")
    assert [field.split(".")[1] for field in named(**{key: value})] == [key]


def test_every_mistake_is_named_at_once():
    assert set(named(base_urll="x", participations="both", details_seconds=-1, base_url="ftp://x")) == {
        f"source_settings.{key}" for key in ("base_urll", "participations", "details_seconds", "base_url")
    }


def test_an_unknown_key_is_told_which_there_are():
    with pytest.raises(CustomerInvalid, match="there is: base_url, extra_fields, participations"):
        read_settings(a_customer(source_settings={"window": 3}))


def test_the_command_line_gives_text_for_everything():
    given = {"extra_fields": "shirt, nickname", "near_seconds": "60", "user_details_complete": "true"}

    found = read_settings(a_customer(source_settings=given))

    assert (found.extra_fields, found.near_seconds, found.user_details_complete) == (("shirt", "nickname"), 60, True)
