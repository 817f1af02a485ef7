"""`fleet exporter` as a process: serves until it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
from support.waiting import wait_until

from deploy.local.ports import free_port

FLEET = [sys.executable, "-c", "from common.cli.main import main; main()"]


def test_the_exporter_serves_every_customer_and_stops_on_sigterm(hub, organization, servers):
    access = organization(users=1)
    hub.onboard(access)
    port = free_port()
    with subprocess.Popen(
        [*FLEET, "exporter", "--port", str(port)],
        env={**os.environ, **servers.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        text = wait_until(lambda: scraped(port), seconds=20, what="metrics")
        process.send_signal(signal.SIGTERM)
        _, problems = process.communicate(timeout=10)

    assert f'syncfleet_queue_depth{{customer_id="{access.name}",lane="priority"}} 0.0' in text
    assert (process.returncode, problems) == (0, b"")


def test_an_exporter_without_a_database_says_so_in_one_line(servers):
    environment = {**os.environ, **servers.environment, "FLEET_DATABASE_URL": "postgresql+psycopg://x:y@127.0.0.1:1/z"}
    outcome = subprocess.run([*FLEET, "exporter"], env=environment, capture_output=True, text=True, check=False)

    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1
    assert "127.0.0.1:1" in outcome.stderr
    assert "y@" not in outcome.stderr


def scraped(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except httpx.HTTPError:
        return ""
