"""Facts of the source against facts of the destination: missing, wrong, doubled, or left over."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.facts import Fact, expected
from deploy.audit.report import Finding, Kind
from deploy.audit.shown import Shown

Row = Mapping[str, Any]
Keys = Mapping[tuple[str, str], list[Fact]]
#: What only the volunteer module shows.
MODULE = frozenset({"projects", "project_dates", "participations"})
#: Facts that a note tells, by the mark in its text.
NOTED = frozenset({"form_completions", "earned_certificates"})
#: Facts that a tag on a contact tells.
TAGGED = frozenset({"group_members", "earned_certificates"})


def disagreements(name: str, organization: Row, ours: str) -> list[Finding]:
    """Of one organization's export. Those without the volunteer module show no opportunities and no sign-ups."""
    destination, has_module = organization["destination"], organization["settings"]["volunteer_module"]
    wanted = [fact for fact in _wanted(organization) if has_module or fact.resource not in MODULE]
    shown = Shown(destination, ours)
    there = _by_key(shown.facts())
    findings = [
        *(finding for fact in wanted if fact.resource in MODULE for finding in _of_record(name, fact, there)),
        *(finding for fact in wanted if fact.resource in NOTED for finding in _of_note(name, fact, there)),
        *_of_tags(name, wanted, there),
        *_surplus(name, wanted, there, {str(user_id) for user_id in organization["source"]["users"]}),
    ]
    doubled = shown.doubled_sign_ups() if has_module else ()
    return [*findings, *(_finding(name, Kind.DUPLICATE, "participations", key, "signed up twice") for key in doubled)]


def count(organization: Row) -> int:
    """Facts that must be shown."""
    has_module = organization["settings"]["volunteer_module"]
    return sum(has_module or fact.resource not in MODULE for fact in _wanted(organization))


def _wanted(organization: Row) -> list[Fact]:
    tags = [row["tagName"] for row in organization["destination"]["tags"]]
    return list(expected(organization["source"], tags=tags))


def _by_key(facts: Iterator[Fact]) -> Keys:
    found: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.resource, fact.key].append(fact)
    return found


def _of_record(name: str, fact: Fact, there: Keys) -> Iterator[Finding]:
    """Opportunities and sign-ups: one each, with the same fields."""
    found = there.get((fact.resource, fact.key), [])
    if not found:
        yield _finding(name, Kind.MISSING, fact.resource, fact.key, "is not at the destination")
    for each in found[1:]:
        yield _finding(name, Kind.DUPLICATE, fact.resource, each.key, "is there more than once")
    for field, value in fact.fields.items() if found else ():
        if found[0].fields.get(field) != value:
            what = "the destination does not show what the source has"
            yield _finding(name, Kind.WRONG, fact.resource, fact.key, what, field)


def _of_note(name: str, fact: Fact, there: Keys) -> Iterator[Finding]:
    """One note with our mark, that tells every value."""
    found = there.get((fact.resource, fact.key), [])
    if not found:
        yield _finding(name, Kind.MISSING, fact.resource, fact.key, "no note carries its mark")
        return
    for each in found[1:]:
        yield _finding(name, Kind.DUPLICATE, fact.resource, each.key, "more than one note carries its mark")
    for field, value in fact.fields.items():
        if field != "tag" and value not in found[0].fields["text"]:
            yield _finding(name, Kind.WRONG, fact.resource, fact.key, "its note does not tell it", field)


def _of_tags(name: str, wanted: Sequence[Fact], there: Keys) -> Iterator[Finding]:
    """Each tag once on the contact of each who should have it."""
    for fact in wanted:
        if fact.resource not in TAGGED:
            continue
        user_id = fact.key.rpartition(":")[2]
        tags = Counter(each.fields["tag"] for each in there.get(("tag", user_id), ()))
        if not tags[fact.fields["tag"]]:
            yield _finding(name, Kind.MISSING, fact.resource, fact.key, "its contact lacks the tag")
        elif tags[fact.fields["tag"]] > 1:
            yield _finding(name, Kind.DUPLICATE, fact.resource, fact.key, "its contact has the tag twice")


def _surplus(name: str, wanted: Sequence[Fact], there: Keys, users: Collection[str]) -> Iterator[Finding]:
    """What the source has no more, and must not be shown any more: hours and tags. Opportunities and notes stay, as
    does all that belonged to a user who is gone.
    """
    hours = {fact.key for fact in wanted if fact.resource == "participations"}
    for (resource, key), found in there.items():
        is_here = key.rpartition(":")[2] in users
        if resource == "participations" and is_here and key not in hours and found[0].fields["hours"]:
            yield _finding(name, Kind.WRONG, resource, key, "hours are shown that the source has not", "hours")
    tagged = {(fact.key.rpartition(":")[2], fact.fields["tag"]) for fact in wanted if fact.resource in TAGGED}
    managed = {tag for _, tag in tagged}
    for (resource, user_id), found in there.items():
        for fact in found if resource == "tag" and user_id in users else ():
            if fact.fields["tag"] in managed and (user_id, fact.fields["tag"]) not in tagged:
                yield _finding(name, Kind.WRONG, "tag", user_id, "a tag is shown that the source does not ask for")


def _finding(name: str, kind: Kind, resource: str, key: str, what: str, field: str = "") -> Finding:
    return Finding(organization=name, kind=kind, entity_id=f"{resource}/{key}", field=field, explanation=what)
