import pytest

from common.cli.failures import CommandFailed
from common.cli.main import run
from common.cli.throttle import check_system, read_percent


@pytest.mark.parametrize(
    ("text", "fraction"), [("50%", 0.5), ("50", 0.5), ("12.5 %", 0.125), ("0%", 0.0), ("100%", 1.0), ("Off", 1.0)]
)
def test_a_part_is_written_as_people_write_it(text, fraction):
    assert read_percent(text) == fraction


@pytest.mark.parametrize("text", ["101%", "-5", "half", "", "%", "1e2", "50%%", "nan"])
def test_what_is_no_part_is_misuse_in_one_line(text, capsys):
    assert run(["throttle", "volunteer", "--", text]) == 2

    assert capsys.readouterr().err == f"error: PERCENT: {text!r} is not 0% to 100%, or off\n"


def test_a_lane_nobody_has_is_misuse_and_the_right_one_is_named(capsys):
    assert run(["throttle", "volunteer", "50%", "--lane", "prioritty"]) == 2

    line = "error: --lane: 'prioritty' is none of priority, standard, background, did you mean priority?\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("known", "line"),
    [
        (["crm_plus", "volunteer"], "'volunter', did you mean volunteer?; in use: crm_plus, volunteer"),
        (["crm_plus"], "'volunter'; in use: crm_plus"),
        ([], "'volunter'; there are no customers yet"),
    ],
)
def test_a_system_that_nobody_uses_is_refused(known, line):
    with pytest.raises(CommandFailed) as raised:
        check_system("volunter", known)

    assert str(raised.value) == f"no customer uses a system {line}"
