"""When an event should have come to its end."""

from __future__ import annotations

from datetime import timedelta

from common.domain.layers import RECONCILIATION_SECONDS

#: One that is not final after this is told of; the alerts `EventsWaiting` and `EventsNotFinal` have the same bound.
UNFINISHED_AFTER = timedelta(hours=1)
#: As daily reconciliation reads.
LAST_DAY = timedelta(seconds=RECONCILIATION_SECONDS)
