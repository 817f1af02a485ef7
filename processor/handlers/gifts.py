"""What a gift means: the same gift at the destination."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.gifts import Gift
from common.domain.resources import USERS
from processor.handlers.decisions import Decision, Skip, Upsert
from processor.handlers.needs import beside
from processor.handlers.reading import read


def gift_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no gift.

    Money that was booked stays booked: a refund is a decision of the destination's staff.
    """
    gift = read(Gift, event)
    if event.action == Action.DELETE:
        return Skip(reason="a gift is not taken back by a deletion; refund it at the destination")
    return Upsert(desired=gift, needs=(beside(event.entity, USERS, gift.user_id),) if gift.user_id else ())
