"""Every setting, typed, with its unit in its name. Unknown `FLEET_*` variables are refused."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from common.domain.batches import PER_MINUTE, PORTION
from common.domain.customers import Lane, Tier
from common.domain.errors import ConfigurationError

PREFIX = "FLEET_"
#: Written by whoever runs the embedded servers, so that commands in another shell find them.
ENDPOINTS_FILE = "endpoints.json"
#: The process that holds a fleet up, among the process ids in that file.
HOLDER = "fleet"


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class Settings(BaseSettings):
    """The fleet's settings; each is `FLEET_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    state_dir: Path = Path(".fleet")
    #: SQLAlchemy URL of PostgreSQL; None: whatever a running `fleet up` wrote into the state directory.
    database_url: SecretStr | None = None
    #: Redis URL of the broker; None: the same.
    broker_url: SecretStr | None = None
    #: 32 bytes, base64. None: `master.key` in the state directory, made on first start.
    master_key: SecretStr | None = None
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    #: Lanes this worker serves, comma-separated.
    lanes: Annotated[tuple[Lane, ...], NoDecode] = tuple(Lane)
    #: Partitions an entity may be hashed to: the cap on concurrent slices of one customer. Never change it on a
    #: database with open events.
    partitions: int = Field(default=4, ge=1, le=64)

    #: Poll cadence by tier (facts: volunteer-api 5.1).
    premium_interval_seconds: int = Field(default=300, ge=1)
    standard_interval_seconds: int = Field(default=900, ge=1)
    basic_interval_seconds: int = Field(default=3600, ge=1)
    #: Local times, HH:MM, of the daily slots: a nightly customer's poll, and everybody else's reconciliation ...
    nightly_time: time = time(22)
    reconciliation_time: time = time(3)
    #: ... and over how many minutes from then customers are spread.
    slot_spread_minutes: int = Field(default=60, ge=0, le=600)
    #: How long a night may apply, in hours from when it is taken up; what is left then is the next night's.
    night_hours: float = Field(default=6.0, gt=0, le=20)
    #: Dead letters, in percent of all events that ended in a night, above which it alerts.
    night_failure_percent: float = Field(default=5.0, ge=0, le=100)
    #: Re-read this much before the checkpoint: rows that were committed late with an earlier stamp.
    poll_overlap_seconds: int = Field(default=120, ge=0)
    #: A run saves its progress and yields its worker after this long.
    run_slice_seconds: float = Field(default=30.0, gt=0)
    #: How long a record must not have been seen, besides two sealed readings of its scope, before it counts as gone.
    absence_seconds: float = Field(default=300.0, ge=0)
    #: Deletions of a resource in a day beyond both of these are held until a person decides: percent of a customer's
    #: records, and records. Its own limits are among its source settings, by the same names.
    deletion_fuse_percent: float = Field(default=5.0, ge=0, le=100)
    deletion_fuse_records: int = Field(default=20, ge=0)
    #: Passes a run makes over a set that moves under it before it leaves the checkpoint where it is.
    scan_passes: int = Field(default=3, ge=1)

    #: A delivery applies at most this many events ...
    slice_events: int = Field(default=200, ge=1)
    #: ... or for this long, then the rest goes to the tail.
    slice_seconds: float = Field(default=20.0, gt=0)
    #: Less than a batch of live changes waits this long for more of them, since the oldest was detected ...
    linger_seconds: float = Field(default=2.0, ge=0, le=60)
    #: ... and of nothing but a backfill, this long. 0 for either: it is sent as it comes.
    backfill_linger_seconds: float = Field(default=20.0, ge=0, le=600)
    #: Deliveries of one customer that a worker works on at a time: a slow destination holds no more of it.
    customer_slots: int = Field(default=2, ge=1)
    #: Days for which `fleet explain` knows on which pages a record was seen. More than the week between two full scans,
    #: so that the last one is always among them, a day late as it may be. A page of 15 takes 0.6 kB.
    pages_kept_days: float = Field(default=8.0, gt=0, le=366)
    #: How often the sweep looks for work without a message.
    sweep_seconds: float = Field(default=2.0, gt=0)
    #: Open dead letters at which nothing more of a customer is applied, until a person resumes it.
    dead_letter_limit: int = Field(default=100, ge=1)
    #: Letters of a batch of replays that may be on their way at a time, and how many go to work in a minute at most.
    replay_portion: int = Field(default=PORTION, ge=1, le=1000)
    replay_per_minute: int = Field(default=PER_MINUTE, ge=1, le=6000)
    #: Requests in a row that meet an outage of one customer's system and open its breaker ...
    breaker_failures: int = Field(default=5, ge=1)
    #: ... for this long at first, then twice as long each time, up to ten minutes.
    breaker_seconds: float = Field(default=30.0, gt=0)
    #: Failed runs in a row of one resource, after which its customer is paused ...
    failed_runs_before_pause: int = Field(default=3, ge=1)
    #: ... for this long.
    pause_hours: float = Field(default=24.0, gt=0)
    #: Open events of a customer at which its backfill and reconciliation wait, and at which its polls do too.
    backfill_backlog_limit: int = Field(default=10_000, ge=1)
    poll_backlog_limit: int = Field(default=50_000, ge=1)
    #: One HTTP request, from the first byte sent to the last received.
    http_deadline_seconds: float = Field(default=20.0, gt=0)

    volunteer_requests_per_minute: int = Field(default=100, ge=1)
    crm_requests_per_hour: int = Field(default=1200, ge=1)

    #: Prometheus metrics of this process; 0: not served.
    metrics_port: int = Field(default=0, ge=0, le=65535)
    #: Where they are served; they name customers, so not to the whole network.
    metrics_address: str = "127.0.0.1"

    def interval_seconds(self, tier: Tier) -> int:
        return {
            Tier.PREMIUM: self.premium_interval_seconds,
            Tier.STANDARD: self.standard_interval_seconds,
            Tier.BASIC: self.basic_interval_seconds,
        }[tier]

    def require_database_url(self) -> str:
        return _require(self.database_url, "FLEET_DATABASE_URL", self.state_dir)

    def require_broker_url(self) -> str:
        return _require(self.broker_url, "FLEET_BROKER_URL", self.state_dir)


