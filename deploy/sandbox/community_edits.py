"""Random edits of names, forms, groups and certificates."""

from collections.abc import Mapping
from random import Random

from deploy.sandbox.clock import Clock
from deploy.sandbox.inventing import fresh_answers, fresh_earning, fresh_name, make
from deploy.sandbox.organization import Organization, moment
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.directory import User


def rename_project(organization: Organization, random: Random, clock: Clock, _user: User) -> str:
    return _rename(organization, random, clock, "projects", organization.source.projects, "Workshop", "rename_project")


def rename_group(organization: Organization, random: Random, clock: Clock, _user: User) -> str:
    return _rename(organization, random, clock, "groups", organization.source.groups, "Circle", "rename_group")


def complete_form(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    if not organization.source.forms:
        make(organization, random, moment(clock), "forms")
    make(organization, random, moment(clock), "form_completions", user_id=user.id)
    return "complete_form"


def change_completion(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """All answers of a completion are given anew, of somebody who is still there."""
    source = organization.source
    rows = [row for row in source.completions.values() if source.directory.get(row["user_id"])]
    if not rows:
        return complete_form(organization, random, clock, user)
    row = random.choice(rows)
    values = {"answers": fresh_answers(source, random, row["form_id"])}
    organization.books["form_completions"].change(str(row["id"]), values, moment(clock))
    return "change_completion"


def join_group(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    groups = [row["id"] for row in organization.source.groups.values() if user.id not in row["members"]]
    if not groups and organization.source.groups:
        return leave_group(organization, random, clock, user)
    if not groups:
        groups = [make(organization, random, moment(clock), "groups")["id"]]
    make(organization, random, moment(clock), "group_members", group_id=random.choice(groups), user_id=user.id)
    return "join_group"


def leave_group(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    rows = organization.source.memberships.listing()
    if not rows:
        return join_group(organization, random, clock, user)
    organization.books["group_members"].delete(random.choice(rows)["id"], moment(clock))
    return "leave_group"


def earn_certificate(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """The user earns a certificate, or renews it."""
    source, book = organization.source, organization.books["earned_certificates"]
    if not source.certificates:
        make(organization, random, moment(clock), "certificates")
    chosen = random.choice(list(source.certificates))
    values = fresh_earning(source, moment(clock), chosen, user.id)
    if any(row["certificate_id"] == chosen for row in source.earned.of_user(user.id)):
        book.change(f"{chosen}:{user.id}", values, moment(clock))
    else:
        book.create({"certificate_id": chosen, "user_id": user.id, **values}, moment(clock))
    return "earn_certificate"


def _rename(
    organization: Organization,
    random: Random,
    clock: Clock,
    resource: str,
    rows: Mapping[int, Row],
    kind: str,
    edit: str,
) -> str:
    if not rows:
        make(organization, random, moment(clock), resource)
    chosen = str(random.choice(list(rows)))
    values = {"name": fresh_name(organization.source, random, kind)}
    organization.books[resource].change(chosen, values, moment(clock))
    return edit
