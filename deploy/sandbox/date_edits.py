"""Random edits of dates and of people on them, inside a window around today, where a watching client sees them.

Anytime participations, which show in a user's detail alone, are left to the test.
"""

from collections.abc import Mapping
from random import Random

from deploy.sandbox.clock import Clock
from deploy.sandbox.extras import HOUR
from deploy.sandbox.inventing import DAYS_AHEAD, DAYS_BACK, ROLES, fresh_hours, fresh_start, make
from deploy.sandbox.organization import Organization, moment
from deploy.sandbox.seeding import DAY
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.directory import User
from deploy.sandbox.volunteer.filters import second


def sign_up(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """The user joins a date in the window, of a project that is on, in a role that they do not have on it yet."""
    projects = {row["id"] for row in organization.source.projects.values() if _is_on(row)}
    dates = [
        row["id"]
        for row in organization.source.dates.values()
        if row["project_id"] in projects and _watched(row.get("starts_at"), clock)
    ]
    if not dates:
        return add_date(organization, random, clock, user)
    taken = {(row.get("project_date_id"), row.get("role")) for row in organization.source.attendance.of_user(user.id)}
    free = [(date_id, role) for date_id in dates for role in ROLES if (date_id, role) not in taken]
    if not free:
        return cancel(organization, random, clock, user)
    date_id, role = random.choice(free)
    make(organization, random, moment(clock), "participations", user_id=user.id, project_date_id=date_id, role=role)
    return "sign_up"


def attend(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """Somebody's check-in, check-out and hours are entered, or corrected, after the date has begun."""
    row = _somebody(organization, random, clock, begun=True)
    if row is None:
        return sign_up(organization, random, clock, user)
    date = organization.source.dates[row["project_date_id"]]
    hours = fresh_hours(organization.source, row)
    checked_out = date["starts_at"] + int(float(hours) * HOUR)
    values = {"checked_in_at": date["starts_at"], "checked_out_at": checked_out, "hours": hours}
    organization.books["participations"].change(row["id"], values, moment(clock))
    return "attend"


def verify(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """Hours are verified, late; nobody left to verify makes it another attendance."""
    row = _somebody(organization, random, clock, begun=True, verified=0)
    if row is None:
        return attend(organization, random, clock, user)
    organization.books["participations"].change(row["id"], {"verified": 1}, moment(clock))
    return "verify"


def cancel(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    row = _somebody(organization, random, clock)
    if row is None:
        return sign_up(organization, random, clock, user)
    organization.books["participations"].delete(row["id"], moment(clock))
    return "cancel"


def add_date(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """A date in the coming days for a project that is on."""
    projects = [row["id"] for row in organization.source.projects.values() if _is_on(row)]
    if not projects:
        make(organization, random, moment(clock), "projects")
        return add_date(organization, random, clock, user)
    make(organization, random, moment(clock), "project_dates", project_id=random.choice(projects))
    return "add_date"


def move_date(organization: Organization, random: Random, clock: Clock, user: User) -> str:
    """A coming date is put off or brought forward."""
    now = clock.now().timestamp()
    coming = [row for row in organization.source.dates.values() if second(row.get("starts_at")) > now]
    coming = [row for row in coming if _watched(row["starts_at"], clock)]
    if not coming:
        return add_date(organization, random, clock, user)
    row = random.choice(coming)
    organization.source.used.add((f"start {row['id']}", row["starts_at"]))
    starts_at = fresh_start(organization.source, random, moment(clock), row["id"])
    values = {"starts_at": starts_at, "ends_at": starts_at + 4 * HOUR}
    organization.books["project_dates"].change(str(row["id"]), values, moment(clock))
    return "move_date"


def _somebody(
    organization: Organization, random: Random, clock: Clock, *, begun: bool = False, **wanted: object
) -> Row | None:
    """Somebody's participation in a date of the window, as it is exported."""
    dates = {row["id"] for row in organization.source.dates.values() if _watched(row.get("starts_at"), clock)}
    if begun:
        now = clock.now().timestamp()
        dates = {date_id for date_id in dates if organization.source.dates[date_id]["starts_at"] <= now}
    rows = [(user_id, row) for user_id, row in organization.source.attendance.every() if _is(row, dates, wanted)]
    return organization.source.attendance.shown(*random.choice(rows)) if rows else None


def _is(row: Row, dates: set[int], wanted: Mapping[str, object]) -> bool:
    return row.get("project_date_id") in dates and all(row.get(name) == value for name, value in wanted.items())


def _watched(starts_at: object, clock: Clock) -> bool:
    now = clock.now().timestamp()
    return now - DAYS_BACK * DAY <= second(starts_at) <= now + (DAYS_AHEAD + 1) * DAY


def _is_on(project: Row) -> bool:
    return bool(project.get("active") and not project.get("draft") and not project.get("anytime"))
