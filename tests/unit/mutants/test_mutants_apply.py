"""Every planted bug can still be planted, and breaks no grammar; nothing is run here."""

from __future__ import annotations

from pathlib import Path

import lupa
import pytest
from mutants.catalogue import BY_NAME, OF_ALL

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("mutant", OF_ALL, ids=lambda mutant: mutant.name)
def test_a_bug_still_applies_and_still_parses(mutant):
    mutant.check(ROOT)
    text = (ROOT / mutant.file).read_text()
    mutated = mutant.mutate(text)
    assert mutated != text
    if mutant.file.endswith(".lua"):
        lupa.LuaRuntime().compile(mutated)
    else:
        compile(mutated, mutant.file, "exec", dont_inherit=True)


def test_bugs_are_told_apart_by_their_names():
    assert len(BY_NAME) == len(OF_ALL)


def test_every_promise_has_bugs():
    assert {mutant.promise for mutant in OF_ALL} == set(range(1, 9))
