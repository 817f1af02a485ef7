"""Real processes of the fleet, one by one, on the stage's servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from support.waiting import wait_until

from benchmarks.fleet.messages import publisher
from benchmarks.fleet.stage import Stage
from deploy.local.topology import DEFAULT_CONCURRENCY, beat_argv, worker_argv

#: Seconds for Celery to import, connect and consume, on a machine that is busy.
START_SECONDS = 60


@contextmanager
def running_processor(
    stage: Stage, name: str, number: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Its process id, once it answers."""
    argv = worker_argv("processor", number, concurrency=DEFAULT_CONCURRENCY, log_level="WARNING")
    with stage.process(name, argv[1:], settings) as child:
        _await_answer(stage, f"processor{number}@")
        yield child.pid


@contextmanager
def running_poller(stage: Stage, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """Its process id, once it answers."""
    argv = worker_argv("poller", 1, concurrency=DEFAULT_CONCURRENCY, log_level="WARNING")
    with stage.process("poller", argv[1:], settings) as child:
        _await_answer(stage, "poller1@")
        yield child.pid


@contextmanager
def running_beat(stage: Stage, settings: Mapping[str, str] | None = None, *, app: str = "poller.app") -> Iterator[int]:
    """Its process id, once it leads; `app` is a module with the poller's Celery app."""
    argv = [app if word == "poller.app" else word for word in beat_argv("INFO")]
    begin = len(stage.log("beat"))
    with stage.process("beat", argv[1:], {"FLEET_LOG_LEVEL": "INFO", **(settings or {})}) as child:
        wait_until(lambda: "beat.leads" in stage.log("beat")[begin:], seconds=START_SECONDS, what="beat to lead")
        yield child.pid


def _await_answer(stage: Stage, prefix: str) -> None:
    app = publisher(stage.servers.broker_url)
    try:
        wait_until(lambda: _answers(app, prefix), seconds=START_SECONDS, what=f"{prefix} to answer")
    finally:
        app.close()


def _answers(app: object, prefix: str) -> bool:
    replies = app.control.ping(timeout=0.5)  # type: ignore[attr-defined]
    return any(name.startswith(prefix) for reply in replies for name in reply)
