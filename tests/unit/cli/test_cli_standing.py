from datetime import UTC, datetime, timedelta

from rich.console import Console

from common.cli.standing import standings, totals, view
from common.domain.targets import MissingTarget
from common.storage.attention import TargetsFound
from common.storage.overview import CustomerOverview

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(customer_id, **changes):
    values = {
        "tier": "premium", "lane": "priority", "status": "active", "status_reason": "", "parked_until": None,
        "parked_reason": "", "checkpoint": NOW - timedelta(minutes=3), "last_run_at": NOW, "pending": 0, "submitted": 0,
        "oldest_pending_at": None, "dead_letters": 0,
    }  # fmt: skip
    return CustomerOverview(customer_id=customer_id, **{**values, **changes})


def printed(rows, width=100):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(view(rows, NOW))
        return console.export_text()


def test_trouble_comes_first():
    rows = [
        row("calm"),
        row("waiting", pending=1, oldest_pending_at=NOW - timedelta(seconds=5)),
        row("longer", pending=1, oldest_pending_at=NOW - timedelta(seconds=50)),
        row("parked", parked_until=NOW + timedelta(seconds=9), parked_reason="budget"),
        row("letters", dead_letters=2),
        row("paused", status="paused", status_reason="token"),
    ]

    found = [each.customer_id for each in standings(rows, {}, NOW)]

    assert found == ["paused", "letters", "parked", "longer", "waiting", "calm"]


def test_a_parking_that_is_over_is_none():
    (found,) = standings([row("a", parked_until=NOW, parked_reason="budget")], {"a": 3}, NOW)

    assert (found.state, found.why, found.parked_until, found.queue_depth) == ("active", "", None, 3)


def test_ages_are_seconds_for_programs():
    (found,) = standings([row("a", last_run_at=None)], {}, NOW)

    assert (found.checkpoint_age_seconds, found.last_run_age_seconds) == (180, None)


def test_the_sums_count_states_and_work():
    rows = standings([row("a", pending=2, submitted=1), row("b", status="paused", dead_letters=4)], {"a": 5}, NOW)

    assert totals(rows) == {
        "customers": 2, "active": 1, "parked": 0, "paused": 1, "pending": 2, "submitted": 1, "queued": 5,
        "dead_letters": 4,
    }  # fmt: skip


def test_the_table_fits_into_eighty_columns_and_cuts_long_ids_only():
    old = NOW - timedelta(days=400)
    rows = standings(
        [
            row("x" * 63, lane="background", tier="standard", checkpoint=old, last_run_at=old, pending=12345,
                submitted=123, oldest_pending_at=old, dead_letters=99, parked_until=NOW + timedelta(hours=3),
                parked_reason="volunteer budget used up"),
        ],
        {"x" * 63: 1234},
        NOW,
    )  # fmt: skip

    head, _, line, *rest = printed(rows, width=80).splitlines()

    assert len(line) <= 80
    assert "CHECKPOINT" not in head, "it is the newest change at the source, and may be years ago"
    assert "DEAD" in head
    cells = ["background", "400d", "12345", "123", "400d", "1234", "99", "parked", "3h"]
    assert line.split()[1:] == cells
    assert line.split()[0].endswith("…")
    assert "parked until 2026-01-01 15:00:00Z: volunteer budget used up" in " ".join(" ".join(rest).split())


def test_without_redis_the_depths_are_unknown_and_it_is_said():
    text = printed(standings([row("acme")], None, NOW))

    assert " ? " in text
    assert "Redis cannot be reached" in text


def test_what_waits_for_a_person_is_told_below_the_table_with_the_next_command():
    found = TargetsFound(missing=[MissingTarget(resource="users", field="Shoe")], looked_at=NOW)
    rows = standings([row("a", reviews={"email_taken": 2}, destination="crm_plus", targets=found), row("b")], {}, NOW)
    text = printed(rows, width=200)

    assert "a: 2 email_taken to be decided: `fleet matches list a`" in text
    assert "a: mapping.users: crm_plus has no custom field 'Shoe'; create it there, or correct `to`, then" in text
    assert "`fleet mapping check a` (looked at 2026-01-01 12:00" in text
    assert "b:" not in text


def test_what_waits_as_it_should_is_told_with_its_reason():
    until = NOW + timedelta(days=40)
    rows = [row("a", pending=5, waiting=4, waiting_until=until, waiting_reason="its hours may change yet")]

    text = printed(standings(rows, {}, NOW), width=140)

    assert "a: 4 pending wait as they should, the first until 2026-02-10 12:00:00Z: its hours may change yet" in text
