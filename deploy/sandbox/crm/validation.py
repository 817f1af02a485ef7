"""What CRM+ insists on in a contact, and how a breach is reported."""

from http import HTTPStatus

from deploy.sandbox.crm.destination import Fields
from deploy.sandbox.exchange import Details, Refusal
from deploy.sandbox.settings import Settings

#: Contact types that are named as a whole rather than by a person.
NAMED_TYPES = ("Organization", "Foundation")


def require_object(body: object) -> Fields:
    if not isinstance(body, dict):
        raise Refusal(400, "BAD_REQUEST", "The body must be a JSON object.")
    return body


def invalid_flat(item: Fields, prefix: str) -> Details:
    """What is wrong with a flat contact; fields are named with their place in the batch."""
    needed = ("name",) if item.get("contactType") in NAMED_TYPES else ("firstName", "lastName")
    details = [required(prefix + name) for name in ("contactType", *needed) if not filled(item.get(name))]
    email = item.get("email")
    if email not in (None, "") and not valid_email(email):
        details.append({"field": f"{prefix}email", "code": "INVALID", "message": "The e-mail address is not valid."})
    return details


def refuse_invalid(details: Details, settings: Settings) -> None:
    """Raises with the status that the organization uses for invalid data."""
    if details:
        code = "VALIDATION_FAILED" if settings.refusal_status == HTTPStatus.UNPROCESSABLE_ENTITY else "BAD_REQUEST"
        raise Refusal(settings.refusal_status, code, "One or more fields are invalid.", details)


def required(field: str) -> dict[str, str]:
    return {"field": field, "code": "REQUIRED", "message": f"{field} is required."}


def filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def valid_email(value: object) -> bool:
    return isinstance(value, str) and "@" in value
