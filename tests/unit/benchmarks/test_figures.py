"""Figures: median and spread, and what a target makes of them."""

from __future__ import annotations

import json

import pytest
from benchmarks.fleet.figures import Table, figure, ratios
from benchmarks.fleet.printing import number, show_table, verdict, write_json


def test_a_figure_is_the_median_of_its_rounds_with_the_lowest_and_the_highest():
    found = figure("rate", [3.0, 1.0, 2.0], "/s")
    assert (found.value, found.spread, found.rounds) == (2.0, (1.0, 3.0), 3)


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        ({"below": 1.0}, 0.9, True),
        ({"below": 1.0}, 1.0, False),
        ({"at_most": 0}, 0, True),
        ({"at_most": 0}, 1, False),
        ({"at_least": 0.9}, 0.9, True),
        ({"at_least": 0.9}, 0.89, False),
        ({}, 5, None),
    ],
)
def test_a_target_is_met_or_not(target, value, met):
    assert figure("x", value, "", **target).met is met


def test_ratios_are_taken_within_a_round():
    assert ratios([1.0, 10.0], [2.0, 20.0]) == [0.5, 0.5]


def test_a_missed_target_cannot_be_overlooked():
    assert verdict(figure("x", 2, "", at_most=1)) == "NOT MET"


def test_numbers_are_short():
    assert [number(value) for value in (0.0, 0.012345, 1.5, 42, 1234.5)] == ["0", "0.0123", "1.5", "42", "1,234"]


def test_a_table_shows_every_figure_with_its_target(capsys):
    show_table(Table(title="Cost", figures=[figure("per message", [1.0, 2.0], "ms", below=1)], notes=["as it is"]))
    shown = capsys.readouterr().out
    for word in ("Cost", "per message", "1.5", "1..2", "< 1", "NOT MET", "as it is"):
        assert word in shown


def test_the_json_holds_what_the_table_shows(tmp_path):
    table = Table(title="Cost", figures=[figure("per message", 0.5, "ms", below=1)])
    write_json(tmp_path / "out.json", {"deliveries": table}, ["idle: no server"], quick=True)
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["tables"]["deliveries"]["figures"][0]["met"] is True
    assert written["failures"] == ["idle: no server"]
