"""A copy of the tree, in which bugs are planted and taken out again."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from mutants.mutant import Mutant

#: Of no use in a copy, or of another machine.
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".fleet", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
PACKAGES = ("common", "poller", "processor", "deploy")
#: Prints where each package comes from.
WHERE = f"import {', '.join(PACKAGES)}\nfor each in ({', '.join(PACKAGES)}): print(each.__file__)"


class NotTheCopy(Exception):
    """A process that was started in a copy works with other packages: nothing that it says means anything."""


class Copy:
    """One at a time is at work in it."""

    def __init__(self, root: Path, into: Path) -> None:
        """Raises NotTheCopy."""
        self.path = into
        #: What runs in it is to end now: nobody waits for what it says.
        self.is_given_up = Event()
        #: Python trusts compiled code by the second at which its source was written: each planting has its own.
        self._seconds = itertools.count(1)
        shutil.copytree(root, into, ignore=LEFT_OUT, symlinks=True)
        self._check()

    @property
    def environment(self) -> Mapping[str, str]:
        """Its packages go before the installed ones, also in processes that a test starts. Servers that were given to
        this process are not: two copies would empty them under each other.
        """
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
        return {**ours, "PYTHONPATH": str(self.path)}

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """Raises Stale."""
        file = self.path / mutant.file
        sound, written_at = file.read_text(), file.stat().st_mtime
        file.write_text(mutant.mutate(sound))
        os.utime(file, times=(written_at, written_at + next(self._seconds)))
        try:
            yield
        finally:
            file.write_text(sound)
            os.utime(file, times=(written_at, written_at))

    def _check(self) -> None:
        told = subprocess.run(
            [sys.executable, "-c", WHERE], cwd=self.path, env=self.environment, check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        others = [file for file in told.stdout.split() if not Path(file).is_relative_to(self.path)]
        if others:
            raise NotTheCopy(f"in {self.path} Python imports {', '.join(others)}")
