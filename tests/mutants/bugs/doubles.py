"""Promise 2: nothing is doubled."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
UNKNOWN = "tests/unit/processor/test_unknown_outcomes.py"
VERDICTS = "tests/unit/processor/test_verdicts.py"

BUGS = (
    Mutant(
        name="no-look-before-rewrite",
        promise=2,
        does="a write without an answer is sent again unseen",
        file="processor/looking.py",
        old="elif _is_to_be_looked_for(part, work, intent):",
        new="elif intent.state is WriteState.SUBMITTED:",
        tests=(
            f"{UNKNOWN}::test_a_create_without_an_answer_is_looked_for_before_a_second_one_is_sent",
            (
                "tests/integration/faults/test_hub_in_bad_weather.py::"
                "test_a_write_whose_answer_never_comes_is_not_made_twice"
            ),
        ),
    ),
    Mutant(
        name="single-creates-not-looked-for",
        promise=2,
        does="a create without an answer is sent again unseen where creates go one by one",
        file="processor/looking.py",
        old="if intent.state is WriteState.SUBMITTED or intent.operation is Operation.CREATE:\n        return True",
        new="if intent.state is WriteState.SUBMITTED:\n        return True",
        tests=(f"{UNKNOWN}::test_a_create_without_an_answer_is_looked_for_before_a_second_one_is_sent",),
    ),
    Mutant(
        name="look-before-it-settled",
        promise=2,
        does="a new owner, as after a database restart, does not wait out a write that is under way",
        file="processor/looking.py",
        old="elif intent.state is not WriteState.SUBMITTED and intent.settles_at > part.now:",
        new="elif intent.state is not WriteState.SUBMITTED and intent.started_at > part.now:",
        tests=(f"{UNKNOWN}::test_nobody_looks_before_the_write_has_settled",),
    ),
    Mutant(
        name="settled-at-once",
        promise=2,
        does="an intent says that its request cannot land any more from the moment it is sent",
        file="processor/sending.py",
        old="settles_at=part.now + timedelta(seconds=part.destination.settle_seconds),",
        new="settles_at=part.now + timedelta(seconds=0),",
        tests=(f"{UNKNOWN}::test_nobody_looks_before_the_write_has_settled", UNKNOWN),
    ),
    Mutant(
        name="intent-after-write",
        promise=2,
        does="an intent is committed when the answer is there: a killed worker leaves none",
        file="processor/sending.py",
        old="""    part.parts.store.begin([_intent(part, ready.write, _seen(ready.work)) for ready in batch])
    try:
        _exchange(part, batch)""",
        new="""    answers = part.destination.apply([ready.write for ready in batch])
    part.parts.store.begin([_intent(part, ready.write, _seen(ready.work)) for ready in batch])
    try:
        part.record(read_answers(part, batch, answers))""",
        tests=(f"{UNKNOWN}::test_a_worker_killed_before_or_after_any_step_neither_loses_nor_doubles",),
    ),
    Mutant(
        name="outcome-apart-from-its-link",
        promise=2,
        does="an outcome is committed, and then the link: killed in between, the next one creates again",
        file="common/storage/delivery.py",
        old="""            record_outcome(connection, customer_id, outcome, now)
""",
        new="""            apart = SliceOutcome(events=outcome.events, writes=outcome.writes)
            record_outcome(connection, customer_id, apart, now)
        with self._engine.begin() as connection:
            rest = SliceOutcome(links=outcome.links, reviews=outcome.reviews, emails=outcome.emails)
            record_outcome(connection, customer_id, rest, now)
