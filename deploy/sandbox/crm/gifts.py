"""Gifts: transactions that are held like contacts and known by their pair, and direct ones, which are not."""

from deploy.sandbox.crm.access import BULK_LIMIT, bad, contact_at, contact_in, find, listing, missing
from deploy.sandbox.crm.custom_fields import unknown_custom_fields, warned
from deploy.sandbox.crm.destination import Fields, Held
from deploy.sandbox.crm.gift_checks import GIFT_TYPES, GiftChecks
from deploy.sandbox.crm.gift_imports import pair_of
from deploy.sandbox.crm.giving import add_gift, note_gift
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply

#: What an envelope sets for those of its gifts that leave it out.
DEFAULTS = {"giftDate": "defaultGiftDate", "giftType": "defaultGiftType", "batch": "batch"}


def list_types(_call: Call) -> Reply:
    return Reply(payload=list(GIFT_TYPES))


def submit_gift(call: Call) -> Reply:
    """Holds one gift; the answer says nothing about what will become of it."""
    item = require_object(call.body)
    _check(call, [item], [""])
    return _hold(call, item.get("transactionSource"), [item])


def submit_gifts(call: Call) -> Reply:
    """Holds all gifts of an envelope, or, when any is invalid, none."""
    body = require_object(call.body)
    given = body.get("transactions")
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise bad("transactions must be an array of objects.", "transactions")
    if len(given) > BULK_LIMIT:
        raise bad(f"A request may hold at most {BULK_LIMIT} transactions.", "transactions")
    items = [_completed(item, body) for item in given]
    _check(call, items, [f"transactions[{at}]." for at in range(len(items))])
    return _hold(call, body.get("transactionSource"), items)


def show_transaction(call: Call) -> Reply:
    """Not found while the gift is held."""
    pair = (call.parameters["transactionSource"], call.parameters["transactionId"])
    call.entry.references = (pair,)
    destination = call.organization.destination
    if pair not in destination.gift_pairs:
        raise missing("gift")
    return _shown(call, destination.gifts[destination.gift_pairs[pair]])


def show_gift(call: Call) -> Reply:
    return _shown(call, find(call.organization.destination.gifts, call.number("id")))


def list_gifts(call: Call) -> Reply:
    contact = contact_at(call, "contactId")
    rows = call.organization.destination.gifts.values()
    return listing(call, [row for row in rows if row["contactId"] == contact.id])


def create_gift(call: Call) -> Reply:
    """Makes a gift of a known contact at once, as often as it is sent, whatever pair it names."""
    body, destination = require_object(call.body), call.organization.destination
    contact = contact_in(call, body)
    checks = GiftChecks(destination)
    checks.check(body)
    checks.refuse(call.organization.settings)
    gift = add_gift(destination, contact, contact.primary_individual(), body, call.now, pair=None)
    note_gift(call.entry, contact, gift, call.now)
    return Reply(payload=warned(gift, unknown_custom_fields(destination, "Gift", body.get("customFields"))))


def _completed(item: Fields, envelope: Fields) -> Fields:
    defaults = {name: envelope[source] for name, source in DEFAULTS.items() if envelope.get(source) is not None}
    return {**defaults, **{name: value for name, value in item.items() if value is not None}}


def _check(call: Call, items: list[Fields], prefixes: list[str]) -> None:
    checks = GiftChecks(call.organization.destination)
    for item, prefix in zip(items, prefixes, strict=True):
        checks.check(item, prefix)
        checks.check_giver(item, prefix)
    checks.refuse(call.organization.settings)


def _hold(call: Call, source: object, items: list[Fields]) -> Reply:
    named = None if source is None else str(source)
    for item in items:
        call.organization.destination.held_gifts.append(Held(call.entry.seq, call.now, named, item))
    call.entry.references = tuple(pair for item in items if (pair := pair_of(named, item)))
    return Reply()


def _shown(call: Call, gift: Fields) -> Reply:
    call.entry.saw(gift["contactId"])
    return Reply(payload=gift)
