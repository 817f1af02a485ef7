"""What CRM+ insists on in a gift: synchronously, before it is held or made."""

import re
from decimal import Decimal

from deploy.sandbox.crm.custom_fields import invalid_custom_fields
from deploy.sandbox.crm.destination import Destination, Fields
from deploy.sandbox.crm.gift_imports import giver_of, is_named, known_giver
from deploy.sandbox.crm.projects import designations_of, project_of
from deploy.sandbox.crm.validation import filled, flaw, readable_time, refuse_invalid, required, valid_email
from deploy.sandbox.exchange import Details, Refusal
from deploy.sandbox.settings import Settings

GIFT_TYPES = (
    "Cash", "Check", "Credit", "Cryptocoin", "Electronic Funds Transfer", "Non-Cash", "Other", "Paypal",
    "Qualified Charitable Distribution", "Stock",
)  # fmt: skip
#: A number as such, or as text with at most two decimals.
AMOUNT = re.compile(r"\d+(\.\d{1,2})?")


class GiftChecks:
    """The flaws of some gifts. Some are a 400 everywhere: designations out of balance, and a project nobody knows."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._malformed: Details = []
        self._invalid: Details = []

    def check(self, gift: Fields, prefix: str = "") -> None:
        self._invalid += _invalid_values(gift, prefix)
        self._invalid += invalid_custom_fields(self._destination, "Gift", gift.get("customFields"), prefix)
        self._check_designations(gift, prefix)

    def check_giver(self, gift: Fields, prefix: str = "") -> None:
        self._invalid += _invalid_giver(self._destination, gift, prefix)

    def refuse(self, settings: Settings) -> None:
        """Raises a Refusal that names every flaw, if there is any."""
        if self._malformed:
            details = self._malformed + self._invalid
            raise Refusal(400, "BAD_REQUEST", "One or more gifts are malformed.", details)
        refuse_invalid(self._invalid, settings)

    def _check_designations(self, gift: Fields, prefix: str) -> None:
        rows = designations_of(gift)
        if not isinstance(rows, list) or not rows:
            self._invalid.append(required(f"{prefix}designations"))
            return
        for at, row in enumerate(rows):
            self._check_designation(row, f"{prefix}designations[{at}]")
        amounts = [_amount(row.get("amountDesignated")) for row in rows if isinstance(row, dict)]
        total, readable = _amount(gift.get("amount")), [each for each in amounts if each is not None]
        if total is not None and len(readable) == len(rows) and sum(readable) != total:
            self._malformed.append(flaw(f"{prefix}designations", "must add up to the amount."))

    def _check_designation(self, row: object, place: str) -> None:
        if not isinstance(row, dict):
            self._invalid.append(required(place))
            return
        if _amount(row.get("amountDesignated")) is None:
            self._invalid.append(flaw(f"{place}.amountDesignated", "must be a positive amount."))
        project = project_of(self._destination, row)
        if project is None:
            self._malformed.append(flaw(place, "names no project, neither by id nor by code nor by name."))
        elif not project["isActive"]:
            self._invalid.append(flaw(place, f"names the project {project['projectCode']}, which is not active."))


def _invalid_values(gift: Fields, prefix: str) -> Details:
    details: Details = []
    if _amount(gift.get("amount")) is None:
        details.append(flaw(f"{prefix}amount", "must be a positive amount with at most two decimals."))
    if gift.get("giftType") not in GIFT_TYPES:
        details.append(flaw(f"{prefix}giftType", f"must be one of {', '.join(GIFT_TYPES)}."))
    if readable_time(gift.get("giftDate")) is None:
        details.append(flaw(f"{prefix}giftDate", "must be a date."))
    return details


def _invalid_giver(destination: Destination, gift: Fields, prefix: str) -> Details:
    """Somebody has to be meant: by id, by reference, or by a name."""
    giver = giver_of(gift)
    if not known_giver(destination, giver):
        return [flaw(f"{prefix}contact.id", "does not name a contact.")]
    email = giver.get("email")
    if email not in (None, "") and not valid_email(email):
        return [flaw(f"{prefix}contact.email", "The e-mail address is not valid.")]
    meant = giver.get("id") or giver.get("referenceId") or is_named(giver) or filled(email)
    return [] if meant else [required(f"{prefix}contact")]


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not AMOUNT.fullmatch(str(value)):
        return None
    amount = Decimal(str(value))
    return amount if amount > 0 else None
