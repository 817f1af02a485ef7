"""Tokens and people are found wherever they lie in the clear, and never told."""

from __future__ import annotations

import pytest

from deploy.audit.leaks import Leak, main, search
from deploy.audit.needles import Needle, Secret, needles_of
from deploy.audit.places import OVERLAP, PIECE, Place, Unsearched, log_files

ACCOUNT = {
    "name": "acme", "canary": "Zq12ab34cd", "crm_token": "crmcanary-acme-0123456789abcdef",
    "volunteer_token": "volcanary-acme-fedcba9876543210",
}  # fmt: skip
USER = {"email": "fen.1@zq12ab34cd.example.org", "phone": "+1 214 555 0100", "last_name": "Quonox-Zq12ab34cd"}
BEFORE = {**USER, "phone": "+1 214 555 0199"}
SOURCE = {"users": {"4101": USER}, "history": [{"values": BEFORE}, {"values": {}}]}
NEEDLES = needles_of([ACCOUNT], {"acme": {"source": SOURCE}})


def found(*pieces, holds_people=False):
    place = Place(name="here", pieces=pieces, holds_people=holds_people)
    return {(leak.customer, leak.secret) for leak in search([place], NEEDLES)}


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer crmcanary-acme-0123456789abcdef",
        "0123456789ABCDEF",
        b"\x00fedcba9876543210\xff".decode("latin1"),
    ],
)
def test_a_token_is_found_whole_in_part_and_in_any_case(text):
    assert found(text.encode("latin1")) == {("acme", "token")}
    assert found(text.encode("latin1"), holds_people=True) == {("acme", "token")}


@pytest.mark.parametrize("value", [*USER.values(), BEFORE["phone"], "ZQ12AB34CD", "say zq12ab34cd"])
def test_personal_data_is_found_of_now_and_of_before_and_is_let_be_in_the_database_only(value):
    assert found(f"cannot apply {value}".encode()) == {("acme", "personal data")}
    assert found(f"cannot apply {value}".encode(), holds_people=True) == set()


def test_what_is_no_secret_is_not_found():
    assert found(b"customer acme: 4101 applied, 7 users, 555") == set()


def test_a_needle_across_two_pieces_of_a_file_is_found(tmp_path):
    """Not even its secret part is in one of them."""
    token = ACCOUNT["crm_token"].encode()
    file = tmp_path / "logs" / "worker.log"
    file.parent.mkdir()
    file.write_bytes(b"x" * (PIECE + 5 - len(token)) + token + b"y" * PIECE)

    assert list(search(log_files(str(tmp_path)), NEEDLES)) == [Leak(place=str(file), customer="acme", secret="token")]
    assert max(len(needle.value) for needle in NEEDLES) < OVERLAP


def test_a_place_that_cannot_be_searched_counts_as_a_leak(tmp_path):
    (leak,) = search(log_files(str(tmp_path / "nowhere")), NEEDLES)
    assert leak.secret == "not searched: there is nothing"
    assert [leak.place for leak in search([Unsearched(name="redis", why="ConnectionError")], NEEDLES)] == ["redis"]


def test_a_file_that_is_closed_to_us_counts_as_a_leak():
    def closed():
        raise PermissionError
        yield b""

    (leak,) = search([Place(name="base/1", pieces=closed())], NEEDLES)

    assert (leak.place, leak.secret) == ("base/1", "not searched: PermissionError")


def test_neither_a_leak_nor_a_needle_shows_its_value():
    text = repr(NEEDLES) + repr(list(search([Place(name="here", pieces=[USER["email"].encode()])], NEEDLES)))

    assert not [value for value in (*ACCOUNT.values(), *USER.values()) if value != "acme" and value in text]
    assert isinstance(NEEDLES[0], Needle)
    assert {needle.secret for needle in NEEDLES} == set(Secret)


def test_without_a_sandbox_there_is_nothing_to_look_for(capsys):
    assert main(["--sandbox", "http://127.0.0.1:9"]) == 2
    assert "is it running?" in capsys.readouterr().err
