"""Tags, notes and gifts through the whole hub: what waits, what is found again, what ends as a dead letter."""

from __future__ import annotations

from collections import Counter

import pytest
from support.builders import a_page
from support.waiting import wait_until

from common.domain.gifts import Gift
from common.domain.records import Record
from common.domain.resources import GIFTS
from common.domain.runs import RunState
from common.storage.detection import PostgresDetectionStore
from common.storage.references import PostgresReferenceCache

#: Scopes that are due again at once.
ALWAYS = ("lists_seconds", "groups_seconds", "members_seconds", "forms_seconds", "completions_seconds")


@pytest.fixture(params=[True, False], ids=["bulk", "singly"])
def acme(request, hub, sandbox, organization):
    """Some people with groups, certificates and forms; contacts are created at once."""
    access = organization(users=8, bulk_endpoints=request.param, volunteer_module=True, earned_certificates=True)
    hub.onboard(access, create="direct", source_settings=dict.fromkeys(ALWAYS, 0))
    return access


def names(sandbox, access):
    source = sandbox.export(access.name)["source"]
    return {row["name"] for row in [*source["groups"], *source["certificates"]]}


def make_tags(sandbox, access):
    there = {row["tagName"] for row in destination(sandbox, access)["tags"]}
    for name in sorted(names(sandbox, access) - there):
        sandbox.create_tag(access.name, name)


def destination(sandbox, access):
    return sandbox.export(access.name)["destination"]


def sync(hub, access):
    hub.poll_all(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=60, what="all applied")


def joined(sandbox, access):
    """(user id, name of the group or certificate), as the source has it."""
    source = sandbox.export(access.name)["source"]
    groups = {(member, row["name"]) for row in source["groups"] for member in row["members"]}
    named = {row["id"]: row["name"] for row in source["certificates"]}
    return groups | {(row["user_id"], named[row["certificate_id"]]) for row in source["earned"]}


def an_only_membership(sandbox, access):
    """A group and a member who is in no other group of that name: the tag stays for as long as any of them holds it."""
    groups = sandbox.export(access.name)["source"]["groups"]
    ties = Counter((member, row["name"]) for row in groups for member in row["members"])
    return next((row, member) for row in groups for member in row["members"] if ties[member, row["name"]] == 1)


def shown(sandbox, access):
    """(user id, tag) of all ties, as often as they are there."""
    there = destination(sandbox, access)
    user = {row["id"]: int(ref["id"]) for row in there["contacts"] for ref in row["contactReferences"]}
    return Counter((user[row["contactId"]], row["tagName"]) for row in there["contact_tags"])


def letters(hub, access):
    return list(hub.dead_letters.list(access.name, limit=99))


def submit(hub, access, gifts):
    """Publish gifts, as a source that lists them would."""
    store, now = PostgresDetectionStore(hub.engine, partitions=4), hub.clock.now()
    run = {"customer_id": access.name, "resource": GIFTS, "run_id": f"gifts-{now.timestamp()}"}
    progress = store.start_run(**run, trace_id="trace", now=now).progress
    records = [
        Record(resource=GIFTS, source_id=source_id, updated_at=now, body=gift.to_body(), raw={"id": source_id})
        for source_id, gift in gifts.items()
    ]
    store.save_page(a_page(progress, *records, customer_id=access.name, resource=GIFTS, now=now), progress)
    store.finish_run(access.name, GIFTS, run["run_id"], state=RunState.COMPLETED, position=None, error="", now=now)


def a_gift(number, **changes):
    base = {
        "amount": "25.00", "gift_date": "2026-01-02", "gift_type": "Check", "first_name": "Fenmar",
        "last_name": f"Quonox{number}", "email": f"g{number}@example.org", "project_code": "GEN",
    }  # fmt: skip
    return Gift(**{**base, **changes})


def test_members_and_holders_carry_their_tags_and_completions_and_expiries_are_notes(hub, sandbox, acme):
    make_tags(sandbox, acme)
    sync(hub, acme)

    wanted = joined(sandbox, acme)
    assert wanted
    assert shown(sandbox, acme) == Counter(dict.fromkeys(wanted, 1))
    source = sandbox.export(acme.name)["source"]
    texts = [row["note"] for row in destination(sandbox, acme)["notes"]]
    keys = [f"[Syncfleet form_completions/{row['id']}]" for row in source["completions"] if row["user_id"]]
    keys += [f"[Syncfleet earned_certificates/{row['certificate_id']}:{row['user_id']}]" for row in source["earned"]]
    assert sorted(text.splitlines()[-1] for text in texts) == sorted(keys)


