"""Events of the last day that are not final after an hour, of all customers, as the exporter asks for them."""

from __future__ import annotations

import pytest
from support.builders import a_broken_record, a_record, after

from common.domain.events import EventState
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.overview import PostgresOverview

HOUR = 3600


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_open_ones_of_the_last_day_are_counted_by_customer(storage, engine):
    overview = PostgresOverview(engine)
    storage.detect(a_record("1"), a_record("2"), broken=[a_broken_record("3")])
    storage.detect(a_record("1"), customer_id="globex", run_id="r2", now=after(HOUR))

    assert overview.not_final(after(HOUR - 1)) == {}
    assert overview.not_final(after(HOUR)) == {"acme": 2}
    assert overview.not_final(after(2 * HOUR)) == {"acme": 2, "globex": 1}
    assert overview.not_final(after(25 * HOUR + 1)) == {"globex": 1}


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_what_waits_by_design_is_not_counted(storage, engine):
    storage.detect(a_record("1"), a_record("2"))
    waiting = EventOutcome(
        event_id=storage.due()[0].event_id, state=EventState.PENDING, retry_at=after(30 * HOUR), until_newer=True
    )
    storage.delivery.record("acme", SliceOutcome(events=(waiting,)), after(1))

    assert PostgresOverview(engine).not_final(after(HOUR)) == {"acme": 1}
