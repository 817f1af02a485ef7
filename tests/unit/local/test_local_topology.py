import sys
from pathlib import Path

import pytest

from deploy.local.child import ProcessSpec
from deploy.local.endpoints import Endpoints
from deploy.local.topology import fleet_processes

ENDPOINTS = Endpoints(database_url="postgresql+psycopg://db", broker_url="redis://broker")
CELERY = [sys.executable, "-m", "celery", "-A"]
THREADS = ["--pool=threads", "--concurrency=4", "--without-gossip", "--without-mingle"]


@pytest.fixture
def specs(tmp_path: Path) -> dict[str, ProcessSpec]:
    processes = fleet_processes(
        ENDPOINTS,
        state_dir=tmp_path,
        lanes=["priority", "standard"],
        processors=2,
        pollers=1,
        flower_port=5555,
        concurrency=4,
        metrics_ports={"poller1": 9100},
        environ={"PATH": "/bin"},
    )
    return {spec.name: spec for spec in processes}


def test_consumers_start_first_and_so_stop_last(specs: dict[str, ProcessSpec]) -> None:
    assert list(specs) == ["processor1", "processor2", "poller1", "beat", "flower"]


def test_each_process_is_a_celery_command(specs: dict[str, ProcessSpec]) -> None:
    assert {name: spec.argv for name, spec in specs.items()} == {
        "processor1": [*CELERY, "processor.app", "worker", "-n", "processor1@%h", *THREADS, "-l", "INFO"],
        "processor2": [*CELERY, "processor.app", "worker", "-n", "processor2@%h", *THREADS, "-l", "INFO"],
        "poller1": [
            *(*CELERY, "poller.app", "worker", "-n", "poller1@%h", *THREADS),
            *("-l", "INFO"),
        ],
        "beat": [*CELERY, "poller.app", "beat", "--pidfile=", "-l", "INFO"],
        "flower": [*CELERY, "processor.app", "flower", "--address=127.0.0.1", "--port=5555"],
    }


def test_the_environment_says_where_everything_is(specs: dict[str, ProcessSpec], tmp_path: Path) -> None:
    assert specs["beat"].env == {
        "PATH": "/bin",
        "FLEET_DATABASE_URL": "postgresql+psycopg://db",
        "FLEET_BROKER_URL": "redis://broker",
        "FLEET_STATE_DIR": str(tmp_path),
        "FLEET_LOG_FORMAT": "text",
        "FLEET_LOG_LEVEL": "INFO",
        "FLEET_LANES": "priority,standard",
        "PYTHONUNBUFFERED": "1",
    }
    assert specs["poller1"].env["FLEET_METRICS_PORT"] == "9100"
    assert specs["poller1"].log_path == tmp_path / "logs" / "poller1.log"


def test_flower_is_left_out_without_a_port(tmp_path: Path) -> None:
    specs = fleet_processes(
        ENDPOINTS, state_dir=tmp_path, lanes=["standard"], processors=1, pollers=1, flower_port=None
    )

    assert [spec.name for spec in specs] == ["processor1", "poller1", "beat"]
