"""What a leading beat does: keep the agenda in line with the customers, publish what is due, and note how far it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from poller.bootstrap import Poller
from poller.schedule.agenda import STOPPED_SECONDS, Agenda, Due
from poller.schedule.turns import Timetable, Turn
from poller.sources import registry

log = structlog.get_logger(__name__)

#: What a row that a person wrote by hand may lead to: a source or a time zone that is not known, a cadence of nothing,
#: or one that is no number. It costs its own customer alone.
UNSCHEDULABLE = (
    CustomerInvalid, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError,
)  # fmt: skip

#: How often the revision of the customers is looked at: one number. An added, paused or changed customer counts within
#: this time.
RELOAD_SECONDS = 1.0
#: How often a leader notes up to when it has published; its successor makes up for no more than this twice.
NOTE_SECONDS = 1.0
#: A slot that nobody took is asked for by the sweep, which knows of it; its own message need not last.
SLOT_EXPIRES_SECONDS = 60.0
#: A poll waits for so many of its turns, or for so long, before it is stale: pollers may be behind for a while, and
#: what expires in the queue loses its place there.
EXPIRES_PERIODS, EXPIRES_SECONDS = 3, 120.0


class Publisher:
    """One leadership of one beat."""

    def __init__(self, poller: Poller, timetable: Timetable) -> None:
        """Reads all customers. What came due since the last leader's note is made up, see `agenda`."""
        self._poller = poller
        self._timetable = timetable
        self._agenda = Agenda()
        #: Due, and not published yet: a broker that is away loses nobody a turn.
        self._waiting: deque[Due] = deque()
        #: Since when nothing can be published; None: it can.
        self._away_since: float | None = None
        now = poller.clock.now()
        noted = poller.schedule.published_until()
        since = min(noted, now).timestamp() if noted else now.timestamp()
        slots = poller.schedule.slots_until()
        slots_since = min(slots, now).timestamp() if slots else since
        self._revision = poller.customers.revision()
        self._take(poller.customers.all(), now.timestamp(), since, slots_since)
        self._reload_at = self._note_at = now.timestamp()
        if now.timestamp() - since > NOTE_SECONDS:
            log.info("turns of a gap are made up", action="beat.catching_up", gap_seconds=now.timestamp() - since)

    def publish(self) -> float | None:
        """Publish what is due; returns the seconds until the next turn, None if there is none."""
        now = self._poller.clock.now().timestamp()
        if now < (self._agenda.looked_at or now) - STOPPED_SECONDS:
            self._begin_anew(now)
        self._reload(now)
        self._put_off_what_waits(now)
        self._waiting += self._agenda.due(now)
        try:
            self._send(now)
        except Exception:
            self._away_since = self._away_since or now
            raise
        self._away_since = None
        self._note(now)
        return self._agenda.wait_seconds(self._poller.clock.now().timestamp())

    def _reload(self, now: float) -> None:
        if self._reload_at <= now < self._reload_at + RELOAD_SECONDS:
            return
        revision = self._poller.customers.revision()
        if revision != self._revision:
            changed = self._poller.customers.changed_since(self._revision)
            # Of who was known, what came due since the last look is still to come; who is new begins now.
            looked_at = self._agenda.looked_at or now
            known = [customer for customer in changed if self._agenda.has(customer.customer_id)]
            self._take(known, now, looked_at, looked_at)
            self._take([customer for customer in changed if customer not in known], now, now, now)
            log.info("customers changed", action="beat.reloaded", customers=len(changed), jobs=len(self._agenda))
            self._revision = revision
        self._reload_at = now

    def _begin_anew(self, now: float) -> None:
        """The clock was set back: nobody may wait until it is where it was."""
        log.warning("the clock was set back", action="beat.clock_set_back")
        self._agenda = Agenda()
        self._waiting.clear()
        self._take(self._poller.customers.all(), now, now, now)
        self._reload_at = self._note_at = now

    def _put_off_what_waits(self, now: float) -> None:
        """A broker that was away for long is not met with everything at once, nor with several turns of one job."""
        if self._waiting and now - self._waiting[0].moment > STOPPED_SECONDS:
            since = self._away_since or self._waiting[0].moment
            for due in self._waiting:
                self._agenda.miss(due, now, since)
            self._waiting.clear()

    def _take(self, customers: Sequence[Customer], now: float, since: float, slots_since: float) -> None:
        for customer in customers:
            try:
                scanned = registry.scanned(customer) if customer.is_active else ()
                turns = self._timetable.turns(customer, self._resources(customer), scanned)
                self._agenda.put(customer.customer_id, turns, now, since=since, slots_since=slots_since)
            except UNSCHEDULABLE as error:
                self._agenda.put(customer.customer_id, (), now)
                name = type(error).__name__
                log.error("not scheduled", action="beat.left_out", customer_id=customer.customer_id, error=name)

    def _resources(self, customer: Customer) -> Sequence[str]:
        return self._poller.resources(customer) if customer.is_active else ()

    def _send(self, now: float) -> None:
        if not self._waiting:
            return
        with self._poller.polls.producer() as producer:
            while self._waiting:
                if self._may_go(self._waiting[0], now):
                    self._publish(self._waiting[0], producer)
                self._waiting.popleft()

    def _may_go(self, due: Due, now: float) -> bool:
        if due.slot_date is None:
            return True
        turn, moment = due.turn, datetime.fromtimestamp(now, tz=UTC)
        try:
            customer = self._poller.customers.get(turn.customer_id)
            resources = self._resources(customer)
        except CustomerInvalid:
            return False
        if not customer.is_active:  # not any more, since the last look at what changed
            return False
        wanted = [name for name in resources if turn.resources is None or name in turn.resources]
        return self._poller.schedule.claim_slot(turn.customer_id, turn.layer, due.slot_date, wanted, moment)

    def _publish(self, due: Due, producer: object) -> None:
        turn = due.turn
        self._poller.polls.publish(
            turn.customer_id,
            turn.lane,
            layer=turn.layer,
            resources=turn.resources,
            expires_seconds=_expires_seconds(turn),
            once=due.slot_date is None,
            producer=producer,
        )

    def _note(self, now: float) -> None:
        if not self._note_at <= now < self._note_at + NOTE_SECONDS:
            owed = self._agenda.owed_since()
            slots_until = datetime.fromtimestamp(now if owed is None else owed, tz=UTC)
            self._poller.schedule.note_published(datetime.fromtimestamp(now, tz=UTC), slots_until=slots_until)
            self._note_at = now


def _expires_seconds(turn: Turn) -> float:
    if not turn.period_seconds:
        return SLOT_EXPIRES_SECONDS
    return max(EXPIRES_PERIODS * turn.period_seconds, EXPIRES_SECONDS)
