"""Gifts: transactions in batches, held by the API until an import, recognised by their pair for ever.

The pair is (`reference_source`, the gift's source id). Nothing is filled in: a gift that lacks something is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from common.domain.entities import EntityKey
from common.domain.errors import RecordInvalid
from common.domain.gifts import Gift
from common.domain.resources import USERS
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Preview, Refused, Submitted, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.beside import parent
from processor.destinations.crm_plus.persons import as_sent
from processor.destinations.crm_plus.projects import Projects
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, nothing_sent, one_row
from processor.destinations.crm_plus.refusing import invalid
from processor.destinations.crm_plus.singly import Window

SUBMIT = "/api/v2/Gift/Transactions"
BY_PAIR = "/api/Gift/{source}/{id}"
#: The API knows cents.
CENTS = Decimal("0.01")


class Gifts:
    """Implements `Shape` for gifts."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api
        self._settings = account.settings
        self._projects = Projects(account)

    def check(self, write: Write) -> None:
        entity = write.entity
        for field, mend in _flaws(_gift(write)):
            raise RecordInvalid(entity.customer_id, entity.resource, field, f"{mend}; correct it at the source")

    def group(self, write: Write) -> str:
        return write.operation

    def group_limit(self, write: Write) -> int:
        return self._settings.gift_batch_size if write.link is None else 1

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes  # the pair tells
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if writes[0].link is not None:
            return [self._compared(write) for write in writes]
        window = Window(self._account)
        with nothing_sent():
            problems = {write.entity: self._projects.problem(_gift(write).project_code) for write in writes}
        left = [write for write in writes if problems[write.entity] is None]
        if left:
            window.require()
            self._api.send("POST", SUBMIT, body=self._envelope(left))
        return [_answer(write, problems[write.entity]) for write in writes]

    def _envelope(self, writes: Sequence[Write]) -> dict[str, Any]:
        source = self._settings.reference_source
        items = [transaction(_gift(write), source, write) for write in writes]
        return {"transactionSource": source, "transactions": items, "createImport": True}

    def _compared(self, write: Write) -> Answer:
        """Booked money is corrected by staff: no request changes an amount."""
        assert write.link is not None  # noqa: S101 - `apply` sends only linked writes here
        row = self._row(write)
        if row is None:
            mend = "is gone from CRM+: enter it again there, or discard this"
            return invalid(write, "amount", mend, reason="gift_gone")
        field = next(_differences(_gift(write), row), None)
        if field is not None:
            mend = "has changed since the gift was booked; correct the gift in CRM+ and replay"
            return invalid(write, field, mend, reason="gift_changed")
        return Applied(destination_id=write.link.destination_id, details=write.link.details, changed=False)

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        """One request each: no documented look-up takes several pairs."""
        del since
        rows = {write.entity: self._row(write) for write in writes}
        return {entity: _found(row) for entity, row in rows.items() if row is not None}

    def _row(self, write: Write) -> Row | None:
        names = {"source": self._settings.reference_source, "id": write.entity.source_id}
        answer = self._api.read(BY_PAIR, names=names, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else one_row(answer.json(), f"GET {BY_PAIR}")

    def differs(self, write: Write, found: Found) -> bool:
        return next(_differences(_gift(write), found.current), None) is not None

    def preview(self, write: Write) -> Sequence[Preview]:
        return [Preview(method="POST", route=SUBMIT, body=self._envelope([write]))]


def transaction(gift: Gift, source: str, write: Write) -> dict[str, Any]:
    """One item. What is empty is left out: an import reads a blank as a value."""
    body = {
        "transactionSource": source,
        "transactionId": write.entity.source_id,
        "contact": _giver(gift, write),
        "giftDate": gift.gift_date,
        "giftType": gift.gift_type,
        "amount": gift.amount,
        "currencyCode": gift.currency,
        "frequency": "OneTime",
        "notes": gift.notes,
        "designations": [{"code": gift.project_code, "amountDesignated": gift.amount}],
        "customFields": dict(gift.custom_fields),
    }
    return {name: value for name, value in body.items() if value not in ("", {})}


def _giver(gift: Gift, write: Write) -> dict[str, Any]:
    """The contact's id too where the person is linked: one that was adopted may lack our reference."""
    person = parent(write, USERS)
    body = {
        "id": as_sent(person.destination_id) if person is not None else "",
        "referenceId": gift.user_id,
        "firstname": gift.first_name,
        "lastname": gift.last_name,
        "email": gift.email,
    }
    return {name: value for name, value in body.items() if value != ""}


def _flaws(gift: Gift) -> Iterator[tuple[str, str]]:
    """Field and mend."""
    if not _is_amount(gift.amount):
        yield "amount", "is no positive amount with two decimals, such as 25.00"
    if not _is_date(gift.gift_date):
        yield "gift_date", "is no ISO date, such as 2026-01-31"
    if not gift.gift_type:
        yield "gift_type", "is missing; CRM+ takes no gift without one, such as Check"
    if not gift.user_id:
        for field in ("first_name", "last_name"):
            if not getattr(gift, field):
                yield field, "is missing; a giver who is no known user needs both names"
    if not gift.project_code:
        yield "project_code", "is missing; a gift is given to a project, by its code in CRM+"


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and amount > 0 and str(amount.quantize(CENTS)) == text


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _differences(gift: Gift, row: Row) -> Iterator[str]:
    """Fields of the gift that the API shows otherwise. What it does not show readably proves nothing."""
    shown = _shown_amount(row)
    if shown is not None and shown != Decimal(gift.amount):
        yield "amount"
    if str(row.get("giftDate") or "")[:10] not in ("", gift.gift_date):
        yield "gift_date"
    codes = [str(each.get("projectCode")) for each in row.get("giftDesignations") or [] if each.get("projectCode")]
    if codes and codes != [gift.project_code]:
        yield "project_code"


def _shown_amount(row: Row) -> Decimal | None:
    """A number, or text with a currency sign (facts: crm-api 1.2)."""
    try:
        return Decimal(str(row.get("amount")).replace("$", "").replace(",", ""))
    except InvalidOperation:
        return None


def _found(row: Row) -> Found:
    details = {"contact_id": str(row.get("contactId") or "")}
    return Found(destination_id=str(row["id"]), details=details, current=row)


def _answer(write: Write, problem: str | None) -> Submitted | Refused:
    return Submitted() if problem is None else invalid(write, "project_code", problem)


def _gift(write: Write) -> Gift:
    assert isinstance(write.desired, Gift)  # noqa: S101 - the handler gives nothing else
    return write.desired
