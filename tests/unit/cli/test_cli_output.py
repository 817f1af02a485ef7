import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr

from common.cli.output import plain, show
from common.domain.customers import Tier


@dataclass
class Thing:
    at: datetime
    tier: Tier


def test_times_are_iso_in_utc_and_words_are_text():
    thing = Thing(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), Tier.BASIC)

    assert plain({"thing": thing, "paths": (Path("a"),)}) == {
        "thing": {"at": "2026-01-01T00:00:00+00:00", "tier": "basic"},
        "paths": ["a"],
    }


def test_a_secret_cannot_be_printed():
    with pytest.raises(TypeError, match="no JSON for SecretStr"):
        plain({"token": SecretStr("x")})


def test_json_is_one_line(capsys):
    show({"a": [1, None], "é": 2}, as_json=True, human=lambda: "unused")

    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": [1, None], "é": 2}


def test_what_looks_like_markup_is_printed_as_it_is(capsys):
    show({}, as_json=False, human=lambda: "a [red]b[/red]")

    assert capsys.readouterr().out == "a [red]b[/red]\n"
