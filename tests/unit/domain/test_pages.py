"""What is kept of a page's address, and which pages are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import a_broken_record, a_page, a_record

from common.domain.checkpoints import Progress
from common.domain.pages import LONGEST_ADDRESS, LONGEST_LINK, plain_address, showings

PROGRESS = Progress(run_id="r", origin="poll", trace_id="t")


def digest(*records, **changes):
    (showing,) = showings(a_page(PROGRESS, *records, **changes))
    return showing.digest


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        (None, ""),
        ("", ""),
        (
            "https://api.vomo.org/v1/users?updated_after=2026-01-01T12%3A00%3A00%2B00%3A00&page=3",
            "/v1/users?updated_after=2026-01-01T12:00:00+00:00&page=3",
        ),
        ("https://api.vomo.org/v1/forms/17/completions?page[size]=50", "/v1/forms/17/completions?page[size]=50"),
        ("/v1/users?since=2026-01-01T12:00:00+00:00", "/v1/users?since=2026-01-01T12:00:00 00:00"),
        ("/group-members?limit=10&offset=20", "/group-members?limit=10&offset=20"),
    ],
)  # fmt: skip
def test_an_address_keeps_its_list_ids_and_bounds(link, kept):
    assert plain_address(link) == kept


@pytest.mark.parametrize(
    "link",
    [
        "https://ada:CANARY@api.example.org/v1/users?page=2",
        "https://CANARY.example.org/v1/users",
        "https://api.example.org/v1/users?access_token=CANARY",
        "https://api.example.org/v1/users?page=CANARY",
        "https://api.example.org/v1/users?cursor=CANARY&page=2",
        "https://api.example.org/v1/users?CANARY",
        "https://api.example.org/v1/users?CANARY=2",
        "https://api.example.org/v1/users?page=2#CANARY",
        "https://api.example.org/t/CANARY/users",
        "https://api.example.org/v1/users;CANARY?page=2",
        "https://api.example.org/v1/users?page=%43ANARY",
        "https://api.example.org/%43ANARY",
        "https://api.example.org/v1/users?updated_after=2026-01-01CANARY",
        "https://[CANARY/users",
        "CANARY",
    ],
)
def test_nothing_else_of_a_link_is_kept(link):
    assert "ANARY" not in plain_address(link)


@pytest.mark.parametrize("name", ["api_token", "key", "secret", "token", "email", "signature", "page_token"])
def test_not_even_a_number_is_kept_of_an_argument_that_is_no_bound(name):
    assert plain_address(f"/v1/users?{name}=4711&page=2") == "/v1/users?…=…&page=2"


def test_an_endless_link_is_cut():
    kept = plain_address("/v1/users?" + "page=1&" * 1_000)

    assert len(kept) == LONGEST_ADDRESS
    assert kept.endswith("…")
    assert plain_address("/v1/users?" + "&" * LONGEST_LINK + "page=2") == "/v1/users", "it is not even read to its end"


def test_a_page_is_the_same_whatever_its_order_run_and_values():
    before = digest(a_record("1"), a_record("2"))

    assert digest(a_record("2", phone="1"), a_record("1"), run_id="another", scan_id="another") == before
    assert digest(a_record("1"), a_record("3")) != before
    assert digest(a_record("1"), a_record("2"), scan_pass=2) != before


def test_ids_cannot_be_joined_to_another_pages():
    assert digest(a_record("1"), a_record("2")) != digest(a_record('1", "2'))


def test_each_resource_of_a_page_has_its_own_records_and_a_page_without_any_has_none():
    page = a_page(PROGRESS, a_record("2"), a_record("1"), a_record("1"), broken=(a_broken_record("b"),))
    other = replace(a_record("9"), resource="groups")

    assert [(each.resource, each.source_ids) for each in showings(replace(page, records=[*page.records, other]))] == [
        ("groups", ("9",)),
        ("users", ("1", "2", "b")),
    ]
    assert showings(a_page(PROGRESS)) == []
