"""The files that run the fleet elsewhere: no container engine is at hand, so they are read and held against the
code.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from common.cli.main import build_app
from common.config.settings import PREFIX, Settings
from common.domain.customers import Lane
from common.domain.lanes import LANE_TERMS
from deploy.local.topology import beat_argv, worker_argv

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "syncfleet:latest"}


def test_every_process_of_the_design_is_a_service():
    commands = {" ".join(service["command"][:4]) for service in OURS.values()}
    assert {"celery -A poller.app beat", "celery -A poller.app worker", "celery -A processor.app worker"} <= commands
    assert {"celery -A processor.app flower", "fleet migrate", "fleet exporter"} <= commands


@pytest.mark.parametrize("app", ["poller", "processor"])
def test_every_lane_has_a_pool_of_its_own(app):
    commands = [s["command"] for s in OURS.values() if s["command"][2:4] == [f"{app}.app", "worker"]]
    assert [command[command.index("--lane") + 1] for command in commands] == list(Lane)


def test_every_lane_alerts_when_it_breaks_its_promise():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    bounds = {rule["labels"]["lane"]: rule["expr"] for rule in rules if rule["alert"] == "LaneBehind"}
    assert set(bounds) == set(Lane)
    for lane, expression in bounds.items():
        assert f'lane="{lane}"}} > {LANE_TERMS[Lane(lane)].sla_seconds} ' in expression


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_sets_only_known_settings(name):
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert {key for key in OURS[name]["environment"] if key.startswith(PREFIX)} <= known


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_depends_only_on_services_there_are(name):
    assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize(
    "name", sorted(n for n, s in OURS.items() if s["command"][0] == "celery" and "worker" in s["command"])
)
def test_a_worker_is_started_as_it_is_tested(name):
    app = OURS[name]["command"][2].removesuffix(".app")
    tested = worker_argv(app, 1, concurrency=8, log_level="INFO")
    assert set(OURS[name]["command"][3:]) - {"--lane", *Lane} <= set(tested)


def test_beat_is_started_as_it_is_tested_and_twice():
    assert set(OURS["beat"]["command"][1:]) <= set(beat_argv("INFO"))
    assert OURS["beat"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", sorted(n for n, s in OURS.items() if s["command"][0] == "fleet"))
def test_a_fleet_command_exists(name):
    outcome = CliRunner().invoke(build_app(), [*OURS[name]["command"][1:], "--help"])
    assert outcome.exit_code == 0, outcome.output


def test_no_secret_is_written_down():
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${FLEET_MASTER_KEY:?" in text
    assert "${POSTGRES_PASSWORD:?" in text


def test_every_alert_names_a_metric_of_the_exporter_and_a_command_to_type():
    exporter = (ROOT / "common/metrics/exporter.py").read_text()
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    for rule in rules:
        metric = re.split(r"[ {]", rule["expr"])[0].removeprefix("syncfleet_")
        assert f'"{metric}"' in exporter
        assert "`fleet " in rule["annotations"]["summary"]


def test_the_image_runs_without_root_and_from_the_lock():
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert "USER syncfleet" in dockerfile
    assert "--constraint constraints.txt" in dockerfile
