"""The fuse: how many records of a resource may be found gone before a person has to say that it is true.

No check can tell a list that leaves half of its records out, and counts them out, from one of which half was deleted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from common.domain.customers import Customer

#: Both limits have to be passed: of ten records one is a tenth, and of a million twenty are nothing.
FRACTION, RECORDS = 0.05, 20
#: What was deleted within this counts together: a lie that is told in small parts is one lie.
PERIOD = timedelta(days=1)
#: A customer's own limits, among its source settings.
PERCENT_SETTING, RECORDS_SETTING = "deletion_fuse_percent", "deletion_fuse_records"


@dataclass(frozen=True, kw_only=True)
class Fuse:
    """What may be deleted of one resource of one customer within a day."""

    fraction: float = FRACTION
    records: int = RECORDS

    def allows(self, *, known: int, gone: int) -> int:
        """How many more may go. `known`: records that were there when the day began; `gone`: how many of them went."""
        # The least part of a record is added, for 100 * 0.29 is 28.999999999999996.
        return max(0, self.records - gone, math.floor(known * self.fraction + 1e-9) - gone)


def fuse_of(customer: Customer, default: Fuse) -> Fuse:
    """A customer's own limits, where it has any."""
    own: Mapping[str, Any] = customer.source_settings
    percent, records = own.get(PERCENT_SETTING), own.get(RECORDS_SETTING)
    return Fuse(
        fraction=default.fraction if percent is None else float(percent) / 100,
        records=default.records if records is None else int(records),
    )