def _require(value: SecretStr | None, name: str, state_dir: Path) -> str:
    if value is None:
        raise ConfigurationError(f"{name} is not set and no fleet is running in {state_dir}: set it, or run `fleet up`")
    return value.get_secret_value()


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment, then a running fleet's endpoints. Raises ConfigurationError naming the setting."""
    environment = os.environ if environment is None else environment
    _refuse_unknown(environment)
    given = {k.removeprefix(PREFIX).lower(): v for k, v in environment.items() if k.startswith(PREFIX)}
    if "lanes" in given:
        given["lanes"] = _split(given["lanes"])  # type: ignore[assignment]
    try:
        settings = Settings(**{**_running_fleet(Path(given.get("state_dir", ".fleet"))), **given})  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(_first_problem(error)) from None
    return settings


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in environment:
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "see common/config/settings.py for all of them"
            raise ConfigurationError(f"unknown setting {name}: {hint}")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    name = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    return f"{name}: {problem['msg'].lower()}"


def running_fleet(state_dir: Path) -> Mapping[str, Any]:
    """What a running `fleet up` wrote about itself; empty when there is none. A killed one's file counts as absent."""
    path = state_dir / ENDPOINTS_FILE
    if not path.is_file():
        return {}
    try:
        endpoints: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise ConfigurationError(f"{path} is not JSON: remove it, or start the fleet again") from None
    return endpoints if _is_alive(endpoints.get("pids", {}).get(HOLDER)) else {}


def _running_fleet(state_dir: Path) -> dict[str, str]:
    """The URLs that a running fleet serves."""
    endpoints = running_fleet(state_dir)
    return {name: endpoints[name] for name in ("database_url", "broker_url") if endpoints.get(name)}


def _is_alive(pid: int | None) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
