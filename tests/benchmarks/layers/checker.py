"""`python -m benchmarks.layers.checker WORK`: the process that checks; WORK is JSON, as is its answer.

{"count": 100000}    so many users that are in step: the first check, and one each with none, one and 1 % tampered with
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import create_engine
from support.builders import NOW
from support.listed import ListingDouble, checking_of

from benchmarks.layers.reader import peak_bytes
from common.config.settings import load_settings
from common.domain.verifying import SourceView
from processor.verifying.checking import Checked, Checking

RESOURCE = "users"


def main(arguments: list[str]) -> None:
    count = int(json.loads(arguments[0])["count"])
    engine = create_engine(load_settings().require_database_url())
    checking, double, store = checking_of(engine, count)
    view = SourceView(total=count)
    checked, first = _timed(checking, double, view)
    store.certify("acme", RESOURCE, NOW, {}, checked.baseline)
    victim = count // 2 + 1  # also one of the 1 %: what was tampered with stays so
    steps = {"none": range(0), "one": range(victim, victim + 1), "1 %": range(1, count + 1, 100)}
    answer = {"first": first, **{name: _tampered(checking, double, view, each) for name, each in steps.items()}}
    sys.stdout.write(json.dumps({**answer, "peak_bytes": peak_bytes()}) + "\n")


def _tampered(checking: Checking, double: ListingDouble, view: SourceView, numbers: range) -> Mapping[str, Any]:
    """`named`: how many of these the certificate names; `wrongly`: how many others."""
    double.tampered = frozenset(numbers)
    checked, told = _timed(checking, double, view)
    found, wanted = {each.source_id for each in checked.certificate.differing}, set(map(str, numbers))
    return {**told, "differing": len(wanted), "named": len(found & wanted), "wrongly": len(found - wanted)}


def _timed(checking: Checking, double: ListingDouble, view: SourceView) -> tuple[Checked, dict[str, Any]]:
    double.requests, began = 0, time.monotonic()
    checked = checking.check(RESOURCE, view)
    told = {"requests": double.requests, "seconds": time.monotonic() - began, "outcome": checked.certificate.outcome}
    return checked, told


if __name__ == "__main__":
    main(sys.argv[1:])
