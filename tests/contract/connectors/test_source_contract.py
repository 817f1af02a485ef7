"""What the poller's loop may rely on from every source, however its API spells things on a given day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from support.builders import a_customer
from support.clients import an_api, pretended
from support.reading import Reading

from common.domain.errors import (
    PageUnreadable,
    PermissionMissing,
    RateLimited,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.domain.sources import WHOLE, PageQuery, Style
from common.http.client import make_transport
from poller.sources.registry import SOURCES

#: Every resource that has a list of people, with a filter by time.
LISTINGS = [("volunteer", "users")]
ANSWERED = {"Date": "Thu, 20 Nov 2025 09:30:00 GMT"}
LONG_AGO = "2020-01-01T00:00:00+00:00"


def _places():
    """One scope of each kind, of every resource of every source there is. The ids are the sandbox's first ones."""
    first = {"project": 701, "date": 1011, "user": 4101, "group": 61, "form": 310}
    for name, definition in SOURCES.items():
        source = definition.open(an_api("https://api.example/v1"), a_customer())
        for resource in source.resources:
            terms = source.terms[resource]
            roots = (WHOLE,) if terms.style is not Style.SCOPED else terms.roots
            scopes = [*roots, *(f"{kind}/{first[kind]}" for kind in terms.parents.values())]
            yield from ((name, resource, scope) for scope in scopes)


PLACES = list(_places())
LISTS = [place for place in PLACES if "/" not in place[2] or place[1] in ("group_members", "form_completions")]


class Reader:
    """One scope of one resource of one source, bound to one organization."""

    def __init__(self, name, resource, scope, access, transport):
        self.api = an_api(
            access.volunteer_base_url, access.volunteer_token, transport=transport, customer_id=access.name
        )
        self.source = SOURCES[name].open(self.api, a_customer(access.name))
        self.resource = resource
        self.place = scope

    def page(self, **query):
        return self.source.page(PageQuery(resource=self.resource, scope=self.place, **query))

    def pages(self, **query):
        return Reading(self.source).scope(self.resource, self.place, **query)

    def records(self, **query):
        return [record for page in self.pages(**query) for record in page.records]


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture(params=LISTINGS, ids="/".join)
def reader_of(request, transport):
    name, resource = request.param
    return lambda access: Reader(name, resource, WHOLE, access, transport)


@pytest.fixture(params=PLACES, ids=":".join)
def anywhere(request, transport):
    return lambda access: Reader(*request.param, access, transport)


def facts(records):
    """What a record means, without how it was spelled."""
    return [(record.source_id, record.updated_at, record.body) for record in records]


def test_pages_lead_to_the_end_with_every_record_once(reader_of, organization, sandbox):
    access = organization(users=40)
    pages = reader_of(access).pages()

    ids = [record.source_id for page in pages for record in page.records]
    expected = set(sandbox.export(access.name)["source"]["users"])

    assert len(pages) > 1
    assert len(ids) == len(set(ids)) == 40
    assert set(ids) == expected
    assert {page.total for page in pages} == {40}


def test_an_empty_list_is_one_empty_page(reader_of, organization):
    (page,) = reader_of(organization(users=0)).pages()

    assert (page.item_count, page.total, page.next_page) == (0, 0, None)


def test_a_page_tells_the_sources_own_clock(anywhere, organization):
    page = anywhere(organization()).page()

    assert abs(datetime.now(tz=UTC) - page.answered_at) < timedelta(minutes=1)


def test_a_record_has_an_aware_time_and_its_raw_item_with_fields_nobody_knows(reader_of, organization):
    for record in reader_of(organization()).records():
        assert record.updated_at.utcoffset() == timedelta(0)
        assert "x_beta_score" in record.raw
        assert "x_beta_score" not in record.body


