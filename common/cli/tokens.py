"""Tokens from files, hidden prompts and standard input; never from arguments, which show in the process list."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from pydantic import SecretStr

from common.domain.customers import System
from common.domain.errors import CustomerInvalid


def read_token(customer_id: str, system: System, file: Path | None) -> SecretStr:
    """From the file if there is one, else asked for. Raises CustomerInvalid if it cannot be a token."""
    text = _ask(system) if file is None else _read(customer_id, system, file)
    return as_token(customer_id, system, text)


def as_token(customer_id: str, system: System, text: str) -> SecretStr:
    """Raises CustomerInvalid for what could not go into a header."""
    token = text.strip()
    if not token:
        raise CustomerInvalid(customer_id, f"{system}_token", "is empty")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CustomerInvalid(customer_id, f"{system}_token", "holds spaces, lines or characters that no token has")
    return SecretStr(token)


def _read(customer_id: str, system: System, file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CustomerInvalid(customer_id, f"{system}_token", f"{file} cannot be read: {why}") from None


def _ask(system: System) -> str:
    """Hidden at a terminal; else one line of standard input."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(f"Token of the {system}", hide_input=True, err=True)
        return answer
    return sys.stdin.readline()
