"""The source over pages of recorded shape, written from the facts (volunteer-api 1.3 to 1.8), not from the sandbox."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from support.builders import a_customer
from support.clients import an_api, pretended

from common.domain.errors import PageUnreadable
from common.domain.sources import PageQuery, Style
from poller.sources.registry import SOURCES

SHAPES = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parent.joinpath("shapes").iterdir())
}
BASE = "https://api.vomo.org/v1"
ANSWERED = {"Date": "Thu, 20 Nov 2025 09:30:00 GMT"}
TERMS = SOURCES["volunteer"].open(an_api(BASE), a_customer()).terms


def read(shape, *, status=200, headers=ANSWERED, **changes):
    """The page, and the requests it took."""
    asked = []

    def world(request):
        asked.append(request)
        return httpx.Response(status, json=changes.get("body", shape["body"]), headers=headers)

    source = SOURCES["volunteer"].open(an_api(BASE, transport=pretended(world)), a_customer())
    return source.page(PageQuery(**{name: shape[name] for name in ("resource", "scope", "parent")})), asked


@pytest.mark.parametrize("name", SHAPES)
def test_a_recorded_page_becomes_these_records(name):
    shape = SHAPES[name]
    page, asked = read(shape)
    expected = shape["expected"]

    assert page.broken == []
    assert {(record.resource, record.source_id): record.body for record in page.records} == {
        (record["resource"], record["source_id"]): record["body"] for record in expected["records"]
    }
    stamps = {record["source_id"]: datetime.fromisoformat(record["updated_at"]) for record in expected["records"]}
    assert {record.source_id: record.updated_at for record in page.records} == stamps
    assert [page.next_page, page.total, page.shows_all] == [expected[k] for k in ("next_page", "total", "shows_all")]
    assert [[each.resource, each.scope] for each in page.due] == expected["due"]
    assert (page.is_gone, len(asked)) == (False, 1)


def test_every_resource_and_scope_has_a_recorded_page():
    recorded = {(shape["resource"], shape["scope"].partition("/")[0]) for shape in SHAPES.values()}
    expected = {(resource, "") for resource, terms in TERMS.items() if terms.style is Style.MODIFIED}
    for resource, terms in TERMS.items():
        expected |= {(resource, kind) for kind in (*terms.roots, *terms.parents.values())}

    assert recorded == expected


SCOPED = [name for name, shape in SHAPES.items() if "/" in shape["scope"]]
DETAILS = [name for name in SCOPED if not isinstance(SHAPES[name]["body"].get("data", {}), list)]


@pytest.mark.parametrize("name", SCOPED)
def test_what_is_not_there_any_more_is_gone_and_no_error(name):
    page, _ = read(SHAPES[name], status=404, body={"message": "Resource not found."})

    assert (page.is_gone, list(page.records), list(page.broken), page.total) == (True, [], [], None)


@pytest.mark.parametrize("name", DETAILS)
@pytest.mark.parametrize(
    "body", [{}, [], None, {"data": None}, {"data": []}, {"message": "Hello"}, {"data": {"id": 999}}, {"id": "999"}]
)
def test_an_answer_about_something_else_is_no_evidence(name, body):
    with pytest.raises(PageUnreadable, match="customer acme"):
        read(SHAPES[name], body=body)


@pytest.mark.parametrize("name", [name for name in DETAILS if SHAPES[name]["expected"]["records"]])
@pytest.mark.parametrize("value", [None, "null", {}])
def test_a_list_that_is_missing_is_no_evidence_either(name, value):
    detail = SHAPES[name]["body"].get("data", SHAPES[name]["body"])
    lists = ("participants", "participations", "certificates", "all_dates")

    page, _ = read(SHAPES[name], body={"data": {**detail, **{key: value for key in lists if key in detail}}})

    assert (list(page.records), page.shows_all) == ([], False)


@pytest.mark.parametrize("name", DETAILS)
def test_an_answer_that_does_not_say_when_it_was_made_dates_nothing(name):
    with pytest.raises(PageUnreadable, match="no Date header"):
        read(SHAPES[name], headers={})


@pytest.mark.parametrize(
    ("name", "lists", "field"),
    [
        ("project_date", "participants", "hours"),
        ("user_detail", "participations", "verified"),
        ("user_detail_bare_with_certificates", "certificates", "certificate_id"),
        ("project_detail", "all_dates", "starts_at"),
    ],
)
def test_one_bad_row_of_an_embedded_list_spoils_no_other_and_still_counts_as_there(name, lists, field):
    detail = SHAPES[name]["body"].get("data", SHAPES[name]["body"])
    bad = {**detail[lists][0], field: "soon" if field != "certificate_id" else None, "id": 55, "user_id": 4102}

    page, _ = read(SHAPES[name], body={"data": {**detail, lists: [*detail[lists], bad]}})

    (broken,) = page.broken
    assert broken.field == field
    assert "customer acme" in broken.message
    assert len(page.records) == len(SHAPES[name]["expected"]["records"])
    assert page.total == len(page.records) + 1


def test_dates_of_a_project_that_cannot_be_read_are_named_one_by_one_and_count_as_there():
    detail = SHAPES["project_detail"]["body"]["data"]

    page, _ = read(SHAPES["project_detail"], body={"data": {**detail, "name": None, "project_name": None}})

    assert [(broken.source_id, broken.field) for broken in page.broken] == [("1011", "name"), ("1012", "name")]
    assert (list(page.records), page.total, page.shows_all) == ([], 2, True)


def test_what_lets_its_bearer_check_somebody_in_is_never_kept():
    detail = SHAPES["project_date"]["body"]["data"]
    rows = [{**row, "token": "s3cret", "group_token": "s3cret"} for row in detail["participants"]]
    rows[0]["hours"] = "four"

    page, _ = read(SHAPES["project_date"], body={"data": {**detail, "participants": rows}})

    assert (len(page.records), len(page.broken)) == (1, 1)
    assert "s3cret" not in repr(page)


def test_a_detail_says_it_shows_all_only_where_the_customer_says_so_and_every_list_is_there():
    whole = SHAPES["user_detail_bare_with_certificates"]
    customer = a_customer(source_settings={"user_details_complete": True})
    for shape, shows_all in ((whole, True), (SHAPES["user_detail"], False)):
        world = pretended(lambda _, body=shape["body"]: httpx.Response(200, json=body, headers=ANSWERED))
        source = SOURCES["volunteer"].open(an_api(BASE, transport=world), customer)
        page = source.page(PageQuery(resource="participations", scope="user/4101"))
        assert page.shows_all is shows_all


def test_completions_that_were_asked_for_since_a_time_prove_nothing_about_the_others():
    shape, moment = SHAPES["form_completions"], datetime.fromisoformat("2025-11-05T10:00:00+00:00")
    asked = []

    def world(request):
        asked.append(request.url)
        body = {**shape["body"], "links": {"next": f"{BASE}/forms/310/completions?updated_after=2025&page=2"}}
        return httpx.Response(200, json=body, headers=ANSWERED)

    source = SOURCES["volunteer"].open(an_api(BASE, transport=pretended(world)), a_customer())
    scope = {"resource": "form_completions", "scope": "form/310"}
    first = source.page(PageQuery(**scope, updated_after=moment))
    second = source.page(PageQuery(**scope, next_page=first.next_page))

    assert source.terms["form_completions"].takes_since
    assert asked[0].params["updated_after"] == "2025-11-05T10:00:00+00:00"
    assert (first.shows_all, second.shows_all) == (False, False)


@pytest.mark.parametrize("resource", ["projects", "groups", "organizations"])
def test_a_filter_that_a_list_does_not_know_is_not_sent(resource):
    asked = []

    def world(request):
        asked.append(dict(request.url.params))
        return httpx.Response(200, json=SHAPES[resource]["body"], headers=ANSWERED)

    source = SOURCES["volunteer"].open(an_api(BASE, transport=pretended(world)), a_customer())
    moment = datetime.fromisoformat("2025-11-05T10:00:00+00:00")
    source.page(PageQuery(resource=resource, updated_after=moment, updated_before=moment))

    assert asked == [{"updated_after": "2025-11-05T10:00:00+00:00"} if resource == "projects" else {}]
