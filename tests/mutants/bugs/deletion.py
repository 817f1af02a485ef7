"""Promise 7: deletion needs evidence."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
SCOPES = f"{STORAGE}/test_scopes.py"
FULL_SCANS = f"{STORAGE}/test_full_scans.py"
FULL = "tests/unit/poller/test_full_scan.py"

BUGS = (
    Mutant(
        name="delete-on-a-partial-scan",
        promise=7,
        does="what a list that was cut short does not show counts as gone",
        file="poller/detectors/full.py",
        old="return not progress.moved and progress.total is not None and seen == progress.shown == progress.total",
        new="return not progress.moved and progress.total is not None and seen == progress.shown",
        tests=(FULL, "tests/unit/poller/test_no_false_delete_by_full_scans.py"),
    ),
    Mutant(
        name="delete-on-a-repeating-scan",
        promise=7,
        does="a list that repeats some of its records and hides others is believed",
        file="poller/detectors/full.py",
        old="return not progress.moved and progress.total is not None and seen == progress.shown == progress.total",
        new="return not progress.moved and progress.total is not None and seen <= progress.shown == progress.total",
        tests=(
            f"{FULL}::test_a_list_that_shows_one_record_in_the_place_of_another_is_no_evidence_although_its_total_is_right",
        ),
    ),
    Mutant(
        name="delete-on-a-moving-scan",
        promise=7,
        does="a list whose total changed while it was read counts as evidence",
        file="poller/detectors/full.py",
        old="return not progress.moved and progress.total is not None and seen == progress.shown == progress.total",
        new="return progress.total is not None and seen == progress.shown == progress.total",
        tests=(FULL, "tests/unit/poller/test_no_false_delete_by_full_scans.py"),
    ),
    Mutant(
        name="delete-on-an-empty-scan",
        promise=7,
        does="an account that shows nothing has lost everything",
        file="poller/detectors/full.py",
        old="if not progress.total:",
        new="if progress.total is None:",
        tests=(f"{FULL}::test_an_empty_list_says_nothing",),
    ),
    Mutant(
        name="nameless-item-is-nobody",
        promise=7,
        does="an item without an id is not the record that seems to be missing",
        file="poller/detectors/full.py",
        old='so that none counts as absent" if progress.blind else ""',
        new='so that none counts as absent" if progress.blind and progress.total < 0 else ""',
        tests=(f"{FULL}::test_an_item_without_an_id_may_be_any_record",),
    ),
    Mutant(
        name="delete-on-a-partial-walk",
        promise=7,
        does="a scope's reading that was cut short is evidence",
        file="poller/detectors/walk.py",
        old="return not progress.moved and progress.total is not None and seen >= progress.total",
        new="return True",
        tests=(
            (
                "tests/unit/poller/test_walk.py::"
                "test_a_reading_is_sealed_if_each_page_told_the_same_total_and_as_many_were_seen"
            ),
        ),
    ),
    Mutant(
        name="one-absence-is-enough",
        promise=7,
        does="a record that one reading has not shown is gone",
        file="common/storage/scopes.py",
        old="ABSENCES = 2\n",
        new="ABSENCES = 1\n",
        tests=(f"{SCOPES}::test_a_record_is_gone_when_two_readings_have_not_shown_it",),
    ),
    Mutant(
        name="absences-add-up-for-ever",
        promise=7,
        does="a record that was seen in between counts as missed twice",
        file="common/storage/mirror_rows.py",
        old="""            seen_at=page.now,
            absences=0,
""",
        new="""            seen_at=page.now,
