"""What CRM+ insists on, and how a breach is reported."""

import re
from datetime import datetime
from http import HTTPStatus

from deploy.sandbox.crm.destination import Fields
from deploy.sandbox.exchange import Details, Refusal
from deploy.sandbox.settings import Settings

#: Hours as a number or as text, with any number of decimals.
HOURS = re.compile(r"\d+(\.\d+)?")
#: Contact types that are named as a whole rather than by a person.
NAMED_TYPES = ("Organization", "Foundation")


def require_object(body: object) -> Fields:
    if not isinstance(body, dict):
        raise Refusal(400, "BAD_REQUEST", "The body must be a JSON object.")
    return body


def invalid_person(item: Fields, prefix: str) -> Details:
    """What is wrong with whom a flat contact says it is; fields are named with their place in the batch."""
    needed = ("name",) if item.get("contactType") in NAMED_TYPES else ("firstName", "lastName")
    details = [required(prefix + name) for name in ("contactType", *needed) if not filled(item.get(name))]
    email = item.get("email")
    if email not in (None, "") and not valid_email(email):
        details.append(flaw(f"{prefix}email", "The e-mail address is not valid."))
    return details


def refuse_invalid(details: Details, settings: Settings) -> None:
    """Raises with the status that the organization uses for invalid data."""
    if details:
        code = "VALIDATION_FAILED" if settings.refusal_status == HTTPStatus.UNPROCESSABLE_ENTITY else "BAD_REQUEST"
        raise Refusal(settings.refusal_status, code, "One or more fields are invalid.", details)


def required(field: str) -> dict[str, str]:
    return {"field": field, "code": "REQUIRED", "message": f"{field} is required."}


def flaw(field: str, message: str) -> dict[str, str]:
    """A value that is there and will not do; a message in lower case goes on from the field's name."""
    text = message if message[0].isupper() else f"{field} {message}"
    return {"field": field, "code": "INVALID", "message": text}


def filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def valid_email(value: object) -> bool:
    return isinstance(value, str) and "@" in value


def is_hours(value: object) -> bool:
    """A number that is not negative, as such or as text."""
    return not isinstance(value, bool) and HOURS.fullmatch(str(value)) is not None


def readable_time(value: object) -> datetime | None:
    """An ISO date or time, with or without a zone."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def invalid_span(body: Fields, start: str, end: str) -> Details:
    """Times that cannot be read, or that are the wrong way round; each may be left out."""
    given = {name: body[name] for name in (start, end) if body.get(name) not in (None, "")}
    read = {name: readable_time(value) for name, value in given.items()}
    details = [flaw(name, "must be a time.") for name, instant in read.items() if instant is None]
    first, last = read.get(start), read.get(end)
    if first and last and bool(first.tzinfo) != bool(last.tzinfo):
        details.append(flaw(end, f"must have a zone exactly if {start} has one."))
    elif first and last and first > last:
        details.append(flaw(end, f"must not be before {start}."))
    return details
