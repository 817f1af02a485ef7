"""What an organization holds besides the first seeds, from a generator of its own so that those stay as they were.

Two roles on one date, Anytime projects with participations, several answers on a form, earned certificates: whatever a
client must cope with is in every organization that has users, however few.
"""

from datetime import datetime
from itertools import count
from random import Random

from deploy.sandbox.names import coin, likely
from deploy.sandbox.seeding import ANCHOR, DAY
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.source import Source

HOUR = 3600
SECOND_ROLES = ("Driver", "Greeter")
#: Days from today on which an extra project has dates: all inside the window that clients are told to watch.
WINDOW_OFFSETS = (-20, -3, 1, 9)
SPECIAL: tuple[tuple[str, Row], ...] = (
    ("Kitchen", {}),
    ("Mending", {"anytime": 1}),
    ("Attic", {"active": False}),
    ("Orchard", {"draft": True}),
)
DIETS = ("none", "vegetarian", "no nuts", "halal")


def seed_extras(source: Source, random: Random, *, name: str, now: datetime) -> None:
    """Adds to a seeded source; `name` is the organization's."""
    midnight = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    _seed_organizations(source, name)
    _seed_projects(source, random, midnight)
    _free_anytime(source)
    _seed_participations(source, random)
    _seed_answers(source, random)
    _seed_certificates(source, random)


def _seed_organizations(source: Source, name: str) -> None:
    youth = f"{name}-youth"
    source.organizations[1] = {"id": 1, "name": name, "slug": name, "parent_id": None}
    source.organizations[2] = {"id": 2, "name": youth, "slug": youth, "parent_id": 1}


def _seed_projects(source: Source, random: Random, midnight: int) -> None:
    """One project of each special kind, for the first seeds have them in large organizations only."""
    numbers = count(max(source.dates) + 1)
    for kind, values in SPECIAL:
        project = _project(max(source.projects) + 1, f"{coin(random)} {kind}", random)
        source.projects[project["id"]] = {**project, **values}
        for offset in () if values.get("anytime") else WINDOW_OFFSETS:
            starts_at = midnight + offset * DAY + (10 + len(kind)) * HOUR
            row = {"id": next(numbers), "project_id": project["id"], "starts_at": starts_at}
            source.dates[row["id"]] = {**row, "ends_at": starts_at + 3 * HOUR}


def _project(project_id: int, name: str, random: Random) -> Row:
    updated = ANCHOR - random.randrange(400 * DAY)
    return {
        "id": project_id,
        "name": name,
        "anytime": 0,
        "draft": False,
        "active": True,
        "privacy": "PUBLIC",
        "created_at": updated,
        "updated_at": updated,
        "address": {"timezone": "America/Chicago", "formatted_address": f"{project_id} Elm Rise, Plano, TX"},
    }


def _free_anytime(source: Source) -> None:
    """An Anytime project has no schedule: who was seeded on its dates takes part in the project itself, once."""
    anytime = {row["id"] for row in source.projects.values() if row["anytime"]}
    for date_id in [row["id"] for row in source.dates.values() if row["project_id"] in anytime]:
        del source.dates[date_id]
    for user_id in source.directory.ids():
        rows = source.attendance.of_user(user_id)
        freed = {row["project_id"]: {**row, "project_date_id": None} for row in rows if row["project_id"] in anytime}
        source.attendance.place(
            user_id, [row for row in rows if row["project_id"] not in anytime] + list(freed.values())
        )


def _seed_participations(source: Source, random: Random) -> None:
    """One user in ten has a second role on a date, one in ten takes part in an Anytime project; at least one each."""
    ids = source.directory.ids()
    dated = [user_id for user_id in ids if any(_is_dated(row) for row in source.attendance.of_user(user_id))]
    for user_id in random.sample(dated, k=_share(dated, 10)):
        rows = source.attendance.of_user(user_id)
        source.attendance.place(user_id, [*rows, _second_role(next(filter(_is_dated, rows)), random)])
    (anytime, *_) = [row["id"] for row in source.projects.values() if row["anytime"] and row["active"]]
    for user_id in random.sample(ids, k=_share(ids, 10)):
        rows = source.attendance.of_user(user_id)
        if all(_is_dated(row) for row in rows):
            source.attendance.place(user_id, [*rows, _anytime_row(anytime, random)])


def _is_dated(row: Row) -> bool:
    return row["project_date_id"] is not None


def _second_role(row: Row, random: Random) -> Row:
    """The same person on the same date for one more hour, signed up an hour later."""
    signed_up = row["signed_up_at"] + HOUR
    hours = "1.25" if row["checked_in_at"] else "0.00"
    return {**row, "role": random.choice(SECOND_ROLES), "guests": 0, "signed_up_at": signed_up, "hours": hours}


def _anytime_row(project_id: int, random: Random) -> Row:
    came = ANCHOR - random.randrange(30 * DAY)
    return {
        "project_id": project_id,
        "project_date_id": None,
        "role": "Volunteer",
        "guests": 0,
        "signed_up_at": came - DAY,
        "checked_in_at": came,
        "checked_out_at": came + 2 * HOUR,
        "hours": "2.00",
        "verified": int(likely(random, 0.5)),
    }


def _seed_answers(source: Source, random: Random) -> None:
    """A second answer on every completion, the waiver on some, and some changed since they were made."""
    numbers = count(max((row["answers"][0]["id"] for row in source.completions.values()), default=95_000) + 1)
    for row in source.completions.values():
        fields = source.forms[row["form_id"]]["fields"]
        given = [random.choice(DIETS), *(["yes"] if likely(random, 0.5) else [])]
        row["answers"] += [
            {"id": next(numbers), "field_id": field["id"], "value": value}
            for field, value in zip(fields[1:], given, strict=False)
        ]
        if likely(random, 0.2):
            row["updated_at"] = random.randrange(row["created_at"], ANCHOR)


def _seed_certificates(source: Source, random: Random) -> None:
    """A definition that never expires, and one user in five with a certificate."""
    stamps = {"created_at": ANCHOR, "updated_at": ANCHOR}
    source.certificates[82] = {"id": 82, "name": "Safeguarding", "expires_after_days": None, **stamps}
    ids = source.directory.ids()
    for user_id in sorted(random.sample(ids, k=_share(ids, 5))):
        certificate = source.certificates[random.choice((81, 82))]
        earned = ANCHOR - random.randrange(200 * DAY)
        row = {"certificate_id": certificate["id"], "user_id": user_id, "earned_at": earned}
        source.earned.place({**row, "expires_at": expiry(certificate, earned)})


def expiry(certificate: Row, earned_at: int) -> int | None:
    """Unix seconds, or None for a certificate that does not expire."""
    days = certificate.get("expires_after_days")
    return earned_at + days * DAY if isinstance(days, int) else None


def _share(ids: list[int], divisor: int) -> int:
    """One in so many, but one at least where there is anybody."""
    return min(len(ids), max(1, len(ids) // divisor))
