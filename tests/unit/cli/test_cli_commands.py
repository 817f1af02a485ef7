import json
import os
import subprocess
import sys

import pytest

from common.cli.main import COMMANDS, GROUPS, run

ALL = [[name] for name in COMMANDS] + [
    [*group.split(), name] for group, (_, commands) in GROUPS.items() for name in commands
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No fleet runs here."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_command_explains_itself_and_gives_json(command, capsys):
    assert run([*command, "--help"]) == 0

    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_the_command_alone_lists_all_commands(arguments, capsys):
    assert run(arguments) == 0

    out = capsys.readouterr().out
    assert all(name in out for name in (*COMMANDS, *GROUPS) if " " not in name)


def test_the_version_is_told(capsys):
    assert run(["--version"]) == 0

    assert capsys.readouterr().out.startswith("syncfleet ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["stauts"], "error: No such command 'stauts'. Did you mean 'status'?; see `fleet --help`"),
        (["customers", "show"], "error: Missing argument 'ID'; see `fleet customers show --help`"),
        (["customers"], "error: Missing command; see `fleet customers --help`"),
        (["customers", "add"], "error: give either an ID or --file"),
        (["up", "--customers", "3"], "error: --customers needs --sandbox"),
        (["audit", "--sandbox", "http://127.0.0.1:1", "--since", "noon"], "error: --since: 'noon' is no ISO time"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments, line, capsys):
    assert run(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_token_as_an_option_is_refused_without_being_repeated(capsys):
    assert run(["customers", "add", "acme", "--source-token=secret-1"]) == 2

    assert "secret-1" not in capsys.readouterr().err


def test_without_a_fleet_the_mend_is_named(capsys):
    assert run(["status"]) == 1

    err = capsys.readouterr().err
    assert err == "error: FLEET_DATABASE_URL is not set and no fleet is running in .fleet: set it, or run `fleet up`\n"


def test_the_file_of_a_killed_fleet_counts_as_none(capsys, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / ".fleet").mkdir()
    urls = {"database_url": "postgresql+psycopg://127.0.0.1:1/x", "broker_url": "redis://127.0.0.1:1/0"}
    (tmp_path / ".fleet" / "endpoints.json").write_text(json.dumps({**urls, "pids": {"fleet": gone.pid}}))

    assert run(["status"]) == 1

    assert "no fleet is running" in capsys.readouterr().err


def test_the_file_of_a_running_fleet_is_believed(capsys, tmp_path):
    (tmp_path / ".fleet").mkdir()
    urls = {"database_url": "postgresql+psycopg://127.0.0.1:1/x", "broker_url": "redis://127.0.0.1:1/0"}
    (tmp_path / ".fleet" / "endpoints.json").write_text(json.dumps({**urls, "pids": {"fleet": os.getpid()}}))

    assert run(["status"]) == 1

    assert capsys.readouterr().err.startswith("error: cannot reach PostgreSQL at 127.0.0.1:1: ")


def test_a_misspelt_setting_is_named(capsys, monkeypatch):
    monkeypatch.setenv("FLEET_BROKRE_URL", "x")

    assert run(["status"]) == 1

    assert capsys.readouterr().err == "error: unknown setting FLEET_BROKRE_URL: did you mean FLEET_BROKER_URL?\n"


def test_a_traceback_comes_only_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("FLEET_LOG_LEVEL", "DEBUG")

    run(["status"])

    assert "Traceback" in capsys.readouterr().err
