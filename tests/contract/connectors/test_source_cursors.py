"""What the poller's loop may rely on from every source that tells its changes since a cursor.

No connector of ours does yet: the pretended one that the loop is tested with has to keep these promises too. A new one
adds a line to `FOLLOWED`: a way to open it on an account, with `put(*ids)`, `take(id)` and `expire()` behind its back.
"""

from __future__ import annotations

import pytest
from support.following import Ledger

from common.domain.errors import CursorExpired
from common.domain.resources import USERS
from common.domain.sources import PRESENT, PageQuery, Style

FOLLOWED = [(Ledger, USERS)]


@pytest.fixture(params=FOLLOWED, ids=lambda each: each[0].__name__)
def followed(request):
    open_source, resource = request.param
    source = open_source()
    source.put("1", "2", "3")
    assert source.terms[resource].style is Style.CURSOR
    return source, resource


def present(source, resource):
    return source.page(PageQuery(resource=resource, cursor=PRESENT))


def changes(source, resource, cursor):
    """All pages."""
    pages = [source.page(PageQuery(resource=resource, cursor=cursor))]
    while pages[-1].next_page is not None:
        pages.append(source.page(PageQuery(resource=resource, cursor=cursor, next_page=pages[-1].next_page)))
    return pages


def test_the_present_cursor_comes_without_records(followed):
    page = present(*followed)

    assert (page.item_count, page.gone, page.next_page, bool(page.cursor)) == (0, (), None, True)


def test_nothing_has_changed_since_the_present_cursor(followed):
    (page,) = changes(*followed, present(*followed).cursor)

    assert (page.item_count, page.gone, bool(page.cursor)) == (0, [], True)


def test_every_change_after_a_cursor_is_told_and_the_last_page_alone_has_the_next_one(followed):
    source, resource = followed
    cursor = present(source, resource).cursor
    source.put("4", "5", "1")
    source.take("2")
    pages = changes(source, resource, cursor)

    assert {record.source_id for page in pages for record in page.records} == {"1", "4", "5"}
    assert {gone.source_id for page in pages for gone in page.gone} == {"2"}
    assert len(pages) > 1
    assert [bool(page.cursor) for page in pages] == [*[False] * (len(pages) - 1), True]


def test_the_same_cursor_tells_the_same_changes_again(followed):
    source, resource = followed
    cursor = present(source, resource).cursor
    source.put("4")
    for _ in range(2):
        told = [record.source_id for page in changes(source, resource, cursor) for record in page.records]
        assert told == ["4"]


def test_a_forgotten_cursor_is_said_to_be(followed):
    source, resource = followed
    cursor = present(source, resource).cursor
    source.expire()

    with pytest.raises(CursorExpired):
        changes(source, resource, cursor)
    assert present(source, resource).cursor


def test_the_list_of_all_there_is_has_a_total_and_needs_no_cursor(followed):
    source, resource = followed
    page = source.page(PageQuery(resource=resource))

    assert (page.total, page.gone, page.cursor) == (3, (), None)
