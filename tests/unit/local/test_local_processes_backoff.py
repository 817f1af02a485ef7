from pathlib import Path

from deploy.local.child import TAIL_LINES, log_tail
from deploy.local.processes import backoff_seconds


def test_the_pause_doubles_from_one_second_to_half_a_minute() -> None:
    assert [backoff_seconds(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_the_tail_is_the_last_lines_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n" * 10_000 + "one\n\n  two  \nthree\n\n")

    assert log_tail(log) == ["one", "two", "three"]
    assert len(log_tail(log)) == TAIL_LINES
    assert log_tail(tmp_path / "absent") == []