def test_both_bounds_are_inclusive(reader_of, organization, sandbox):
    access = organization(users=0)
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    ids = {}
    for offset in (-2, -1, 0, 1, 2):
        stamp = (noon + timedelta(seconds=offset)).isoformat()
        ids[offset] = str(sandbox.create_user(access.name, created_at=LONG_AGO, updated_at=stamp)["id"])

    bounds = {"updated_after": noon - timedelta(seconds=1), "updated_before": noon + timedelta(seconds=1)}
    found = {record.source_id for record in reader_of(access).records(**bounds)}

    assert found == {ids[-1], ids[0], ids[1]}


def test_windows_by_created_time_show_every_record_whatever_was_edited_since(reader_of, organization, sandbox):
    """The sandbox's bounds are inclusive; that overlapping ones show all is tested where they are made."""
    access = organization(users=60)
    reader = reader_of(access)
    users = sandbox.export(access.name)["source"]["users"]
    created = {user_id: datetime.fromisoformat(user["created_at"]) for user_id, user in users.items()}
    sandbox.change_user(access.name, int(min(users)), last_name="Changed")
    middle = sorted(created.values())[30]

    older = {record.source_id for record in reader.records(created_before=middle)}
    newer = {record.source_id for record in reader.records(created_after=middle)}
    assert older == {user_id for user_id, at in created.items() if at <= middle}
    assert newer == {user_id for user_id, at in created.items() if at >= middle}
    assert {page.total for page in reader.pages(created_before=middle)} == {len(older)}


@pytest.mark.parametrize("style", ["null", "text"])
def test_both_spellings_of_the_last_page_end_it(reader_of, organization, style):
    reader = reader_of(organization(users=20, next_style=style))

    assert [page.item_count for page in reader.pages()] == [15, 5]


@pytest.mark.parametrize("setting", ["id_style", "meta_style", "timestamp_style"], ids=["ids", "numbers", "times"])
def test_every_spelling_gives_the_same_records(reader_of, organization, sandbox, setting):
    spellings = {
        "id_style": ("int", "string"), "meta_style": ("int", "string"),
        "timestamp_style": ("offset", "zulu", "bare", "mixed"),
    }[setting]  # fmt: skip
    access = organization(users=20)
    read = []
    for spelling in spellings:
        sandbox.change_organization(access.name, **{setting: spelling})
        pages = reader_of(access).pages()
        read.append((facts(record for page in pages for record in page.records), pages[0].total))

    assert all(other == read[0] for other in read)
    assert read[0][1] == 20


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"omit": ["last_name"]}, "last_name"),
        ({"omit": ["updated_at"]}, "updated_at"),
        ({"first_name": "  "}, "first_name"),
        ({"birthday": "soon"}, "birthday"),
        ({"email": {"value": "f@example.org"}}, "email"),
    ],
)
def test_an_unreadable_item_names_its_field_and_its_page_goes_on(reader_of, organization, sandbox, overrides, field):
    access = organization(users=5)
    bad = sandbox.create_user(access.name, **overrides)

    (page,) = reader_of(access).pages()

    (broken,) = page.broken
    assert (broken.field, broken.source_id, broken.reason) == (field, str(bad["id"]), "record_invalid")
    assert access.name in broken.message
    assert len(page.records) == 5
    assert page.item_count == page.total == 6


def test_an_item_without_an_id_is_told_apart_by_its_content(reader_of, organization, sandbox):
    access = organization(users=0)
    for first_name in ("Ada", "Bert"):
        sandbox.create_user(access.name, first_name=first_name, omit=["id"])

    once, again = ({broken.source_id for broken in reader_of(access).page().broken} for _ in range(2))

    assert len(once) == 2
    assert once == again


def test_an_answer_that_is_not_json_is_no_page(anywhere, organization, sandbox):
    access = organization()
    sandbox.add_faults({"kind": "not_json", "organization": access.name})

    with pytest.raises(PageUnreadable, match=access.name):
        anywhere(access).page()


def test_a_rejected_token_blocks_the_customer(anywhere, organization):
    with pytest.raises(TokenRejected):
        anywhere(organization(volunteer_token_valid=False)).page()


def test_a_missing_permission_blocks_the_customer(anywhere, organization):
    with pytest.raises(PermissionMissing):
        anywhere(organization(volunteer_forbidden=True)).page()


