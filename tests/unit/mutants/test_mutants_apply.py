"""Every planted bug can still be planted, and breaks no grammar; nothing is run here."""

from __future__ import annotations

import ast
from pathlib import Path

from lupa import lua51
from mutants.catalogue import BY_NAME, OF_ALL

ROOT = Path(__file__).resolve().parents[3]


def test_every_bug_still_applies_and_its_tests_are_still_there():
    for mutant in OF_ALL:
        mutant.check(ROOT)


def test_every_bug_still_parses_and_changes_something():
    for mutant in OF_ALL:
        text = (ROOT / mutant.file).read_text()
        mutated = mutant.mutate(text)
        if mutant.file.endswith(".lua"):
            # That of the fake Redis, and of the real one: two kinds of Lua in a process have crashed it.
            lua51.LuaRuntime().compile(mutated)
            assert mutated != text
        else:
            assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(text)), mutant.name


def test_bugs_are_told_apart_by_their_names():
    assert len(BY_NAME) == len(OF_ALL)


def test_every_promise_has_bugs_and_so_has_the_evidence_for_them():
    assert {mutant.promise for mutant in OF_ALL} == set(range(9))