""",
        tests=(f"{STORAGE}/test_all_or_nothing.py",),
    ),
    Mutant(
        name="silence-means-not-sent",
        promise=2,
        does="a write whose answer never came counts as never sent",
        file="processor/verdicts.py",
        old="write_state=WriteState.NOT_SENT if unsent else WriteState.UNKNOWN,",
        new="write_state=WriteState.NOT_SENT,",
        tests=(f"{VERDICTS}::test_an_error_leads_to_one_action",),
    ),
    Mutant(
        name="gateway-speaks-for-the-server",
        promise=2,
        does="a gateway's 502 or 504 counts as the end of the request behind it",
        file="processor/verdicts.py",
        old="GATEWAY_ANSWERS = frozenset({502, 504})",
        new="GATEWAY_ANSWERS = frozenset({521})",
        tests=(f"{VERDICTS}::test_a_gateway_does_not_speak_for_the_server_behind_it",),
    ),
    Mutant(
        name="read-timeout-means-not-sent",
        promise=2,
        does="a request that timed out while its answer was awaited counts as never sent",
        file="common/http/verdicts.py",
        old="NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)",
        new="NOT_SENT = (httpx.ConnectError, httpx.TimeoutException, httpx.UnsupportedProtocol)",
        tests=(
            "tests/unit/http/test_http_verdicts.py::test_a_failed_exchange_is_unsent_only_if_no_byte_can_have_arrived",
        ),
    ),
    Mutant(
        name="errors-asked-for-twice",
        promise=2,
        does="a request that was answered with an error is sent again at once",
        file="common/http/client.py",
        old="return isinstance(error, UnknownOutcome) or (isinstance(error, SystemUnavailable) and not error.sent)",
        new="return isinstance(error, UnknownOutcome | SystemUnavailable)",
        tests=("tests/unit/http/test_http_client.py::test_an_answer_is_never_asked_for_twice",),
    ),
    Mutant(
        name="defect-forgets-the-write",
        promise=2,
        does="a defect of ours after the write happened lets it be sent again unseen",
        file="processor/verdicts.py",
        old="action=Action.RETRY, write_state=WriteState.UNKNOWN, attempts=1, failures=1, defects=1,",
        new="action=Action.RETRY, write_state=WriteState.NOT_SENT, attempts=1, failures=1, defects=1,",
        tests=(f"{UNKNOWN}::test_a_defect_after_the_write_happened_does_not_write_again_without_looking",),
    ),
    Mutant(
        name="held-means-lost",
        promise=2,
        does="what a destination holds and does not show yet is sent again",
        file="processor/looking.py",
        old="if intent.state is WriteState.SUBMITTED and not _is_given_up(part, work, intent):",
        new="if intent.state is WriteState.SUBMITTED and _is_given_up(part, work, intent):",
        tests=(f"{UNKNOWN}::test_a_held_create_is_looked_for_ever_less_often_until_it_shows",),
    ),
    Mutant(
        name="ended-event-begun-again",
        promise=2,
        does="a worker that lost its lock before its intent writes what another one has just written",
        file="common/storage/delivery.py",
        old="            _require_open(connection, intents)\n",
        new="",
        tests=(
            f"{STORAGE}/test_delivery_store.py::test_no_intent_is_begun_for_an_event_that_another_worker_has_ended",
        ),
    ),
    Mutant(
        name="intent-takes-over-unseen",
        promise=2,
        does="a new intent takes the place of any other of its entity, seen or not",
        file="common/storage/delivery.py",
        old=".where(writes.c.write_id.in_([intent.replaces for intent in intents]))",
        new=".where(writes.c.source_id.in_([intent.entity.source_id for intent in intents]))",
        tests=(
            (
                f"{STORAGE}/test_delivery_store.py::"
                "test_a_new_intent_does_not_take_over_a_write_that_its_worker_has_not_seen"
            ),
        ),
    ),
    Mutant(
        name="applied-is-sent-again",
        promise=2,
        does="what the ledger says is there as it should be is written once more",
        file="processor/steps/ledger.py",
        old="if link.applied_hash == work.mapped_hash:",
        new="if link.applied_hash == work.mapped_hash and not link.destination_id:",
        tests=("tests/unit/processor/test_steps.py::test_what_was_applied_before_ends_as_unchanged",),
    ),
    Mutant(
        name="email-change-makes-a-second",
        promise=2,
        does="a linked person whose e-mail address has changed is created anew",
        file="common/domain/writes.py",
        old="return Operation.CREATE if self.link is None else Operation.UPDATE",
        new='return Operation.CREATE if self.link is None or getattr(self.desired, "email", "") else Operation.UPDATE',
        tests=(
            "tests/contract/connectors/test_destination_contract.py::test_a_changed_e_mail_address_keeps_one_contact",
            "tests/unit/processor/test_delivery.py",
        ),
    ),
    Mutant(
        name="two-new-with-one-address",
        promise=2,
        does="two new people of one slice with one address are both created",
        file="processor/identity.py",
        old="owner = owners.setdefault(address, entity) if address else entity",
        new="owner = owners.get(address, entity)",
        tests=("tests/integration/test_identity.py::test_two_with_one_address_in_the_same_slice_are_not_both_created",),
    ),
    Mutant(
        name="address-not-claimed",
        promise=2,
        does="two workers create two people with one address at the same time",
        file="common/storage/delivery.py",
        old="            claim(connection, intents)\n",
        new="",
        tests=(
            f"{STORAGE}/test_customers_apart.py::test_an_address_is_claimed_by_the_first_who_creates_somebody_with_it",
        ),
    ),
    Mutant(
        name="slot-taken-twice",
        promise=2,
        does="two beats that lead by mistake both take a date's slot",
        file="common/storage/schedule.py",
        old="where=slots.c.slot_date < slot_date,",
        new="where=slots.c.slot_date <= slot_date,",
        tests=("tests/integration/test_beats.py::test_two_leaders_by_mistake_take_a_slot_once",),
    ),
    Mutant(
        name="two-beats-both-lead",
        promise=2,
        does="a beat that does not get the lock leads all the same",
        file="poller/schedule/scheduler.py",
        old="try_hold(LEADER_LOCK)",
        new='try_hold(f"{LEADER_LOCK}/{id(self)}")',
        tests=("tests/integration/test_regressions.py::test_a_beat_that_waits_to_lead_keeps_nothing_of_its_attempts",),
    ),
    Mutant(
        name="polls-pile-up",
        promise=2,
        does="a poll that waits already is asked for again at each turn",
        file="common/queueing/polls.py",
        old="if not asked.fresh([name], seconds=PUBLISHING_SECONDS):",
        new="if not (asked.fresh([name], seconds=PUBLISHING_SECONDS) or True):",
        tests=(
            (
                "tests/integration/test_beats.py::"
                "test_a_poll_of_the_schedule_waits_once_however_many_turns_pass_and_again_after_it_was_taken"
            ),
        ),
    ),
    Mutant(
        name="stale-polls-do-not-expire",
        promise=2,
        does="polls that nobody took are all made at once when a poller comes",
        file="common/queueing/polls.py",
        old="expires=expires_seconds,",
        new="expires=None,",
        tests=("tests/unit/queueing/test_worker_parts.py::test_a_poll_that_nobody_takes_in_time_is_dropped",),
    ),
)
