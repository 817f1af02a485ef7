"""The arrows of the design, as data."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("common", "poller", "processor", "deploy")

#: What a part may import of ours, by prefix. The first matching line counts, so the special ones come first.
MAY_IMPORT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("common.domain", ("common.domain",)),
    ("common.config", ("common.domain", "common.config")),
    ("common.logs", ("common.logs",)),
    ("common.credentials", ("common.domain", "common.credentials")),
    ("common.limits", ("common.domain", "common.limits")),
    ("common.http", ("common.domain", "common.http", "common.metrics")),
    ("common.metrics", ("common.domain", "common.metrics", "common.storage.overview")),
    ("common.storage", ("common.domain", "common.storage")),
    ("common.queueing", ("common.domain", "common.queueing", "common.logs", "common.metrics")),
    (
        "common.cli",
        (
            "common",
            "poller.schedule",
            "poller.comparing",
            "poller.sources",
            "processor.destinations",
            "processor.handlers",
            "processor.pipeline",
            "processor.replaying.comparing",
            "processor.replaying.reading",
            "processor.steps",
            "processor.verdicts",
            "processor.verifying",
            "deploy.local",
            "deploy.audit",
            "deploy.sandbox",
        ),
    ),
    ("poller", ("common", "poller")),
    ("processor.handlers", ("common.domain", "processor.handlers")),
    ("processor.steps", ("common.domain", "processor.handlers", "processor.pipeline", "processor.steps")),
    ("processor.verdicts", ("common.domain",)),
    ("processor.pipeline", ("common.domain",)),
    ("processor", ("common", "processor")),
    ("deploy.audit", ("deploy.audit",)),
    ("deploy.sandbox", ("deploy.sandbox",)),
    ("deploy.local", ("deploy.local",)),
    ("deploy.demo", ("common", "deploy")),
    ("deploy", ("deploy",)),
)

#: Who may import these at all.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "celery": (
        "common.queueing", "common.cli", "poller.app", "poller.bootstrap", "poller.tasks", "poller.schedule.scheduler",
        "processor.app", "processor.bootstrap", "processor.tasks",
    ),
    "kombu": ("common.queueing", "poller.schedule.scheduler"),
    "httpx": ("common.http", "poller.bootstrap", "processor.bootstrap", "deploy", "common.cli"),
    "sqlalchemy": ("common.storage", "poller.schedule.scheduler", "common.cli"),
    "psycopg": ("common.storage.locks", "deploy.local", "deploy.audit.places"),
    "redis": ("common.limits", "common.queueing", "deploy", "common.cli", "common.metrics"),
    "cryptography": ("common.credentials",),
    "os": ("common.config", "common.credentials", "common.queueing.watchdog", "common.cli", "deploy"),
}  # fmt: skip

MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


def is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_imports_only_what_its_place_allows(path):
    name = module_name(path)
    allowed = next((targets for prefix, targets in MAY_IMPORT if is_under(name, prefix)), PACKAGES)
    ours = [target for target in imports(path) if target.split(".")[0] in PACKAGES]
    wrong = [target for target in ours if not any(is_under(target, prefix) for prefix in allowed)]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_library_is_imported_only_where_it_lives(path):
    name = module_name(path)
    for target in imports(path):
        places = ONLY_IN.get(target.split(".")[0])
        assert places is None or any(is_under(name, place) for place in places), f"{name} imports {target}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_function_imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [child.lineno for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)]
            assert hidden == [], f"{path}: import inside {node.name}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_every_module_says_what_it_is_for_and_is_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= 350, f"{path} is too long"


def test_there_is_no_import_cycle():
    edges = {module_name(p): {t for t in imports(p) if t.split(".")[0] in PACKAGES} for p in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name in done:
            return
        for target in edges.get(name, ()):
            visit(target, (*trail, name))
        done.add(name)

    for name in edges:
        visit(name, ())


def test_no_module_is_called_utils_or_helpers():
    names = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names.isdisjoint({"utils", "util", "helpers", "misc", "models"})


def test_importing_does_nothing(tmp_path):
    """Every module is imported with no settings, no network and nowhere to write."""
    names = [module_name(p) for p in MODULES if "__main__" not in p.parts[-1] and "migrations" not in p.parts]
    code = (
        "import socket, sys, threading, importlib\n"
        "def refuse(*a, **k): raise AssertionError('a connection at import')\n"
        "socket.socket.connect = refuse\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "FLEET_NO_SUCH_SETTING": "would be refused if anything read settings"}
    outcome = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_package_has_a_docstring_and_no_code():
    for package in PACKAGES:
        for info in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if info.ispkg and "migrations" not in info.name:
                tree = ast.parse(Path(importlib.util.find_spec(info.name).origin).read_text())
                assert len(tree.body) == 1, f"{info.name}/__init__.py holds code"
