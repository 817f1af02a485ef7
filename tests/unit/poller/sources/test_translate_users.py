"""VOMO's users to people: tolerant of spelling, strict about what a record cannot do without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.builders import NOW, a_person

from common.domain.errors import RecordInvalid
from poller.sources.volunteer.translate.times import read_time
from poller.sources.volunteer.translate.users import user

ITEM = {
    "id": 4101, "first_name": " Fenmar ", "last_name": "Quonox", "email": "F@Example.org", "phone": None,
    "address": "12 Main St", "birthday": "1980-02-03T00:00:00Z", "gender": "F", "membership_status": "active",
    "updated_at": "2026-01-01T12:00:00+00:00", "x_beta": 1,
}  # fmt: skip


def test_an_item_becomes_a_trimmed_record_with_its_raw_form():
    record = user(ITEM, "acme")

    assert (record.source_id, record.updated_at, record.resource) == ("4101", NOW, "users")
    assert (
        record.body
        == a_person(address="12 Main St", birthday="1980-02-03", gender="F", membership_status="active").to_body()
    )
    assert record.raw == ITEM


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T12:00:00+00:00", NOW),
        ("2026-01-01T14:00:00+02:00", NOW),
        ("2026-01-01T12:00:00.000000Z", NOW),
        ("2026-01-01 12:00:00", NOW),
        ("2026-01-01", NOW.replace(hour=0)),
    ],
)
def test_every_spelling_of_a_time_is_the_same_time(text, moment):
    assert read_time(text) == moment


@pytest.mark.parametrize(
    "text", ["soon", "0000-00-00 00:00:00", "2026-13-01", "12:00", "", "0001-01-01T00:00:00+05:00"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        read_time(text)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"), ({"id": " "}, "id"), ({"id": True}, "id"), ({"id": [1]}, "id"),
        ({"first_name": None}, "first_name"), ({"last_name": "  "}, "last_name"),
        ({"last_name": {"value": "Q"}}, "last_name"), ({"email": ["f@example.org"]}, "email"),
        ({"birthday": "31.12.1980"}, "birthday"), ({"updated_at": None}, "updated_at"),
        ({"updated_at": "soon"}, "updated_at"), ({"updated_at": True}, "updated_at"), ({"gender": {}}, "gender"),
        ({"address": True}, "address"), ({"address": [[]]}, "address"),
        ({"updated_at": "0001-01-01T00:00:00+05:00"}, "updated_at"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_read_names_customer_field_and_mend(changes, field):
    with pytest.raises(RecordInvalid) as raised:
        user({**ITEM, **changes}, "acme")

    assert raised.value.field == field
    assert str(raised.value).startswith(f"customer acme: users record: field '{field}': ")
    told = [value for value in ("Quonox", *changes.values()) if isinstance(value, str) and value.strip()]
    assert [value for value in told if value in str(raised.value)] == []


@pytest.mark.parametrize("item", [None, 7, "text", [], True])
def test_an_item_that_is_no_object_is_refused(item):
    with pytest.raises(RecordInvalid):
        user(item, "acme")


@pytest.mark.parametrize(
    ("spelled", "source_id"), [(7, "7"), ("7", "7"), (" 007 ", "7"), ("0", "0"), ("a7", "a7"), ("²", "²")]
)
def test_an_id_is_the_same_however_it_is_spelled(spelled, source_id):
    assert user({**ITEM, "id": spelled}, "acme").source_id == source_id


def test_an_unknown_code_is_kept_and_said_once_without_its_value():
    with capture_logs() as lines:
        records = [user({**ITEM, "gender": "X-secret"}, "kept-and-said") for _ in range(3)]

    assert [record.body["gender"] for record in records] == ["X-secret"] * 3
    assert [line["action"] for line in lines] == ["translate.unknown_value"]
    assert "X-secret" not in str(lines)


def test_the_fields_that_the_customer_asks_for_are_kept_as_they_are_and_no_others():
    item = {**ITEM, "shirt": {"size": "XL"}, "points": 0, "nickname": ""}

    assert user(item, "acme", ("shirt", "points", "nickname", "missing")).body["extra"] == {
        "shirt": {"size": "XL"},
        "points": 0,
    }
    assert "extra" not in user(item, "acme").body


def test_a_person_may_be_called_null():
    assert user({**ITEM, "last_name": "null"}, "acme").body["last_name"] == "null"


@pytest.mark.parametrize(
    "address",
    [
        "1 Main St, Plano", {"formatted_address": "1 Main St, Plano", "route": "Main St"},
        [{"formatted_address": "1 Main St, Plano"}], ["1 Main St", "Plano"],
        {"street_number": 1, "route": "Main St", "locality": "Plano", "lat": 33.0, "timezone": "America/Chicago"},
    ],
)  # fmt: skip
def test_an_address_is_one_line_however_it_comes(address):
    assert user({**ITEM, "address": address}, "acme").body["address"] == "1 Main St, Plano"


@pytest.mark.parametrize("address", [None, "", "null", [], {}, [None], {"formatted_address": None}, ["null", " "]])
def test_no_address_is_none_however_it_is_said(address):
    assert user({**ITEM, "address": address}, "acme").body["address"] == ""


NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: text.strip() == text and text != "null"
)
PEOPLE = st.builds(
    a_person,
    first_name=NAMES, last_name=NAMES, email=st.sampled_from(["", "f@example.org", "ü@example.org"]),
    phone=st.just("") | NAMES, address=st.just("") | NAMES, gender=st.sampled_from(["", "M", "F", "N"]),
    birthday=st.just("") | st.dates().map(lambda day: day.isoformat()), membership_role=st.just("") | NAMES,
)  # fmt: skip
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as it asks
BLANKS = st.sampled_from([None, "", "  ", "null"])
PADS = st.sampled_from(["{}", " {}", "{} ", "\t{}\n"])
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))])


@st.composite
def spelled(draw):
    """A person, an id and a time, and one raw form of them that the API might give."""
    person, number, moment = draw(PEOPLE), draw(st.integers(0, 10**12)), draw(MOMENTS).replace(microsecond=0)
    item = {name: draw(PADS).format(value) if value else draw(BLANKS) for name, value in person.to_body().items()}
    if person.email:
        item["email"] = draw(st.sampled_from([person.email, person.email.replace("example", "EXAMPLE")]))
    style = draw(st.sampled_from(["offset", "zulu", "bare"]))
    item["updated_at"] = {
        "offset": moment.astimezone(draw(ZONES)).isoformat(),
        "zulu": f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z",
        "bare": f"{moment:%Y-%m-%d %H:%M:%S}",
    }[style]
    line = item["address"]
    item["address"] = draw(st.sampled_from([line, [line], {"formatted_address": line}, [{"formatted_address": line}]]))
    item["id"] = draw(st.sampled_from([number, str(number), f"0{number}", float(number)]))
    extra = draw(st.dictionaries(st.sampled_from(["x", "avatar", "full_name"]), st.integers()))
    return person, str(number), moment, {**item, **extra}


@given(spelled())
def test_a_record_survives_every_spelling_of_its_raw_form(case):
    person, source_id, moment, item = case

    record = user(item, "acme")

    assert record.body == person.to_body()
    assert (record.source_id, record.updated_at) == (source_id, moment)
