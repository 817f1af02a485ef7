"""Which pages a record was seen on: kept with the page, once however often it is read again, and for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from support.builders import NOW, a_broken_record, a_page, a_record, after, an_entity

from common.domain.errors import RunFenced
from common.domain.resources import EARNED_CERTIFICATES
from common.storage.pages import PostgresPages, record_page

LINK = "https://ada:hunter2@api.example.org/v1/users?page=3&api_token=s3cr3t&updated_after=2026-01-01T12%3A00%3A00%2B00%3A00"


def seen(storage, source_id="1", *, newest=20, **whose):
    return storage.pages.seen(an_entity(source_id, **whose), newest=newest)


def save(storage, progress, *records, **changes):
    storage.detection.save_page(a_page(progress, *records, **changes), progress)


def test_a_record_is_found_on_the_page_that_showed_it_by_its_number_in_the_run(storage):
    progress = storage.start().progress
    save(storage, progress, a_record("1"))
    save(storage, progress, a_record("2"), a_record("3"), address=LINK, scan_pass=2, scope="group/17", now=after(5))

    (page,) = seen(storage, "3").newest
    assert (page.run_id, page.number, page.scan_pass, page.origin, page.scope) == ("run1", 2, 2, "backfill", "group/17")
    assert (page.first_seen_at, page.seen_at, page.times) == (after(5), after(5), 1)
    assert [page.number for page in seen(storage, "1").newest] == [1]
    assert seen(storage, "4").newest == []


def test_an_address_is_kept_without_its_secrets(storage):
    save(storage, storage.start().progress, a_record("1"), address=LINK)

    (page,) = seen(storage).newest
    assert page.address == "/v1/users?page=3&…=…&updated_after=2026-01-01T12:00:00+00:00"


def test_what_could_not_be_read_was_seen_too_as_was_what_has_not_changed(storage):
    storage.detect(a_record("1"))
    storage.detect(a_record("1"), broken=(a_broken_record("b1"),), run_id="run2", now=after(9))

    assert [page.run_id for page in seen(storage, "1").newest] == ["run2", "run1"]
    assert [page.run_id for page in seen(storage, "b1").newest] == ["run2"]


def test_polls_that_show_nothing_new_make_no_further_page(storage):
    for number in range(1, 5):
        storage.detect(a_record("1"), run_id=f"run{number}", now=after(number))
        storage.detect(run_id=f"empty{number}", now=after(number))

    (page,) = seen(storage).newest
    assert (page.run_id, page.first_seen_at, page.seen_at, page.times) == ("run4", after(1), after(4), 4)
    assert storage.pages.count("acme") == 1


@pytest.mark.parametrize(
    "other", [{"scan_pass": 2}, {"scope": "group/17"}, {"origin": "reconciliation"}, {"address": "/users?page=2"}]
)
def test_the_same_records_elsewhere_are_another_page(storage, other):
    progress = storage.start().progress
    save(storage, progress, a_record("1"))
    save(storage, progress, a_record("1"), **other)

    assert [page.number for page in seen(storage).newest] == [2, 1]


def test_a_page_of_several_resources_is_found_by_each_with_its_own_records(storage):
    progress = storage.start().progress
    save(storage, progress, a_record("1"), replace(a_record("2"), resource=EARNED_CERTIFICATES))

    assert [seen(storage, name).kept for name in ("1", "2")] == [1, 1]
    assert len(seen(storage, "1").newest) == 1
    assert seen(storage, "2").newest == []
    assert len(seen(storage, "2", resource=EARNED_CERTIFICATES).newest) == 1


def test_of_many_pages_the_newest_are_told_and_the_rest_counted(storage):
    progress = storage.start().progress
    for number in range(1, 6):
        save(storage, progress, a_record("1"), a_record(f"other{number}"), now=after(number))
    save(storage, progress, a_record("9"), now=after(9))

    found = seen(storage, newest=2)
    assert [page.seen_at for page in found.newest] == [after(5), after(4)]
    assert (found.left_out, found.kept, found.begins_at) == (3, 6, after(1))


def test_what_was_not_on_any_page_says_how_many_there_were_and_since_when(storage):
    nothing = seen(storage)
    storage.detect(a_record("1"))

    found = seen(storage, "2")
    assert (nothing.kept, nothing.begins_at) == (0, None)
    assert (found.newest, found.left_out, found.kept, found.begins_at) == ([], 0, 1, NOW)


def test_a_page_that_is_not_saved_is_not_seen(storage):
    progress = storage.start().progress
    storage.start("run2")
    taken_over = a_page(progress, a_record("1"), run_id="another")

    with pytest.raises(RunFenced):
        storage.detection.save_page(taken_over, progress)

    assert storage.pages.count("acme") == 0


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_a_page_and_what_it_has_shown_are_one_transaction(storage, monkeypatch):
    progress = storage.start().progress

    def killed(connection, page):
        record_page(connection, page)
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one() == 1, "not yet for others"
        assert storage.events() == []
        raise KeyboardInterrupt

    monkeypatch.setattr("common.storage.detection.record_page", killed)
    with pytest.raises(KeyboardInterrupt):
        save(storage, progress, a_record("1"))

    assert (storage.pages.count("acme"), storage.events()) == (0, [])


def test_pages_of_one_customer_are_no_others(storage):
    storage.detect(a_record("1"), customer_id="globex", run_id="theirs")

    assert seen(storage).newest == []
    assert (seen(storage).kept, seen(storage).begins_at) == (0, None)
    assert len(seen(storage, customer_id="globex").newest) == 1


def test_a_run_of_the_same_id_at_another_customer_does_not_count_our_pages(storage):
    for customer_id in ("globex", "acme"):
        storage.detect(a_record("1"), customer_id=customer_id, run_id="run1")

    assert [page.number for page in seen(storage).newest] == [1]


def test_the_oldest_are_forgotten_first_and_no_more_than_asked(storage):
    for number in range(1, 5):
        storage.detect(a_record(str(number)), run_id=f"run{number}", now=after(number))

    assert storage.pages.prune(after(4), at_most=2) == 2
    assert [bool(seen(storage, str(number)).newest) for number in range(1, 5)] == [False, False, True, True]
    assert storage.pages.prune(after(4), at_most=2) == 1
    assert storage.pages.prune(after(4), at_most=2) == 0
    assert storage.pages.count("acme") == 1


def test_a_page_that_is_still_read_is_not_old(storage):
    storage.detect(a_record("1"), run_id="run1", now=after(1))
    storage.detect(a_record("1"), run_id="run2", now=after(9))

    assert storage.pages.prune(after(5), at_most=10) == 0
    assert seen(storage).known_since(after(9), timedelta(seconds=100)) == after(1)
    assert seen(storage).known_since(after(9), timedelta(seconds=4)) == after(5)


def test_all_pages_of_a_customer_are_forgotten_and_of_no_other(storage, monkeypatch):
    monkeypatch.setattr("common.storage.pages.PORTION", 2)
    for number in range(3):
        storage.detect(a_record(str(number)), run_id=f"run{number}")
    storage.detect(a_record("1"), customer_id="globex", run_id="theirs")

    assert storage.pages.forget("acme") == 3
    assert (storage.pages.count("acme"), storage.pages.count("globex")) == (0, 1)


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_a_page_that_is_being_saved_holds_up_no_pruning(storage, servers, engine):
    impatient = create_engine(servers.database_url, connect_args={"options": "-c lock_timeout=5000"})
    for number in range(2):
        storage.detect(a_record(str(number)), run_id=f"run{number}")

    with engine.begin() as saving:
        saving.exec_driver_sql("UPDATE pages SET times = 2 WHERE source_ids @> ARRAY['0']")
        assert PostgresPages(impatient).prune(after(1), at_most=10) == 1

    impatient.dispose()
    assert len(seen(storage, "0").newest) == 1
