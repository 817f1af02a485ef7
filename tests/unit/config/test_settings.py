"""Settings: read once, unknown names refused, wrong values named."""

from __future__ import annotations

import json
import os

import pytest

from common.config.settings import Settings, load_settings
from common.domain.customers import Lane, Tier
from common.domain.errors import ConfigurationError


def load(tmp_path, **given):
    return load_settings({"FLEET_STATE_DIR": str(tmp_path), **given})


def test_the_defaults_need_no_environment(tmp_path):
    settings = load(tmp_path)

    assert settings.lanes == tuple(Lane)
    assert [settings.interval_seconds(tier) for tier in Tier] == [300, 900, 3600]


def test_values_are_read_as_their_types(tmp_path):
    settings = load(tmp_path, FLEET_SWEEP_SECONDS="0.5", FLEET_LANES="priority,background", FLEET_PARTITIONS="8")

    assert (settings.sweep_seconds, settings.partitions) == (0.5, 8)
    assert settings.lanes == (Lane.PRIORITY, Lane.BACKGROUND)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("FLEET_PARTITION", "did you mean FLEET_PARTITIONS"),
        ("FLEET_DATABSE_URL", "did you mean FLEET_DATABASE_URL"),
        ("FLEET_ZZZZ", "settings.py"),
    ],
)
def test_an_unknown_name_is_refused_with_the_likely_one(tmp_path, name, hint):
    with pytest.raises(ConfigurationError, match=name) as raised:
        load(tmp_path, **{name: "1"})

    assert hint in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLEET_PARTITIONS", "0"), ("FLEET_PARTITIONS", "many"), ("FLEET_PARTITIONS", "65"),
        ("FLEET_SWEEP_SECONDS", "0"), ("FLEET_LOG_LEVEL", "LOUD"), ("FLEET_LANES", "fast"), ("FLEET_LANES", ""),
        ("FLEET_METRICS_PORT", "-1"), ("FLEET_HTTP_DEADLINE_SECONDS", "soon"), ("FLEET_DEAD_LETTER_LIMIT", "0"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_setting(tmp_path, name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        load(tmp_path, **{name: value})


def test_other_programs_variables_are_left_alone(tmp_path):
    assert load(tmp_path, PATH="/bin", CELERY_BROKER="x", FLEETING="1").partitions == 4


def test_secrets_do_not_show(tmp_path):
    url, key = "postgresql+psycopg://u:hunter2@db/x", "bWFzdGVy"
    settings = load(tmp_path, FLEET_DATABASE_URL=url, FLEET_BROKER_URL="redis://:hunter2@r", FLEET_MASTER_KEY=key)

    assert "hunter2" not in f"{settings!r} {settings}"
    assert key not in repr(settings)
    assert settings.require_database_url() == url


def test_a_wrong_value_that_may_be_a_secret_is_not_repeated(tmp_path):
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path, FLEET_PARTITIONS="hunter2")

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["database", "broker"])
def test_a_missing_url_names_the_setting_and_the_mend(tmp_path, name):
    with pytest.raises(ConfigurationError, match=rf"FLEET_{name.upper()}_URL.*fleet up"):
        getattr(load(tmp_path), f"require_{name}_url")()


def test_a_running_fleets_endpoints_are_found_and_given_ones_go_first(tmp_path):
    endpoints = {"database_url": "postgresql://a", "broker_url": "redis://a", "pids": {"fleet": os.getpid()}}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))

    settings = load(tmp_path, FLEET_BROKER_URL="redis://given")

    assert (settings.require_database_url(), settings.require_broker_url()) == ("postgresql://a", "redis://given")


def test_endpoints_that_are_no_json_are_told(tmp_path):
    (tmp_path / "endpoints.json").write_text("{")

    with pytest.raises(ConfigurationError, match=r"endpoints\.json"):
        load(tmp_path)


def test_settings_do_not_change_once_read(tmp_path):
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path).partitions = 9


def test_every_default_is_valid():
    assert Settings.model_validate(Settings().model_dump())
