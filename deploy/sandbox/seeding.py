"""What an organization holds before anything happens: invented, and the same for the same seed."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from deploy.sandbox.names import address_parts, coin, letters, likely, phone
from deploy.sandbox.volunteer.changes import Moment, Row
from deploy.sandbox.volunteer.source import Source

#: Seeded users lie before this, so that every later edit is newer.
ANCHOR = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp())
DAY = 86_400
STATUSES = ("ACCEPTED",) * 17 + ("PENDING", "LOBBY", "WAITLISTED_V2")
ROLES = ("VOLUNTEER",) * 8 + ("ORGANIZER", "ADMIN")


def seed_source(source: Source, random: Random, *, users: int, canary: str, now: datetime) -> None:
    """Fills a source; only the dates of projects depend on the present."""
    _seed_projects(source, random, projects=max(2, min(30, users // 25)), now=now)
    imported_at = ANCHOR - random.randrange(20, 60) * DAY
    for _ in range(users):
        values = fresh_user(source, random, canary)
        values.update(_seeded_stamps(random, imported_at))
        participations = _participations(source, random)
        user = source.create(values, Moment(now.timestamp(), 0.0))
        source.attendance.place(user.id, participations)
    _seed_groups(source, random)
    _seed_forms(source, random)


def fresh_user(source: Source, random: Random, canary: str) -> dict[str, Any]:
    """A valid new user whose e-mail is unique; every user carries the organization's canary."""
    serial = next(source.serials)
    first = coin(random)
    return {
        "first_name": first,
        "last_name": f"{coin(random)}-{canary}",
        "email": f"{first.lower().encode('ascii', 'ignore').decode()}.{serial}@{canary.lower()}.example.org",
        "phone": phone(random, serial) if likely(random, 0.95) else None,
        "address_parts": address_parts(random, serial) if likely(random, 0.95) else None,
        "birthday": f"{random.randrange(1950, 2008)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}",
        "gender": random.choice("MFN"),
        "user_status": random.choice(("VERIFIED", "VERIFIED", "UNVERIFIED")),
        "membership_status": random.choice(STATUSES),
        "membership_role": random.choice(ROLES),
    }


def fresh_value(source: Source, random: Random, field: str, canary: str) -> dict[str, Any]:
    """A value that no user of the organization ever had."""
    serial = next(source.serials)
    match field:
        case "first_name":
            return {field: f"{coin(random)}-{letters(serial)}"}
        case "last_name":
            return {field: f"{coin(random)}-{letters(serial)}-{canary}"}
        case "email":
            return {field: f"moved.{serial}@{canary.lower()}.example.org"}
        case "phone":
            return {field: phone(random, serial)}
        case _:
            return {"address_parts": address_parts(random, serial)}


def _seeded_stamps(random: Random, imported_at: int) -> dict[str, int]:
    """Two in five users came in one import and share its second."""
    if likely(random, 0.4):
        return {"created_at": imported_at, "updated_at": imported_at}
    created = ANCHOR - random.randrange(DAY, 1500 * DAY)
    return {"created_at": created, "updated_at": random.randrange(created, ANCHOR)}


def _participations(source: Source, random: Random) -> list[Row]:
    if likely(random, 0.6):
        return []
    chosen = random.sample(sorted(source.dates), k=random.randint(1, 3))
    return [_participation(source.dates[date_id], random) for date_id in chosen]


def _participation(date: Row, random: Random) -> Row:
    attended = likely(random, 0.7)
    return {
        "project_id": date["project_id"],
        "project_date_id": date["id"],
        "role": random.choice(("Volunteer", "Team Lead")),
        "guests": random.choice((0, 0, 0, 2)),
        "signed_up_at": date["starts_at"] - 7 * DAY,
        "checked_in_at": date["starts_at"] if attended else None,
        "checked_out_at": date["ends_at"] if attended else None,
        "hours": "4.00" if attended else "0.00",
        "verified": int(attended and likely(random, 0.5)),
    }


def _seed_projects(source: Source, random: Random, *, projects: int, now: datetime) -> None:
    midnight = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    for number in range(projects):
        project_id = 701 + number
        updated = ANCHOR - random.randrange(400 * DAY)
        name = f"{coin(random)} {random.choice(('Pantry', 'Garden', 'Library', 'Shelter'))}"
        source.projects[project_id] = {
            "id": project_id,
            "name": name,
            "anytime": int(not (number + 1) % 7),
            "draft": not (number + 1) % 9,
            "active": bool((number + 1) % 5),
            "privacy": random.choice(("PUBLIC", "PRIVATE", "UNLISTED")),
            "created_at": updated,
            "updated_at": updated,
            "address": {"timezone": "America/Chicago", "formatted_address": f"{number + 1} Elm Rise, Plano, TX"},
        }
        for offset in (-30 - number, number % 3, 14 + number):
            _seed_date(source, project_id, int(timedelta(days=offset).total_seconds()) + midnight + 9 * 3600)
    for number in range(2):
        row = {"id": 51 + number, "name": f"{coin(random)} Drive", "created_at": ANCHOR, "updated_at": ANCHOR}
        source.campaigns[51 + number] = row


def _seed_date(source: Source, project_id: int, starts_at: int) -> None:
    date_id = 1011 + len(source.dates)
    row = {"id": date_id, "project_id": project_id, "starts_at": starts_at, "ends_at": starts_at + 4 * 3600}
    source.dates[date_id] = row


def _seed_groups(source: Source, random: Random) -> None:
    ids = source.directory.ids()
    for number in range(3):
        source.groups[61 + number] = {
            "id": 61 + number,
            "name": f"{coin(random)} Group",
            "parent_id": None if number == 0 else 61,
            "members": sorted(random.sample(ids, k=len(ids) // 4)),
            "created_at": ANCHOR,
            "updated_at": ANCHOR,
        }
    stamps = {"created_at": ANCHOR, "updated_at": ANCHOR}
    source.certificates[81] = {"id": 81, "name": "Food Handling", "expires_after_days": 365, **stamps}


def _seed_forms(source: Source, random: Random) -> None:
    ids = source.directory.ids()
    for number in range(2):
        form_id = 310 + number
        stamps = {"created_at": ANCHOR, "updated_at": ANCHOR}
        source.forms[form_id] = {"id": form_id, "name": f"{coin(random)} Form", "fields": _fields(number), **stamps}
        for user_id in sorted(random.sample(ids, k=len(ids) // 5)):
            _seed_completion(source, random, form_id, user_id)


def _fields(number: int) -> list[Row]:
    """What a form asks for; field ids are unique in an organization."""
    labels = (("Shirt size", "DROPDOWN"), ("Dietary needs", "SHORTTEXT"), ("Waiver", "WAIVER"))
    return [
        {"id": 77 + 10 * number + position, "label": label, "field_type": kind}
        for position, (label, kind) in enumerate(labels)
    ]


def _seed_completion(source: Source, random: Random, form_id: int, user_id: int) -> None:
    completion_id = 90_001 + len(source.completions)
    field_id = source.forms[form_id]["fields"][0]["id"]
    answer = {"id": completion_id + 5000, "field_id": field_id, "value": random.choice(("S", "M", "L"))}
    created = ANCHOR - random.randrange(300 * DAY)
    source.completions[completion_id] = {
        "id": completion_id,
        "form_id": form_id,
        "user_id": user_id,
        "project_id": None,
        "participation_id": None,
        "answers": [answer],
        "created_at": created,
        "updated_at": created,
    }
