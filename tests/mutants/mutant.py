"""One planted bug, as data."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path


class Stale(Exception):
    """The product or the suite has changed under a bug: it cannot be planted, or nobody is there to catch it."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """What is replaced by what, and who has to notice."""

    name: str
    #: Of architecture.md, section 3; of the auditor, whose judge it is. 0: the evidence for all of them.
    promise: int
    #: What the bug does.
    does: str
    #: Relative to the root of the tree.
    file: str
    #: Occurs in it exactly once.
    old: str
    new: str
    #: Node ids of the tests that are expected to catch it, the cheapest first.
    tests: tuple[str, ...]

    def mutate(self, text: str) -> str:
        """The file's text with the bug in it. Raises Stale."""
        found = text.count(self.old)
        if found != 1:
            raise Stale(f"{self.name}: what it replaces occurs {found} times in {self.file}")
        return text.replace(self.old, self.new)

    def check(self, root: Path) -> None:
        """Raises Stale."""
        self.mutate((root / self.file).read_text())
        for test in self.tests:
            path, _, name = test.partition("::")
            if not (root / path).is_file() or (name and name.partition("[")[0] not in _functions(root / path)):
                raise Stale(f"{self.name}: there is no test {test}")


@cache
def _functions(path: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))
