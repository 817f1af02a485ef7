"""What accounts were found to have or allow, over both implementations."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_customer, after

from common.domain.clock import ManualClock
from common.storage.customers import PostgresCustomerStore
from common.storage.memory.references import MemoryReferenceCache
from common.storage.references import PostgresReferenceCache

EARLIER = after(-60)


@pytest.fixture(params=["memory", "postgres"])
def references(request):
    if request.param == "memory":
        return MemoryReferenceCache()
    engine = request.getfixturevalue("engine")
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    return PostgresReferenceCache(engine)


@pytest.mark.parametrize("value", [True, False, 0, "", [], {}, "text", [["31", "Volunteer"]], {"a": {"b": [1, None]}}])
def test_an_answer_is_given_back_as_it_was_also_one_that_says_no(references, value):
    references.put("acme", "tags", value, NOW)

    assert references.get("acme", "tags", not_before=NOW) == value


def test_what_was_never_put_is_not_known(references):
    assert references.get("acme", "tags", not_before=EARLIER) is None


def test_what_is_too_old_is_not_known(references):
    references.put("acme", "tags", ["old"], NOW)

    assert references.get("acme", "tags", not_before=NOW) == ["old"]
    assert references.get("acme", "tags", not_before=after(0.001)) is None


def test_no_customer_sees_what_another_has(references):
    references.put("acme", "tags", ["acme's"], NOW)
    assert references.get("globex", "tags", not_before=EARLIER) is None
    references.put("globex", "tags", ["globex's"], NOW)
    references.forget("globex", "tags")

    assert references.get("acme", "tags", not_before=EARLIER) == ["acme's"]


def test_names_do_not_mix(references):
    references.put("acme", "project/GEN", "active", NOW)
    references.put("acme", "project/OLD", "inactive", NOW)

    assert references.get("acme", "project/GEN", not_before=EARLIER) == "active"


def test_of_two_answers_the_later_asked_wins_whichever_comes_last(references):
    references.put("acme", "tags", ["new"], after(10))
    references.put("acme", "tags", ["old"], NOW)
    assert references.get("acme", "tags", not_before=EARLIER) == ["new"]
    references.put("acme", "tags", ["newest"], after(20))

    assert references.get("acme", "tags", not_before=after(20)) == ["newest"]


def test_an_answer_of_the_same_moment_replaces(references):
    references.put("acme", "tags", ["one"], NOW)
    references.put("acme", "tags", ["two"], NOW)

    assert references.get("acme", "tags", not_before=NOW) == ["two"]


def test_what_is_forgotten_is_asked_for_again_and_may_be_put_again(references):
    references.put("acme", "tags", ["old"], after(10))
    references.forget("acme", "tags")
    references.forget("acme", "never put")
    assert references.get("acme", "tags", not_before=EARLIER) is None
    references.put("acme", "tags", ["new"], NOW)

    assert references.get("acme", "tags", not_before=EARLIER) == ["new"]
