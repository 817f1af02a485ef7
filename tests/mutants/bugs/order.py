"""Promise 3: order holds."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
LOCKS = f"{STORAGE}/test_locks.py"
DELIVERY = "tests/unit/processor/test_delivery.py"
PIPELINE = "tests/unit/processor/test_pipeline.py"

BUGS = (
    Mutant(
        name="no-partition-lock",
        promise=3,
        does="each worker takes a lock of its own, so that two apply one partition",
        file="processor/taking.py",
        old='parts.locks.try_hold(f"partition/{customer.customer_id}/{partition}")',
        new='parts.locks.try_hold(f"partition/{customer.customer_id}/{partition}/{parts.new_id()}")',
        tests=(f"{DELIVERY}::test_a_partition_that_another_worker_holds_is_left_to_it",),
    ),
    Mutant(
        name="no-run-lock",
        promise=3,
        does="two workers make one run",
        file="poller/runs.py",
        old='parts.locks.try_hold(f"run/{customer.customer_id}/{resource}")',
        new='parts.locks.try_hold(f"run/{customer.customer_id}/{resource}/{parts.new_id()}")',
        tests=("tests/unit/poller/test_runs.py::test_a_second_worker_leaves_a_run_that_is_under_way",),
    ),
    Mutant(
        name="fence-lets-pass",
        promise=3,
        does="a run that was taken over saves on",
        file="common/storage/detection.py",
        old="            checkpoints.c.run_id == run_id,\n",
        new="",
        tests=("tests/integration/test_takeover.py::test_a_run_that_was_taken_over_saves_nothing_more",),
    ),
    Mutant(
        name="lock-not-released",
        promise=3,
        does="a lock stays with its process after its block",
        file="common/storage/locks.py",
        old='            self._answers(f"SELECT pg_advisory_unlock({lock_key(held.name)})")\n',
        new="",
        tests=(f"{LOCKS}::test_a_name_is_free_again_after_its_block",),
    ),
    Mutant(
        name="lock-is-re-entrant",
        promise=3,
        does="two threads of one process hold one lock",
        file="common/storage/locks.py",
        old="            if name in self._held:\n                return None\n",
        new="",
        tests=(f"{LOCKS}::test_the_same_process_does_not_get_a_name_twice",),
    ),
    Mutant(
        name="lost-lock-seems-held",
        promise=3,
        does="a lock whose session is gone is believed to be held",
        file="common/storage/locks.py",
        old='if self._held.get(held.name) != held.session or not self._answers("SELECT true"):',
        new="if self._held.get(held.name) != held.session:",
        tests=(f"{LOCKS}::test_a_lock_is_lost_with_its_connection_and_free_for_others",),
    ),
    Mutant(
        name="old-hold-comes-alive",
        promise=3,
        does="a hold that was lost counts again once the process holds the name anew",
        file="common/storage/locks.py",
        old="            if self._held.get(held.name) != held.session or",
        new="            if held.name not in self._held or",
        tests=(f"{LOCKS}::test_a_process_that_noticed_a_lost_connection_can_lock_again_and_the_old_hold_stays_lost",),
    ),
    Mutant(
        name="old-block-frees-the-new-owner",
        promise=3,
        does="leaving the block of a lost lock frees it for the one who has it now",
        file="common/storage/locks.py",
        old="            if self._held.get(held.name) != held.session:\n                return\n            del",
        new="            if held.name not in self._held:\n                return\n            del",
        tests=(f"{LOCKS}::test_leaving_the_block_of_a_lost_lock_does_not_free_the_new_owners",),
    ),
    Mutant(
        name="lock-not-verified",
        promise=3,
        does="nobody looks at the lock before a write",
        file="processor/sending.py",
        old="    part.held.verify()\n",
        new="",
        tests=(f"{DELIVERY}::test_nothing_is_sent_once_the_lock_is_lost",),
    ),
    Mutant(
        name="one-lock-of-several-verified",
        promise=3,
        does="of a slice over several partitions only the first lock is looked at",
        file="processor/taking.py",
        old="for lock in self.locks:",
        new="for lock in self.locks[:1]:",
        tests=(f"{DELIVERY}::test_a_slice_over_several_partitions_sends_nothing_once_any_of_its_locks_is_lost",),
    ),
    Mutant(
        name="overtaken-write-left-alone",
        promise=3,
        does="a write that landed after its worker was replaced is not put right",
        file="processor/sending.py",
        old="        part.parts.store.apply_again([ready.write.entity for ready in batch], part.now)\n",
        new="",
        tests=(f"{DELIVERY}::test_a_write_that_another_worker_took_over_meanwhile_is_applied_again_from_the_mirror",),
    ),
    Mutant(
        name="applied-again-as-the-same-version",
        promise=3,
        does="what is applied again has the version that the ledger takes for done",
        file="common/storage/again.py",
        old=".values(version=mirror.c.version + 1)",
        new=".values(version=mirror.c.version + 0)",
        tests=(
            (
                f"{STORAGE}/test_delivery_store.py::"
                "test_applying_again_puts_the_mirrored_state_into_the_outbox_as_a_new_version"
            ),
        ),
    ),
    Mutant(
        name="older-after-newer",
        promise=3,
        does="a replayed older version is applied over a newer one",
        file="processor/steps/ledger.py",
        old="if link.applied_version > event.version:",
        new="if link.applied_version > event.version and not link.destination_id:",
        tests=("tests/unit/processor/test_steps.py::test_an_older_version_than_the_one_applied_ends_as_superseded",),
    ),
    Mutant(
        name="older-after-a-newer-unknown",
        promise=3,
        does="an older version follows a newer one that may have landed",
        file="processor/steps/ledger.py",
        old="if unresolved is not None and unresolved.version > event.version:",
        new="if unresolved is not None and unresolved.version > event.version and link is not None:",
        tests=(
            "tests/unit/processor/test_steps.py::test_an_older_version_never_follows_a_newer_one_that_may_have_landed",
        ),
    ),
    Mutant(
        name="unchanged-leaves-no-version",
        promise=3,
        does="a newer version that changed nothing does not keep an older one from landing",
        file="processor/steps/line.py",
        old="            links.append(replace(work.link, applied_version=work.event.version))",
        new="            links.append(work.link)",
        tests=(
            (
                "tests/integration/test_regressions.py::"
                "test_a_replayed_letter_does_not_land_after_a_newer_version_that_changed_nothing"
            ),
        ),
    ),
    Mutant(
        name="older-link-replaces-newer",
        promise=3,
        does="a late worker writes an older version into the ledger",
        file="common/storage/outcomes.py",
        old="index_elements=keys, set_=changes, where=newer)",
        new="index_elements=keys, set_=changes)",
        tests=(f"{STORAGE}/test_delivery_store.py::test_a_link_is_kept_and_an_older_version_does_not_replace_it",),
    ),
    Mutant(
        name="older-record-replaces-newer",
        promise=3,
        does="an answer that was under way while a newer one was saved takes its place",
        file="common/storage/items.py",
        old="return known is not None and item.broken is None and",
        new="return known is not None and item.broken is not None and",
        tests=(f"{STORAGE}/test_detection_store.py::test_an_older_record_never_takes_a_newer_ones_place",),
    ),
    Mutant(
        name="coalesce-what-counts",
        promise=3,
        does="events of which every one counts are left out for their newest",
        file="processor/pipeline.py",
        old="(own[-1] if all(event.coalesce for event in own) else own[0])",
        new="own[-1]",
        tests=(f"{PIPELINE}::test_an_event_of_which_every_one_counts_lets_none_be_left_out",),
    ),
    Mutant(
        name="coalesce-to-the-oldest",
        promise=3,
        does="the oldest of an entity's events stands for the newer ones",
        file="processor/pipeline.py",
        old="(own[-1] if all(event.coalesce for event in own) else own[0])",
        new="own[0]",
        tests=(f"{PIPELINE}::test_the_newest_event_stands_for_the_older_ones",),
    ),
    Mutant(
        name="order-by-arrival",
        promise=3,
        does="an entity's events are taken in the order in which they came",
        file="processor/pipeline.py",
        old="return {entity: sorted(own, key=lambda event: event.version) for entity, own in groups.items()}",
        new="return dict(groups)",
        tests=(f"{PIPELINE}::test_order_is_by_version_and_not_by_arrival",),
    ),
    Mutant(
        name="newer-passes-a-held-update",
        promise=3,
        does="a newer event goes before an update that the destination still holds",
        file="processor/pipeline.py",
        old="if intent is None or intent.state is not WriteState.SUBMITTED or intent.operation is Operation.CREATE:",
        new="if intent is None or intent.state is not WriteState.OPEN or intent.operation is Operation.CREATE:",
        tests=(
            (
                "tests/unit/processor/test_held_imports.py::"
                "test_a_newer_change_waits_for_a_held_update_even_if_it_goes_back_to_what_is_there"
            ),
        ),
    ),
    Mutant(
        name="successor-passes-a-failing-one",
        promise=3,
        does="an entity's newer event goes before an older one that is waiting to be tried again",
        file="common/storage/due.py",
        old="        waiting.c.source_id == events.c.source_id,\n",
        new="        waiting.c.event_id == events.c.event_id,\n",
        tests=(f"{STORAGE}/test_delivery_store.py::test_an_event_in_retry_holds_back_its_entity_and_no_other",),
    ),
    Mutant(
        name="other-entities-wait",
        promise=3,
        does="one event that is tried again holds back all entities of its customer",
        file="common/storage/due.py",
        old="        waiting.c.source_id == events.c.source_id,\n",
        new="",
        tests=(f"{STORAGE}/test_delivery_store.py::test_an_event_in_retry_holds_back_its_entity_and_no_other",),
    ),
    Mutant(
        name="partition-of-the-day",
        promise=3,
        does="an entity's partition differs from process to process",
        file="common/domain/entities.py",
        old='    return int.from_bytes(digest, "big") % partitions',
        new="    return (int.from_bytes(digest) + hash(entity.source_id)) % partitions",
        tests=("tests/unit/domain/test_entities.py::test_the_partition_of_an_entity_is_the_same_for_ever",),
    ),
    Mutant(
        name="deferred-last",
        promise=3,
        does="what has waited longest goes last",
        file="common/storage/due.py",
        old="IN_ORDER = (BACKFILL_LAST, events.c.event_id)",
        new="IN_ORDER = (BACKFILL_LAST, events.c.event_id.desc())",
        tests=(f"{STORAGE}/test_delivery_store.py::test_what_is_due_is_found_in_its_partition_oldest_first",),
    ),
    Mutant(
        name="mirror-rows-not-locked",
        promise=3,
        does="two who raise an entity's version at the same time give it the same one",
        file="common/storage/mirror_rows.py",
        old="""        # Others may raise an entity's version too (`apply_again`).
        .with_for_update()
""",
        new="",
        tests=(
            f"{STORAGE}/test_all_or_nothing.py::test_a_page_that_meets_an_entity_which_is_being_applied_again_gives_it_the_version_after_that",
        ),
    ),
)
