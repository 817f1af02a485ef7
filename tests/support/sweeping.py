"""The sweep as it is in production: the poller's own task, on its own parts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from common.config.settings import load_settings
from common.queueing.celery_app import make_app
from common.queueing.names import SWEEP
from poller.bootstrap import build
from poller.tasks import declare_tasks
from support.hub import MASTER_KEY
from support.servers import Servers


@contextmanager
def sweeping(servers: Servers, **settings: str) -> Iterator[Any]:
    """Call what it gives, and it sweeps."""
    given = {**servers.environment, "FLEET_MASTER_KEY": b64encode(MASTER_KEY).decode(), **settings}
    with ExitStack() as stack:
        app = make_app("poller", servers.broker_url, log_format="text", log_level="ERROR")
        stack.callback(app.close)
        poller = build(load_settings(given), app)
        stack.callback(poller.overview._engine.dispose)
        stack.callback(poller.locks.close)
        declare_tasks(app, lambda: poller)
        yield app.tasks[SWEEP]
