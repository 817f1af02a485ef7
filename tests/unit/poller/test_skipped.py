from support.builders import NOW

from common.domain.checkpoints import Progress, first_progress, progress_from_json
from common.domain.errors import PermanentError
from common.domain.layers import Layer
from poller.runs import ERROR_CHARACTERS
from poller.skipped import note_skipped, told

REFUSED = PermanentError("no such page", reason="refused")


def skipped(count: int, error: PermanentError = REFUSED) -> Progress:
    progress = first_progress(Layer.POLL, NOW, run_id="r", trace_id="t", now=NOW)
    for number in range(count):
        progress = note_skipped(progress, f"group/{number}", error)
    return progress


def test_a_walk_that_skipped_nothing_says_nothing():
    assert told(skipped(0)) == ""


def test_of_very_many_the_first_are_named_and_all_are_counted_within_what_a_report_holds():
    text = told(skipped(5000))

    assert text.startswith("5000 scopes were skipped: group/0 is left")
    assert text.endswith("no such page")
    assert len(text) <= ERROR_CHARACTERS


def test_an_error_that_is_longer_than_a_report_is_cut():
    text = told(skipped(2, PermanentError("x" * 10_000, reason="refused")))

    assert text.startswith("2 scopes were skipped: group/0 is left for an hour: xxx")
    assert len(text) <= ERROR_CHARACTERS


def test_what_was_skipped_is_known_to_the_next_slice():
    progress = skipped(2)

    assert told(progress_from_json(progress.to_json())) == told(progress)
