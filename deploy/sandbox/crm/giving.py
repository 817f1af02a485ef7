"""A gift as a record: made from a transaction or directly, kept with its contact, shown in full."""

from datetime import datetime
from decimal import Decimal

from deploy.sandbox.crm.custom_fields import merge_custom_fields
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Individual, Reference
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.projects import designated
from deploy.sandbox.crm.rendering import display_name, stamp
from deploy.sandbox.crm.validation import readable_time
from deploy.sandbox.journal import Entry

KEPT = (
    "giftType", "currencyCode", "batch", "notes", "segment", "receiptDate", "isPrivate", "isTaxDeductible",
    "checkNumber", "tribute",
)  # fmt: skip
CENT = Decimal("0.01")


def add_gift(
    destination: Destination,
    contact: Contact,
    individual: Individual | None,
    given: Fields,
    now: datetime,
    *,
    pair: Reference | None,
) -> Fields:
    """A new gift of checked values; the pair, where there is one, is recognised from now on."""
    gift_id = next(destination.row_ids)
    gift: Fields = {
        "id": gift_id,
        "contactId": contact.id,
        "contactIndividualId": individual.id if individual else None,
        "contactName": display_name(contact),
        "transactionSource": pair[0] if pair else None,
        "transactionId": pair[1] if pair else None,
        **{name: given.get(name) for name in KEPT},
        "giftDate": _midnight(given["giftDate"]),
        "amount": float(amount_of(given["amount"])),
        "giftDesignations": [_designation(destination, row) for row in designated(destination, given)],
        "createDateTimeUtc": stamp(now, gift_id),
        "modifiedDateTimeUtc": stamp(now, gift_id + 1),
    }
    merge_custom_fields(destination, "Gift", gift, given.get("customFields"))
    destination.gifts[gift_id] = gift
    if pair:
        destination.gift_pairs[pair] = gift_id
    return gift


def note_gift(entry: Entry, contact: Contact, gift: Fields, now: datetime, submission: int | None = None) -> None:
    """Amounts are text with two decimals; designations are pairs of project id and amount."""
    rows = [[row["projectId"], text_of(row["amountDesignated"])] for row in gift["giftDesignations"]]
    given = {**gift, "giftDate": gift["giftDate"][:10], "amount": text_of(gift["amount"]), "designations": rows}
    pair = [gift["transactionSource"], gift["transactionId"]] if gift["transactionId"] else None
    more = {"record_id": gift["id"], "created": True, "gift_id": gift["id"], "transaction": pair}
    note(entry, contact, "gift", given, now, record="gift", submission=submission, **more)


def amount_of(value: object) -> Decimal:
    """A checked amount, with two decimals."""
    return Decimal(str(value)).quantize(CENT)


def text_of(amount: object) -> str:
    return f"{amount_of(amount):.2f}"


def _designation(destination: Destination, row: tuple[Fields, object]) -> Fields:
    project, amount = row
    return {
        "id": next(destination.row_ids),
        "projectId": project["id"],
        "project": project["name"],
        "projectCode": project["projectCode"],
        "amountDesignated": float(amount_of(amount)),
    }


def _midnight(given: object) -> str:
    """Only the date counts, and no zone is applied."""
    day = readable_time(given)
    if day is None:
        raise ValueError(f"a gift of {given!r} was let in")
    return f"{day:%Y-%m-%d}T00:00:00"
