"""Small pure pieces: invented values, settings, spelling, the directory's order."""

from random import Random

import pytest

from deploy.sandbox.names import address_line, address_parts, letters, split_address
from deploy.sandbox.settings import BadSettingError, Settings, revise
from deploy.sandbox.volunteer.directory import Directory, User
from deploy.sandbox.volunteer.paging import page_number
from deploy.sandbox.volunteer.spelling import Spelling

SECOND = 1_762_336_800


def test_letters_never_repeat():
    assert len({letters(number) for number in range(20_000)}) == 20_000


def test_an_address_survives_its_line():
    parts = address_parts(Random(1), 12)

    assert split_address(address_line(parts)) == parts


@pytest.mark.parametrize("line", [None, 5, "", "somewhere", "a, b, c, d"])
def test_a_malformed_address_has_no_parts(line):
    assert split_address(line) is None


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("offset", "2025-11-05T10:00:00+00:00"),
        ("zulu", "2025-11-05T10:00:00.000000Z"),
        ("bare", "2025-11-05 10:00:00"),
    ],
)
def test_one_second_has_three_spellings(style, text):
    assert Spelling(Settings(timestamp_style=style)).stamp(SECOND, 1) == text


def test_a_mixed_organization_spells_by_record():
    spelling = Spelling(Settings(timestamp_style="mixed"))

    assert len({spelling.stamp(SECOND, record_id) for record_id in range(6)}) == 3


@pytest.mark.parametrize(("text", "number"), [(None, 1), ("", 1), ("0", 1), ("-2", 1), ("x", 1), ("²", 1), ("3", 3)])
def test_a_senseless_page_is_the_first(text, number):
    assert page_number(text) == number


@pytest.mark.parametrize(
    "changes",
    [{"colour": "red"}, {"id_style": "roman"}, {"users": -1}, {"users": True}, {"bulk_endpoints": 1}, {"users": "5"}],
)
def test_a_setting_that_makes_no_sense_is_refused(changes):
    with pytest.raises(BadSettingError):
        revise(Settings(), changes)


def test_seconds_may_be_whole():
    assert revise(Settings(), {"index_lag_seconds": 2}).index_lag_seconds == 2


def test_the_directory_keeps_its_order_through_changes():
    directory = Directory()
    for user_id, name in ((1, "Cod"), (2, "Ash"), (3, "Bee"), (4, "Ash"), (5, None)):
        directory.add(User(user_id, {"last_name": name}, None, 0, 0))
    assert directory.ids() == [5, 2, 4, 3, 1]

    directory.change(directory.get(2), {"last_name": "Dew"})
    directory.remove(3)

    assert directory.ids() == [5, 4, 1, 2]
