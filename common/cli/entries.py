"""A customer as somebody wrote it down, on the command line or in a file: every mistake is named at once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from common.cli.failures import CommandFailed
from common.cli.tokens import as_token, read_token
from common.domain.customers import LANE_OF_TIER, Customer, Lane, Mode, System, Tier
from common.domain.errors import CustomerInvalid


class Entry(BaseModel):
    """What may be said of a new customer. Unknown fields are refused; tokens stand here or in files of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    customer_id: str
    name: str = Field(min_length=1)
    tier: Tier
    #: None: the tier's.
    lane: Lane | None = None
    time_zone: str = "UTC"
    region: str = "default"
    poll_interval_seconds: int | None = Field(default=None, ge=1)
    #: Seconds by resource, of those polled apart from the rest.
    cadences: dict[str, int] = Field(default_factory=dict)
    mode: Mode = Mode.CONTINUOUS
    source: str = "volunteer"
    destination: str = "crm_plus"
    source_settings: dict[str, Any] = Field(default_factory=dict)
    destination_settings: dict[str, Any] = Field(default_factory=dict)
    #: See `common.domain.mapping`.
    mapping: dict[str, Any] = Field(default_factory=dict)
    source_token: SecretStr | None = None
    destination_token: SecretStr | None = None
    source_token_file: Path | None = None
    destination_token_file: Path | None = None

    def customer(self) -> Customer:
        values = self.model_dump(exclude={f"{system}_token{end}" for system in System for end in ("", "_file")})
        return Customer(**{**values, "lane": self.lane or LANE_OF_TIER[self.tier]})

    def token(self, system: System, folder: Path) -> SecretStr:
        """Raises CustomerInvalid if it is not given. Files are looked for from `folder`."""
        given: SecretStr | None = getattr(self, f"{system}_token")
        if given is not None:
            return as_token(self.customer_id, system, given.get_secret_value())
        file: Path | None = getattr(self, f"{system}_token_file")
        if file is None:
            mend = f"is missing; give {system}_token or {system}_token_file"
            raise CustomerInvalid(self.customer_id, f"{system}_token", mend)
        return read_token(self.customer_id, system, folder / file)


def read_entry(values: Mapping[str, Any], who: str) -> Entry:
    """Raises CommandFailed with a line per mistake; `who` is said where there is no id."""
    try:
        return Entry.model_validate(dict(values))
    except ValidationError as error:
        identity = repr(values["customer_id"]) if isinstance(values.get("customer_id"), str) else who
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise CommandFailed(*(f"customer {identity}: {_problem(problem)}" for problem in problems)) from None


def read_file(path: Path) -> tuple[list[Entry], list[str]]:
    """The entries that can be read, and a line per mistake. Raises CommandFailed if it is no list at all."""
    rows = _rows(path)
    entries: list[Entry] = []
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        who = f"number {number}"
        try:
            if not isinstance(row, dict):
                raise CommandFailed(f"customer {who}: is not a JSON object")
            entries.append(read_entry(row, who))
        except CommandFailed as failure:
            lines += failure.lines
    ids = [entry.customer_id for entry in entries]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    lines += [f"customer {name!r}: customer_id: is there twice" for name in doubled]
    return entries, lines


def _rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text())
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{path} is not text") from None
    except ValueError as error:
        raise CommandFailed(f"{path} is not JSON: {error}") from None
    if not isinstance(rows, list):
        raise CommandFailed(f"{path}: give a JSON list of customers")
    return rows


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises ValueError, saying what is wrong with it."""
    try:
        value = json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if isinstance(value, dict):
        return value
    raise ValueError(f"{path}: give a JSON object")


def read_settings(pairs: list[str] | None, option: str) -> dict[str, str]:
    """`k=v` pairs. Raises CommandFailed naming the option."""
    settings: dict[str, str] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise CommandFailed(f"{option}: {key!r}: write KEY=VALUE", exit_code=2)
        settings[key] = value
    return settings


def _problem(problem: ErrorDetails) -> str:
    field = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(field, Entry.model_fields, n=1)
        return f"{field}: is no field" + (f"; did you mean {close[0]}?" if close else "")
    message = str(problem["msg"])
    return f"{field}: {message[:1].lower()}{message[1:]}"
