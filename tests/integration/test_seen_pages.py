"""Pages are forgotten by the sweep of the running product, after the time that is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.builders import a_customer, a_page, a_record, an_entity
from support.sweeping import sweeping

from common.domain.clock import SystemClock
from common.storage.customers import PostgresCustomerStore
from common.storage.detection import PostgresDetectionStore
from common.storage.pages import PostgresPages


@pytest.mark.parametrize(("settings", "kept"), [({}, [False, True]), ({"FLEET_PAGES_KEPT_DAYS": "6"}, [False, False])])
def test_the_sweep_forgets_pages_that_were_seen_too_long_ago(servers, engine, redis, settings, kept):
    now = datetime.now(UTC)
    PostgresCustomerStore(engine, SystemClock()).add(a_customer())
    store = PostgresDetectionStore(engine, partitions=4)
    ids = {"customer_id": "acme", "resource": "users", "run_id": "r", "trace_id": "t"}
    progress = store.start_run(**ids, now=now).progress
    for days in (9, 7):
        store.save_page(a_page(progress, a_record(f"{days}"), now=now - timedelta(days=days)), progress)

    with sweeping(servers, **settings) as sweep:
        sweep()

    pages = PostgresPages(engine)
    assert [bool(pages.seen(an_entity(f"{days}"), newest=1).newest) for days in (9, 7)] == kept
