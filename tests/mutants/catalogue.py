"""All planted bugs by name, in the order of the promises; then the models', and the auditor's, who judges them all."""

from __future__ import annotations

from collections.abc import Mapping

from mutants.bugs import (
    accounting,
    auditor_doubles,
    auditor_evidence,
    auditor_leaks,
    auditor_records,
    auditor_requests,
    budgets,
    deletion,
    doubles,
    isolation,
    loss,
    models,
    order,
    secrecy,
)
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
    *models.BUGS,
    *auditor_evidence.BUGS,
    *auditor_records.BUGS,
    *auditor_doubles.BUGS,
    *auditor_requests.BUGS,
    *auditor_leaks.BUGS,
)
BY_NAME: Mapping[str, Mutant] = {each.name: each for each in OF_ALL}
