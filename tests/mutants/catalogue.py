"""All planted bugs by name, in the order of the promises."""

from __future__ import annotations

from collections.abc import Mapping

from mutants.bugs import accounting, budgets, deletion, doubles, isolation, loss, order, secrecy
from mutants.mutant import Mutant

OF_ALL = (
    *loss.BUGS,
    *doubles.BUGS,
    *order.BUGS,
    *budgets.BUGS,
    *isolation.BUGS,
    *accounting.BUGS,
    *deletion.BUGS,
    *secrecy.BUGS,
)
BY_NAME: Mapping[str, Mutant] = {each.name: each for each in OF_ALL}
