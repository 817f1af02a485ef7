"""What `fleet verify` costs in requests to the destination, when none, one and one in a hundred of its contacts differ.

The product's part and its store are real; the list is a double at the seam of `Lists` (`support.listed`), so that a
million contacts need no million contacts. The first check reads all; those after it what was modified since.
"""

from __future__ import annotations

import math

from sqlalchemy import Engine
from support.builders import NOW
from support.listed import PAGE_ROWS, many_in_step

from benchmarks.fleet.figures import Figure, Table, figure
from common.domain.verifying import SourceView


def verify_cost(engine: Engine, count: int) -> Table:
    """On an empty database. Targets: one count and the pages of what was modified, and every one is named."""
    it, double, store = many_in_step(engine, count)
    view = SourceView(total=count)
    store.certify("acme", "users", NOW, {}, it.check("users", view).baseline)
    figures: list[Figure] = [figure("the first check, of all", double.requests, "requests", at_most=count / PAGE_ROWS)]
    for name, differing in (("none", 0), ("one", 1), ("1 %", count // 100)):
        double.tampered, double.requests = frozenset(range(1, differing + 1)), 0
        named = len(it.check("users", view).certificate.differing)
        at_most = 1 + max(1, math.ceil(differing / PAGE_ROWS))
        figures.append(figure(f"{name} of {count:,} differ", double.requests, "requests", at_most=at_most))
        figures.append(figure(f"{name} of {count:,} differ, and are named", named, "records", at_least=differing))
    return Table(title="What a check costs at the destination", figures=figures)