""",
        tests=(f"{SCOPES}::test_a_record_that_is_seen_in_between_has_to_be_missed_twice_again",),
    ),
    Mutant(
        name="readings-as-one",
        promise=7,
        does="two readings within a second are two pieces of evidence",
        file="common/storage/scopes.py",
        old="func.coalesce(before.c.whole_at <= end.evidence_before, true())",
        new="func.coalesce(before.c.whole_at <= end.now, true())",
        tests=(f"{SCOPES}::test_two_readings_close_to_each_other_are_one_piece_of_evidence",),
    ),
    Mutant(
        name="no-evidence-is-evidence",
        promise=7,
        does="a reading that was skipped, or may not tell all, takes records away",
        file="common/storage/scopes.py",
        old="is_evidence = and_(literal(end.is_evidence),",
        new="is_evidence = and_(true(),",
        tests=(f"{SCOPES}::test_a_reading_that_is_no_evidence_takes_nothing_away",),
    ),
    Mutant(
        name="unreadable-is-gone",
        promise=7,
        does="a record that could not be read counts as absent",
        file="common/storage/scopes.py",
        old="""        mirror.c.content_hash.not_like(BROKEN),
        *_not_shown(end),""",
        new="""        *_not_shown(end),""",
        tests=(f"{SCOPES}::test_a_record_that_could_not_be_read_is_not_taken_for_gone",),
    ),
    Mutant(
        name="absent-though-seen-by-others",
        promise=7,
        does="what a poll saw while a full scan went on is gone",
        file="common/storage/scopes.py",
        old="return mirror.c.full_scan_id != end.scan_id, mirror.c.seen_at < end.full_since",
        new="return (mirror.c.full_scan_id != end.scan_id,)",
        tests=(f"{FULL_SCANS}::test_what_others_see_while_it_goes_on_is_not_absent_and_does_not_count_as_shown",),
    ),
    Mutant(
        name="absences-of-all-customers",
        promise=7,
        does="one customer's reading takes away another's records",
        file="common/storage/scopes.py",
        old="""    own = (
        mirror.c.customer_id == end.customer_id,
        mirror.c.resource.in_((end.resource, *end.also)),""",
        new="""    own = (
        mirror.c.resource.in_((end.resource, *end.also)),""",
        tests=(f"{SCOPES}::test_a_reading_says_nothing_of_other_scopes_and_other_customers",),
    ),
    Mutant(
        name="look-finds-it-and-deletes",
        promise=7,
        does="a record that is there by its id is gone all the same",
        file="poller/scanning.py",
        old="is_evidence=page.is_gone)",
        new="is_evidence=True)",
        tests=(f"{FULL}::test_what_a_list_hides_and_the_source_shows_by_its_id_was_never_absent",),
    ),
    Mutant(
        name="look-at-one-that-nobody-misses",
        promise=7,
        does="a record that somebody has seen since it was missed is deleted by an older look",
        file="common/storage/scopes.py",
        old="""        mirror.c.source_id == source_id,
        mirror.c.absences > 0,""",
        new="""        mirror.c.source_id == source_id,""",
        tests=(f"{FULL_SCANS}::test_a_look_at_one_that_nobody_misses_deletes_nothing",),
    ),
    Mutant(
        name="fuse-off",
        promise=7,
        does="any number of records may go at once",
        file="common/domain/fuse.py",
        old="return max(0, self.records - gone, math.floor(known * self.fraction + 1e-9) - gone)",
        new="return max(known, self.records)",
        tests=(f"{FULL}::test_the_fuse_holds_what_is_too_much_and_lets_go_what_is_not",),
    ),
    Mutant(
        name="fuse-of-a-scan",
        promise=7,
        does="a lie that is told in small parts passes the fuse",
        file="common/domain/fuse.py",
        old="return max(0, self.records - gone, math.floor(known * self.fraction + 1e-9) - gone)",
        new="return max(0, self.records, math.floor(known * self.fraction + 1e-9))",
        tests=(f"{FULL}::test_the_fuse_counts_a_day_and_not_a_scan",),
    ),
    Mutant(
        name="held-deletions-go",
        promise=7,
        does="what the fuse holds for a person's decision goes with the next portion",
        file="common/storage/removals.py",
        old="there = (*which, mirror.c.deleted_at.is_(None), ~is_held())",
        new="there = (*which, mirror.c.deleted_at.is_(None))",
        tests=(f"{FULL_SCANS}::test_beyond_the_fuse_they_are_held_and_nothing_more_is_asked_of_them",),
    ),
    Mutant(
        name="older-word-of-deletion",
        promise=7,
        does="a source's word of a deletion takes away what was seen after it",
        file="common/storage/removals.py",
        old="return same if gone.at is None else and_(same, mirror.c.source_updated_at <= gone.at)",
        new="return same",
        tests=(f"{STORAGE}/test_cursors.py::test_what_was_seen_later_than_its_deletion_is_there",),
    ),
    Mutant(
        name="household-archived-for-one",
        promise=7,
        does="a contact of several people is archived when one of them is gone",
        file="processor/destinations/crm_plus/updates.py",
        old="if contact is None or contacts.is_archived(contact) or not is_alone(write, contact):",
        new="if contact is None or contacts.is_archived(contact):",
        tests=(
            (
                "tests/contract/connectors/test_destination_people.py::"
                "test_a_household_is_not_archived_for_one_of_its_people"
            ),
        ),
    ),
    Mutant(
        name="shared-record-archived",
        promise=7,
        does="a record that another user is linked to is archived for one of them",
        file="processor/sending.py",
        old="return replace(write, is_shared=any(link.entity != work.entity for link in linked))",
        new="return replace(write, is_shared=any(link.entity == () for link in linked))",
        tests=(
            "tests/integration/test_processor_attacks.py::test_a_contact_of_two_people_is_not_archived_for_one_of_them",
        ),
    ),
    Mutant(
        name="rows-of-staff-taken-over",
        promise=7,
        does="hours that staff typed in are ours to take back",
        file="processor/destinations/crm_plus/hours.py",
        old="return is_first and not write.is_removal and attended(beside.participation(write))",
        new="return is_first",
        tests=(
            (
                "tests/unit/processor/test_crm_hours.py::"
                "test_what_staff_typed_in_is_nobodys_while_the_source_has_no_hours_and_when_it_is_removed"
            ),
        ),
    ),
    Mutant(
        name="archived-by-staff-brought-back",
        promise=7,
        does="a contact that staff archived is brought back as if we had archived it",
        file="processor/destinations/crm_plus/updates.py",
        old="if contacts.is_archived(contact) and not was_removed(write):",
        new="if contacts.is_archived(contact) and was_removed(write):",
        tests=(
            (
                "tests/contract/connectors/test_destination_people.py::"
                "test_a_contact_that_staff_archived_waits_for_a_person"
            ),
        ),
    ),
)
