"""The auditor shares no code with what it judges: a mistake in common would hide itself."""

import ast
import sys
from pathlib import Path

import pytest

import deploy.audit

FILES = sorted(Path(deploy.audit.__file__).parent.glob("*.py"))
#: `psycopg` and `redis` are how the leak search asks the servers for their files.
ALLOWED = {"httpx", "psycopg", "redis", "rich", "deploy.audit", *sys.stdlib_module_names}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_imports_nothing_of_the_product(file):
    imported = {name for node in ast.walk(ast.parse(file.read_text())) for name in names(node)}

    assert {
        name for name in imported if not name.startswith("deploy.audit") and name.split(".")[0] not in ALLOWED
    } == set()


def names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