def test_who_leaves_a_group_loses_its_tag_and_who_comes_back_has_it_again(hub, sandbox, acme):
    make_tags(sandbox, acme)
    sync(hub, acme)
    group, user_id = an_only_membership(sandbox, acme)
    sandbox.delete_record(acme.name, "group_members", f"{group['id']}:{user_id}")
    for _ in range(2):  # a membership is gone once two readings lack it
        sync(hub, acme)
    assert (user_id, group["name"]) not in shown(sandbox, acme)
    sandbox.create_record(acme.name, "group_members", group_id=group["id"], user_id=user_id)
    sync(hub, acme)

    assert shown(sandbox, acme) == Counter(dict.fromkeys(joined(sandbox, acme), 1))


def test_a_group_without_a_tag_is_one_dead_letter_and_its_members_wait_until_it_is_mended(hub, sandbox, acme):
    hub.poll_all(acme.name)
    hub.deliver_all(acme.name)
    source = sandbox.export(acme.name)["source"]
    found = letters(hub, acme)
    assert Counter(letter.resource for letter in found) == Counter(
        groups=len(source["groups"]), certificates=len(source["certificates"])
    )
    assert {(letter.reason, letter.field) for letter in found} == {("tag_missing", "name")}
    assert all("create the tag" in letter.message for letter in found)
    assert destination(sandbox, acme)["contact_tags"] == []

    make_tags(sandbox, acme)
    PostgresReferenceCache(hub.engine).forget(acme.name, "tags")  # as ten minutes later
    for letter in found:
        hub.dead_letters.replay(letter, hub.clock.now())
    wait_until(lambda: hub.deliver_all(acme.name) or hub.is_done(acme.name), seconds=60, what="all applied")
    assert shown(sandbox, acme) == Counter(dict.fromkeys(joined(sandbox, acme), 1))


@pytest.mark.parametrize("route", ["/api/Tag/Bulk", "/api/ContactTag", "/api/ContactNote", "/api/ContactNote/Bulk"])
def test_answers_that_are_lost_double_neither_tags_nor_notes(hub, sandbox, acme, route):
    make_tags(sandbox, acme)
    sandbox.add_faults(
        {"kind": "drop_after_apply", "organization": acme.name, "route": route, "method": "POST", "rate": 0.4}
    )
    hub.poll_all(acme.name)
    hub.deliver_all(acme.name)
    sandbox.clear_faults()
    sync(hub, acme)

    assert shown(sandbox, acme) == Counter(dict.fromkeys(joined(sandbox, acme), 1))
    keys = Counter(row["note"].splitlines()[-1] for row in destination(sandbox, acme)["notes"])
    assert set(keys.values()) == {1}


def test_of_a_hundred_gifts_the_one_that_is_refused_is_a_dead_letter_and_the_rest_are_booked(hub, sandbox, acme):
    gifts = {f"g{number}": a_gift(number) for number in range(100)}
    gifts["g41"] = a_gift(41, gift_type="Goodwill")
    submit(hub, acme, gifts)
    wait_until(lambda: hub.deliver_all(acme.name) or hub.is_done(acme.name), seconds=60, what="all booked")

    booked = {row["transactionId"] for row in destination(sandbox, acme)["gifts"]}
    assert booked == set(gifts) - {"g41"}
    (letter,) = letters(hub, acme)
    assert (letter.resource, letter.source_id) == (GIFTS, "g41")
    assert "giftType" in letter.field
    assert hub.states(acme.name) == {"applied": 99, "dead_lettered": 1}


@pytest.mark.parametrize(
    ("changes", "field", "mend"),
    [
        ({"project_code": "OLD"}, "project_code", "activate it"),
        ({"project_code": "NOWHERE"}, "project_code", "create it there"),
        ({"project_code": ""}, "project_code", "is missing"),
        ({"amount": ""}, "amount", "two decimals"),
        ({"last_name": ""}, "last_name", "both names"),
    ],
)
def test_bad_gifts_are_dead_letters_with_field_and_mend_and_never_filled_in(hub, sandbox, acme, changes, field, mend):
    submit(hub, acme, {"good": a_gift(1), "bad": a_gift(2, **changes)})
    wait_until(lambda: hub.deliver_all(acme.name) or hub.is_done(acme.name), seconds=30, what="all ended")

    (letter,) = letters(hub, acme)
    assert (letter.source_id, letter.field) == ("bad", field)
    assert mend in letter.message
    assert acme.name in letter.message
    assert [row["transactionId"] for row in destination(sandbox, acme)["gifts"]] == ["good"]


def test_a_gift_waits_for_its_giver(hub, sandbox, acme):
    user = sandbox.create_user(acme.name)
    submit(hub, acme, {"g1": a_gift(1, user_id=str(user["id"]), first_name="", last_name="", email="")})
    hub.deliver_all(acme.name)
    assert hub.states(acme.name) == {"pending": 1}
    make_tags(sandbox, acme)
    sync(hub, acme)

    (row,) = destination(sandbox, acme)["gifts"]
    giver = next(each for each in destination(sandbox, acme)["contacts"] if each["id"] == row["contactId"])
    assert giver["contactReferences"] == [{"source": "Syncfleet", "id": str(user["id"])}]
