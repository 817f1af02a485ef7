"""Fresh records of every resource but users, with values that were never used before where these are free."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from deploy.sandbox.extras import HOUR, expiry
from deploy.sandbox.names import coin, letters
from deploy.sandbox.organization import Organization
from deploy.sandbox.seeding import DAY
from deploy.sandbox.volunteer.changes import Moment, Row
from deploy.sandbox.volunteer.source import Source

ROLES = ("Volunteer", "Team Lead", "Driver", "Greeter")
KINDS = ("Pantry", "Garden", "Library", "Shelter")
#: Days from today within which edits put dates and people: a client watches -30 to +14, and a run may pass midnight.
DAYS_BACK, DAYS_AHEAD = 25, 12
#: Hours of one day in hundredths, between one hour and a day.
FEWEST_HUNDREDTHS, MOST_HUNDREDTHS = 100, 2400

Invent = Callable[[Source, Random, Moment, Row], Row]


def make(organization: Organization, random: Random, moment: Moment, resource: str, /, **given: Any) -> Row:
    """Creates a record: what is given, and the rest invented around it.

    Raises KeyError for a resource, or a given record, that does not exist, and IndexError where there is nothing to
    refer to.
    """
    invented = INVENTIONS[resource](organization.source, random, moment, given)
    return organization.books[resource].create({**invented, **given}, moment)


def fresh_name(source: Source, random: Random, kind: str) -> str:
    return f"{coin(random)}-{letters(next(source.serials))} {kind}"


def fresh_hours(source: Source, row: Row) -> str:
    """Hours that the participation never had, as the API spells them; within a day as long as there are any left."""
    record_id = row["id"]
    hundredths = FEWEST_HUNDREDTHS + next(source.serials) % (MOST_HUNDREDTHS - FEWEST_HUNDREDTHS)
    unused = _unused(source, f"hours {record_id}", hundredths)
    hours = f"{unused / 100:.2f}"
    return fresh_hours(source, row) if hours == row.get("hours") else hours


def fresh_start(source: Source, random: Random, moment: Moment, date_id: object) -> int:
    """A start in the coming days that the date never had, to the minute."""
    midnight = int(moment.wall) // DAY * DAY
    minute = midnight + random.randint(1, DAYS_AHEAD) * DAY + 8 * HOUR + next(source.serials) % 600 * 60
    return _unused(source, f"start {date_id}", minute, step=60)


def fresh_answers(source: Source, random: Random, form_id: int) -> list[Row]:
    """An answer for each field of the form; raises KeyError for a form that does not exist."""
    fields = source.forms[form_id]["fields"]
    return [_answer(source, field["id"], f"{coin(random)}-{letters(next(source.serials))}") for field in fields]


def settle_answers(source: Source, answers: object) -> object:
    """Given answers with ids; what is no list of answers stays as a test wants it."""
    if not isinstance(answers, list):
        return answers
    return [_answer(source, each["field_id"], each["value"]) | each for each in answers]


def fresh_earning(source: Source, moment: Moment, certificate_id: int, user_id: int) -> Row:
    """When a certificate was earned, and until when it holds; never twice the same for one person."""
    earned = int(moment.wall) - next(source.serials) % DAY
    earned = _unused(source, f"earned {certificate_id}:{user_id}", earned, step=-1)
    return {"earned_at": earned, "expires_at": expiry(source.certificates[certificate_id], earned)}


def _project(source: Source, random: Random, _moment: Moment, _given: Row) -> Row:
    name = fresh_name(source, random, random.choice(KINDS))
    line = f"{next(source.serials)} Elm Rise, Plano, TX"
    address = {"timezone": "America/Chicago", "formatted_address": line}
    return {"name": name, "anytime": 0, "draft": False, "active": True, "privacy": "PUBLIC", "address": address}


def _date(source: Source, random: Random, moment: Moment, given: Row) -> Row:
    dated = [row["id"] for row in source.projects.values() if not row.get("anytime")]
    project_id = given["project_id"] if "project_id" in given else random.choice(dated)
    starts_at = given.get("starts_at", fresh_start(source, random, moment, "new"))
    ends_at = starts_at + 4 * HOUR if isinstance(starts_at, int) else None
    return {"project_id": source.projects[project_id]["id"], "starts_at": starts_at, "ends_at": ends_at}


def _participation(source: Source, random: Random, moment: Moment, given: Row) -> Row:
    return {
        **_place(source, random, given),
        "user_id": _user(source, random, given),
        "role": "Volunteer",
        "guests": 0,
        "signed_up_at": int(moment.wall),
        "checked_in_at": None,
        "checked_out_at": None,
        "hours": "0.00",
        "verified": 0,
    }


def _place(source: Source, random: Random, given: Row) -> Row:
    """A date and its project, or a project alone, which makes it an Anytime participation."""
    date_id = given.get("project_date_id")
    if date_id is None and "project_id" in given:
        return {"project_id": source.projects[given["project_id"]]["id"], "project_date_id": None}
    date_id = random.choice(list(source.dates)) if date_id is None else date_id
    return {"project_id": source.dates[date_id]["project_id"], "project_date_id": date_id}


def _group(source: Source, random: Random, _moment: Moment, _given: Row) -> Row:
    return {"name": fresh_name(source, random, "Group"), "parent_id": None, "members": []}


def _member(source: Source, random: Random, _moment: Moment, given: Row) -> Row:
    group_id = given["group_id"] if "group_id" in given else random.choice(list(source.groups))
    outside = [user_id for user_id in source.directory.ids() if user_id not in source.groups[group_id]["members"]]
    return {"group_id": group_id, "user_id": _user(source, random, given, outside)}


def _campaign(source: Source, random: Random, _moment: Moment, _given: Row) -> Row:
    return {"name": fresh_name(source, random, "Drive")}


def _form(source: Source, random: Random, _moment: Moment, _given: Row) -> Row:
    field = {"id": 10_000 + next(source.serials), "label": "Remarks", "field_type": "LONGTEXT"}
    return {"name": fresh_name(source, random, "Form"), "fields": [field]}


def _completion(source: Source, random: Random, _moment: Moment, given: Row) -> Row:
    form_id = given["form_id"] if "form_id" in given else random.choice(list(source.forms))
    user_id = given["user_id"] if "user_id" in given else _user(source, random, given)
    answers = fresh_answers(source, random, form_id)
    return {"form_id": form_id, "user_id": user_id, "project_id": None, "participation_id": None, "answers": answers}


def _certificate(source: Source, random: Random, _moment: Moment, _given: Row) -> Row:
    return {"name": fresh_name(source, random, "Training"), "expires_after_days": 365}


def _earning(source: Source, random: Random, moment: Moment, given: Row) -> Row:
    chosen = given["certificate_id"] if "certificate_id" in given else random.choice(list(source.certificates))
    user_id = _user(source, random, given)
    return {"certificate_id": chosen, "user_id": user_id, **fresh_earning(source, moment, chosen, user_id)}


def _user(source: Source, random: Random, given: Row, among: list[int] | None = None) -> int:
    """A user who exists, given or drawn; only a completion may name somebody else, for it outlives its user."""
    if "user_id" not in given:
        return random.choice(source.directory.ids() if among is None else among)
    user = source.directory.get(given["user_id"])
    if user is None:
        raise KeyError(f"no user {given['user_id']!r}")
    return user.id


def _answer(source: Source, field_id: object, value: object) -> Row:
    return {"id": 200_000 + next(source.serials), "field_id": field_id, "value": value}


def _unused(source: Source, whose: str, value: int, *, step: int = 1) -> int:
    while (whose, value) in source.used:
        value += step
    source.used.add((whose, value))
    return value


INVENTIONS: Mapping[str, Invent] = {
    "projects": _project,
    "project_dates": _date,
    "participations": _participation,
    "groups": _group,
    "group_members": _member,
    "campaigns": _campaign,
    "forms": _form,
    "form_completions": _completion,
    "certificates": _certificate,
    "earned_certificates": _earning,
}
