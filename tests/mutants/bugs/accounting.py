"""Promise 6: every event is accounted for."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
DETECTION = f"{STORAGE}/test_detection_store.py"
DELIVERY = "tests/unit/processor/test_delivery.py"
VERDICTS = "tests/unit/processor/test_verdicts.py"

BUGS = (
    Mutant(
        name="drop-on-decode-error",
        promise=6,
        does="an item that cannot be read is left out in silence",
        file="poller/sources/volunteer/translate/items.py",
        old="""            broken.append(
                BrokenRecord(""",
        new="""            broken.count(
                BrokenRecord(""",
        tests=(
            (
                "tests/unit/poller/sources/test_translate_participations.py::"
                "test_one_row_that_cannot_be_read_spoils_no_other_and_keeps_its_id"
            ),
            (
                "tests/contract/connectors/test_source_contract.py::"
                "test_an_unreadable_item_names_its_field_and_its_page_goes_on"
            ),
        ),
    ),
    Mutant(
        name="broken-without-a-letter",
        promise=6,
        does="an item that cannot be read ends without a dead letter",
        file="common/storage/detection.py",
        old="        if letters:\n",
        new="        if len(letters) > len(changed):\n",
        tests=(f"{DETECTION}::test_a_broken_record_ends_as_a_dead_letter_and_its_page_goes_on",),
    ),
    Mutant(
        name="page-counted-twice",
        promise=6,
        does="a run's report counts each page twice",
        file="common/storage/reports.py",
        old="added = {name: runs.c[name] + value for name, value in asdict(counts).items()}",
        new="added = {name: runs.c[name] + 2 * value for name, value in asdict(counts).items()}",
        tests=(f"{DETECTION}::test_a_runs_report_adds_up_its_pages",),
    ),
    Mutant(
        name="counts-do-not-add-up",
        promise=6,
        does="what was stale is counted as unchanged too",
        file="common/storage/detection.py",
        old="unchanged=len(fresh) - len(changed),",
        new="unchanged=len(items) - len(changed),",
        tests=(f"{DETECTION}::test_what_was_read_is_counted_once_as_detected_unchanged_or_stale",),
    ),
    Mutant(
        name="repeated-in-a-page-counts-twice",
        promise=6,
        does="a record that a page repeats is two",
        file="common/storage/items.py",
        old="    return list(newest.values())",
        new="    return list(items)",
        tests=(f"{DETECTION}::test_of_a_record_that_a_page_repeats_the_newest_counts_once",),
    ),
    Mutant(
        name="poison-refused-with-its-batch",
        promise=6,
        does="for one bad record a whole request becomes dead letters",
        file="processor/verdicts.py",
        old="if circumstances.batch_size > 1:",
        new="if circumstances.batch_size > 1000:",
        tests=(f"{DELIVERY}::test_bisecting_leaves_exactly_the_poisoned_record_as_a_dead_letter",),
    ),
    Mutant(
        name="permanent-retried",
        promise=6,
        does="what was refused is sent again and again",
        file="processor/verdicts.py",
        old="action=Action.DEAD_LETTER, write_state=WriteState.REFUSED, attempts=1,",
        new="action=Action.RETRY, write_state=WriteState.REFUSED, attempts=1,",
        tests=(f"{VERDICTS}::test_an_error_leads_to_one_action",),
    ),
    Mutant(
        name="transient-dead-lettered",
        promise=6,
        does="an outage makes dead letters",
        file="processor/verdicts.py",
        old="""        action=Action.RETRY,
        write_state=WriteState.NOT_SENT if""",
        new="""        action=Action.DEAD_LETTER,
        write_state=WriteState.NOT_SENT if""",
        tests=(f"{VERDICTS}::test_an_error_leads_to_one_action",),
    ),
    Mutant(
        name="timeout-is-a-refusal",
        promise=6,
        does="a 408 is taken for a refusal of the record",
        file="common/http/verdicts.py",
        old="if answer.status in CLIENT_ERRORS and answer.status != REQUEST_TIMEOUT:",
        new="if answer.status in CLIENT_ERRORS:",
        tests=("tests/unit/http/test_http_verdicts.py::test_a_status_means_one_error",),
    ),
    Mutant(
        name="unauthorized-is-a-refusal",
        promise=6,
        does="with a rejected token every record becomes a dead letter",
        file="common/http/verdicts.py",
        old="if answer.status == UNAUTHORIZED:",
        new="if answer.status == UNAUTHORIZED and not where:",
        tests=("tests/unit/http/test_http_verdicts.py::test_a_status_means_one_error",),
    ),
    Mutant(
        name="defect-retried-for-ever",
        promise=6,
        does="a defect of ours is tried without bound",
        file="processor/verdicts.py",
        old="if circumstances.defects + 1 >= DEFECT_ATTEMPTS:",
        new="if circumstances.defects + 1 >= DEFECT_ATTEMPTS * 1000:",
        tests=(f"{DELIVERY}::test_a_defect_is_a_dead_letter_after_three_attempts",),
    ),
    Mutant(
        name="outages-count-as-defects",
        promise=6,
        does="events that have met outages become dead letters at their first defect",
        file="processor/verdicts.py",
        old="if circumstances.defects + 1 >= DEFECT_ATTEMPTS:",
        new="if circumstances.attempts + 1 >= DEFECT_ATTEMPTS:",
        tests=(f"{DELIVERY}::test_outages_that_an_event_has_met_do_not_count_as_defects",),
    ),
    Mutant(
        name="newer-version-forgets-attempts",
        promise=6,
        does="each new version of a failing entity begins with no attempts",
        file="processor/pipeline.py",
        old="most = {name: max(getattr(event, name) for event in own) for name",
        new="most = {name: getattr(chosen, name) for name",
        tests=(
            (
                "tests/unit/processor/test_pipeline.py::"
                "test_a_new_version_does_not_wipe_out_that_the_entity_has_been_failing"
            ),
        ),
    ),
    Mutant(
        name="superseded-left-open",
        promise=6,
        does="events that a newer one stands for never end",
        file="processor/pipeline.py",
        old="        ended += [_superseded(event, chosen) for event in older if event.state is EventState.PENDING]\n",
        new="",
        tests=("tests/unit/processor/test_pipeline.py::test_the_newest_event_stands_for_the_older_ones",),
    ),
    Mutant(
        name="submitted-superseded",
        promise=6,
        does="what a destination has accepted ends before anybody saw it there",
        file="processor/pipeline.py",
        old="for event in older if event.state is EventState.PENDING]",
        new="for event in older]",
        tests=(
            "tests/unit/processor/test_pipeline.py::test_a_submitted_event_is_not_superseded_but_goes_with_the_work",
        ),
    ),
    Mutant(
        name="ended-ends-again",
        promise=6,
        does="an event that has ended is given another end",
        file="common/storage/outcomes.py",
        old='events.c.event_id == bindparam("id"), OPEN)',
        new='events.c.event_id == bindparam("id"))',
        tests=(f"{STORAGE}/test_delivery_store.py::test_an_event_that_ended_is_never_due_and_never_changes_again",),
    ),
    Mutant(
        name="two-letters-for-one-event",
        promise=6,
        does="an event that two owners refuse leaves two letters",
        file="common/storage/outcomes.py",
        old="events.c.event_id == outcome.event_id, OPEN)",
        new="events.c.event_id == outcome.event_id)",
        tests=(f"{STORAGE}/test_delivery_store.py::test_an_event_that_two_owners_refuse_leaves_one_letter",),
    ),
    Mutant(
        name="attempts-not-counted",
        promise=6,
        does="an event is tried for ever as if for the first time",
        file="common/storage/outcomes.py",
        old='attempts=events.c.attempts + bindparam("more"),',
        new='attempts=events.c.attempts + bindparam("more") * 0,',
        tests=(f"{STORAGE}/test_delivery_store.py", f"{STORAGE}/test_waiting_events.py"),
    ),
    Mutant(
        name="letters-stay-open",
        promise=6,
        does="a dead letter whose entity has come through since goes on asking for somebody",
        file="common/storage/outcomes.py",
        old="        _close_older_letters(connection, link, now)\n",
        new="        _ = link\n",
        tests=(
            (
                f"{STORAGE}/test_delivery_store.py::"
                "test_a_newer_version_that_comes_through_closes_the_letters_of_older_ones"
            ),
        ),
    ),
    Mutant(
        name="dead-letter-limit-off",
        promise=6,
        does="a fault of ours makes a dead letter of everything a customer has",
        file="processor/delivery.py",
        old="if count >= part.parts.dead_letter_limit:",
        new="if count >= part.parts.dead_letter_limit * 1000:",
        tests=(f"{DELIVERY}::test_too_many_dead_letters_pause_applying_alone_until_a_person_resumes_it",),
    ),
    Mutant(
        name="unknown-version-guessed",
        promise=6,
        does="an event of a newer release is applied as if it were known",
        file="processor/steps/read.py",
        old="if event.event_version > EVENT_VERSION:",
        new="if event.event_version > EVENT_VERSION + 1000:",
        tests=(
            "tests/unit/processor/test_steps.py::test_what_cannot_be_applied_is_a_dead_letter_that_names_its_reason",
        ),
    ),
    Mutant(
        name="one-bad-event-stops-its-slice",
        promise=6,
        does="an event that cannot be applied keeps the others of its slice from it",
        file="processor/steps/line.py",
        old="            return _dead_letter(work, error)\n",
        new="            raise\n",
        tests=("tests/unit/processor/test_steps.py::test_one_bad_event_does_not_spoil_the_others",),
    ),
    Mutant(
        name="suspect-sent-with-others",
        promise=6,
        does="an event that breaks its request breaks the others' until all of them are dead letters",
        file="processor/sending.py",
        old="return work.event.failures >= ALONE_AFTER_FAILURES or work.event.defects >= ALONE_AFTER_DEFECTS",
        new="return work.event.defects >= ALONE_AFTER_DEFECTS",
        tests=(f"{DELIVERY}::test_an_event_that_failed_three_times_is_sent_alone",),
    ),
    Mutant(
        name="refused-without-a-letter",
        promise=6,
        does="an event that is refused ends as a dead letter that nobody finds",
        file="processor/answers.py",
        old="""        state=EventState.DEAD_LETTERED,
        reason=refusal.reason,
        attempts=1,
        refusal=refusal,""",
        new="""        state=EventState.DEAD_LETTERED,
        reason=refusal.reason,
        attempts=1,""",
        tests=("tests/unit/processor/test_answers.py::test_one_that_is_refused_among_others_is_the_only_dead_letter",),
    ),
)
