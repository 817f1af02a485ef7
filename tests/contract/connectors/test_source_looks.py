"""Whether one record is there, by its id: asked of every source that says it can tell."""

from __future__ import annotations

import httpx
import pytest
from support.builders import a_customer
from support.clients import an_api, pretended

from common.domain.errors import PageUnreadable, SystemUnavailable
from common.domain.sources import PageQuery
from common.http.client import make_transport
from poller.sources.registry import SOURCES

#: Of every source and resource: its scope for one record.
ONES = [
    (name, resource, terms.one)
    for name, definition in SOURCES.items()
    for resource, terms in definition.terms.items()
    if terms.one
]


@pytest.fixture
def transport():
    client = make_transport(2.0)
    yield client
    client.close()


def look(name, resource, one, source_id, api, customer_id):
    source = SOURCES[name].open(api, a_customer(customer_id))
    return source.page(PageQuery(resource=resource, scope=f"{one}/{source_id}"))


@pytest.mark.parametrize(("name", "resource", "one"), ONES)
@pytest.mark.parametrize("habits", [{}, {"id_style": "string"}], ids=["plain", "text ids"])
def test_a_record_that_is_there_is_not_gone_and_brings_no_record(
    organization, sandbox, transport, name, resource, one, habits
):
    access = organization(users=3, **habits)
    api = an_api(access.volunteer_base_url, access.volunteer_token, transport=transport, customer_id=access.name)
    source_id = next(iter(sandbox.export(access.name)["source"][resource]))
    source_id = source_id if isinstance(source_id, str) else source_id["id"]
    page = look(name, resource, one, source_id, api, access.name)

    assert (page.is_gone, page.records, page.broken, page.next_page, page.due) == (False, (), (), None, ())


@pytest.mark.parametrize(("name", "resource", "one"), ONES)
def test_one_that_is_not_there_is_gone(organization, transport, name, resource, one):
    access = organization(users=3)
    api = an_api(access.volunteer_base_url, access.volunteer_token, transport=transport, customer_id=access.name)

    assert look(name, resource, one, "999999", api, access.name).is_gone


@pytest.mark.parametrize(("name", "resource", "one"), ONES)
@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"id": 18}}, {"message": "Resource not found."}])
def test_an_answer_about_anything_else_is_none(name, resource, one, body):
    api = an_api("https://api.example/v1", transport=pretended(lambda _request: httpx.Response(200, json=body)))

    with pytest.raises(PageUnreadable):
        look(name, resource, one, "17", api, "acme")


@pytest.mark.parametrize(("name", "resource", "one"), ONES)
def test_an_outage_is_not_an_absence(name, resource, one):
    api = an_api("https://api.example/v1", transport=pretended(lambda _request: httpx.Response(503)))

    with pytest.raises(SystemUnavailable):
        look(name, resource, one, "17", api, "acme")
