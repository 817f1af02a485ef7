"""Strategies: a value, and the forms in which the API may give it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

PRESENT = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text and text != "null"
)
TEXT = st.just("") | PRESENT
NUMBERS = st.integers(1, 10**12)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - as it asks
    lambda moment: moment.replace(microsecond=0)
)
ZONES = (UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45)))
BLANKS = (None, "", " ", "null")


def ids(number):
    return st.sampled_from([number, str(number), f" 0{number} ", float(number)])


def optional_ids(source_id):
    return ids(int(source_id)) if source_id else st.sampled_from(BLANKS)


def texts(text):
    return st.sampled_from([text, f" {text}\n"]) if text else st.sampled_from(BLANKS)


def times(text):
    """Of a canonical time."""
    if not text:
        return st.sampled_from(BLANKS)
    moment = datetime.fromisoformat(text)
    offsets = [moment.astimezone(zone).isoformat() for zone in ZONES]
    return st.sampled_from([*offsets, f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z", f"{moment:%Y-%m-%d %H:%M:%S}"])


def truths(value, *, missing):
    forms = [1, "1", True, "true", "yes"] if value else [0, "0", False, "false", "no"]
    return st.sampled_from([*forms, *BLANKS] if value is missing else forms)


def hours(text):
    """Of two decimals."""
    number = float(text)
    short = text.rstrip("0").rstrip(".")
    forms = [text, short, number, f"{text}00", *([int(number)] if number.is_integer() else [])]
    return st.sampled_from([*forms, *BLANKS] if number == 0 else forms)


def lines(text):
    """An address."""
    return st.sampled_from([text, [text], {"formatted_address": text}, [{"formatted_address": text}]])


def extended(draw, item):
    """With a field that nobody knows."""
    return {**item, **draw(st.dictionaries(st.sampled_from(["x_beta", "avatar"]), st.integers()))}