def test_a_rate_limit_says_until_when(anywhere, organization, sandbox):
    access = organization()
    sandbox.add_faults({"kind": "rate_limit", "organization": access.name, "retry_after_seconds": 17})
    before = datetime.now(tz=UTC)

    with pytest.raises(RateLimited) as raised:
        anywhere(access).page()

    assert 16 <= (raised.value.until - before).total_seconds() <= 22


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", ["html", "empty", "json"])
def test_a_server_error_is_a_system_that_is_unavailable(reader_of, organization, sandbox, status, body):
    access = organization(users=1)
    sandbox.add_faults({"kind": "error", "organization": access.name, "status": status, "body": body})

    with pytest.raises(SystemUnavailable) as raised:
        reader_of(access).page()

    assert (raised.value.sent, raised.value.status) == (True, status)


@pytest.mark.parametrize("kind", ["drop_before_apply", "drop_after_apply"])
def test_a_dropped_connection_is_an_unknown_outcome(anywhere, organization, sandbox, kind):
    access = organization(users=1)
    sandbox.add_faults({"kind": kind, "organization": access.name})

    with pytest.raises(UnknownOutcome):
        anywhere(access).page()


@pytest.mark.parametrize("kind", ["outage", "not_json", "rate_limit", "drop_after_apply"])
def test_no_error_tells_the_token_or_a_persons_data(anywhere, organization, sandbox, kind):
    access = organization(users=1)
    sandbox.add_faults({"kind": kind, "organization": access.name})

    with pytest.raises(Exception, match=access.name) as raised:
        anywhere(access).page()

    assert access.volunteer_token not in repr(raised.value)
    assert access.canary not in str(raised.value)


@pytest.mark.parametrize("listing", LISTS, ids=":".join)
@pytest.mark.parametrize(
    "link",
    ["https://evil.example/v1/users?page=2", "https://api.example.evil/v1/users", "https://api.example/v1evil/users"],
)
def test_a_link_that_leads_to_another_place_is_refused_and_no_token_is_sent_there(listing, link):
    name, resource, scope = listing
    asked = []

    def world(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        body = {"data": [], "links": {"next": link}, "meta": {"total": 99}}
        return httpx.Response(200, json=body, headers=ANSWERED)

    source = SOURCES[name].open(an_api("https://api.example/v1", transport=pretended(world)), a_customer())
    first = source.page(PageQuery(resource=resource, scope=scope))
    with pytest.raises(PageUnreadable, match="leads away"):
        source.page(PageQuery(resource=resource, scope=scope, next_page=first.next_page))

    assert len(asked) == 1
    assert asked[0].startswith("https://api.example/v1/")


@pytest.mark.parametrize("place", PLACES, ids=":".join)
@pytest.mark.parametrize("body", [[], {}, {"data": None}, {"data": "x"}, "text", 7, None])
def test_json_that_is_not_a_page_is_no_page(place, body):
    name, resource, scope = place
    world = pretended(lambda _: httpx.Response(200, json=body, headers=ANSWERED))

    with pytest.raises(PageUnreadable):
        SOURCES[name].open(an_api("https://api.example/v1", transport=world), a_customer()).page(
            PageQuery(resource=resource, scope=scope)
        )


@pytest.mark.parametrize("listing", LISTS, ids=":".join)
@pytest.mark.parametrize("item", ["text", 7, None, [], True, {}, {"id": True}, {"id": {"a": 1}}])
def test_an_item_of_any_shape_is_broken_and_never_breaks_its_page(listing, item):
    name, resource, scope = listing
    body = {"data": [item], "links": {}, "meta": {"total": "²"}}
    world = pretended(lambda _: httpx.Response(200, json=body, headers=ANSWERED))

    source = SOURCES[name].open(an_api("https://api.example/v1", transport=world), a_customer())
    page = source.page(PageQuery(resource=resource, scope=scope))

    assert (len(page.records), len(page.broken), page.next_page) == (0, 1, None)
    assert page.total == (0 if scope == "today" else None)
