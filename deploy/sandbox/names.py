"""Invented values: names of nobody, unreachable phones, streets that do not exist."""

from collections.abc import Mapping
from random import Random

ONSETS = ("Bra", "Cel", "Dro", "Fen", "Gal", "Hul", "Jor", "Kes", "Lum", "Mab", "Nor", "Oth", "Pel", "Quo", "Sév")
MIDDLES = ("", "", "ba", "de", "lo", "mi", "ro", "va")
CODAS = ("bor", "dane", "fik", "gund", "lith", "mar", "nox", "pell", "rick", "sund", "tove", "wyn", "ñol")
STREETS = ("Alder Row", "Birch Loop", "Cinder Way", "Dover Bend", "Elm Rise", "Flint Walk", "Grove Pass")
PLACES = (("Plano", "TX", "75074"), ("Mesa", "AZ", "85201"), ("Salem", "OR", "97301"), ("Dover", "DE", "19901"))
#: Street, city, state with postal code, country.
LINE_PIECES = 4
PHONE_FORMS = ("(555) {:03d}-{:04d}", "555-{:03d}-{:04d}", "+1 555 {:03d} {:04d}")


def likely(random: Random, share: float) -> bool:
    """True for that share of the draws."""
    return random.random() < share


def coin(random: Random) -> str:
    """A pronounceable word that is nobody's name."""
    return random.choice(ONSETS) + random.choice(MIDDLES) + random.choice(CODAS)


def letters(number: int) -> str:
    """A number as letters, so that a name can carry a serial."""
    text = ""
    while True:
        number, digit = divmod(number, 26)
        text = chr(ord("a") + digit) + text
        if number == 0:
            return text.capitalize()


def phone(random: Random, serial: int) -> str:
    """A phone number that is unique for the serial, in one of several spellings."""
    return random.choice(PHONE_FORMS).format(*divmod(serial % 10_000_000, 10_000))


def address_parts(random: Random, serial: int) -> dict[str, str]:
    """An address whose house number is the serial."""
    city, state, postal = random.choice(PLACES)
    street = f"{serial} {random.choice(STREETS)}"
    return {"address1": street, "city": city, "state": state, "postal": postal, "country": "USA"}


def address_line(parts: Mapping[str, str] | None) -> str | None:
    """The single string in which the Volunteer API shows an address."""
    if parts is None:
        return None
    return f"{parts['address1']}, {parts['city']}, {parts['state']} {parts['postal']}, {parts['country']}"


def split_address(line: object) -> dict[str, str] | None:
    """The parts of an address line, or None where it has another shape."""
    pieces = line.split(", ") if isinstance(line, str) else []
    if len(pieces) != LINE_PIECES or " " not in pieces[2]:
        return None
    state, postal = pieces[2].split(" ", 1)
    return {"address1": pieces[0], "city": pieces[1], "state": state, "postal": postal, "country": pieces[3]}
