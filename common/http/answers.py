"""An HTTP answer, read without trusting it: bodies may be empty, HTML, or JSON of several error shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from common.domain.limits import RateHints

#: Enough of an error's text for a person to act on, in characters; the rest is repetition.
DETAIL_CHARACTERS = 2000
#: Longer than any field's name, in characters.
FIELD_CHARACTERS = 200
#: What a field's path is made of. Whatever else stands in its place, an e-mail address or a telephone number as may be,
#: names no field: it is shown unmasked, and so it must not be kept.
FIELD = re.compile(r"[A-Za-z_$][\w$]*(?:[.:/\[\]-]{1,3}[A-Za-z_$][\w$]*|\[\d{1,6}\]|\.\d{1,6}(?=\.|$))*", re.ASCII)
#: A header is not trusted to stop a customer for longer than this: asking once a day harms nobody.
LONGEST_RETRY_AFTER_SECONDS = 86_400
SHORTEST_RETRY_AFTER_SECONDS = 1.0
#: The end of the year 9999: what is later was given in another unit.
LATEST_UNIX_SECONDS = 253_402_300_800
#: Digits as a header may hold them; `str.isdigit` takes superscripts too, which `int` does not.
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status, lower-case headers, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, or None if it is not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            return None

    @property
    def date(self) -> datetime | None:
        """The other machine's clock."""
        return _http_date(self.headers.get("date", ""))

    def retry_at(self, now: datetime) -> datetime | None:
        """`Retry-After`, which may be seconds or a date; None if it is absent or unreadable."""
        seconds = self._told_seconds(now)
        if seconds is None:
            return None
        # Never at once, whatever is said: that would be asking again in a loop.
        return now + timedelta(seconds=min(max(seconds, SHORTEST_RETRY_AFTER_SECONDS), LONGEST_RETRY_AFTER_SECONDS))

    def mistrust(self, now: datetime) -> str:
        """Why `retry_at` is sooner than was said, to be put behind a message; empty where it is not."""
        seconds = self._told_seconds(now)
        if seconds is None or seconds <= LONGEST_RETRY_AFTER_SECONDS:
            return ""
        return "; Retry-After says more than a day, so it is asked again after one"

    def _told_seconds(self, now: datetime) -> float | None:
        value = self.headers.get("retry-after", "").strip()
        number = _number(value)
        if number is not None:
            return float(number)
        moment = _http_date(value)
        return None if moment is None else (moment - now).total_seconds()

    def rate_hints(self) -> RateHints:
        """`X-RateLimit-*`, as CRM+ sends them (facts: crm-api 2.1)."""
        reset = _number(self.headers.get("x-ratelimit-reset"))
        return RateHints(
            limit=_number(self.headers.get("x-ratelimit-limit")),
            remaining=_number(self.headers.get("x-ratelimit-remaining")),
            resets_at=datetime.fromtimestamp(reset, tz=UTC) if reset and reset < LATEST_UNIX_SECONDS else None,
        )

    def error_field(self) -> str:
        """The first field an error names, or an empty string. Knows the three shapes of facts: crm-api 2.2 and
        volunteer-api 3: `error.details[].field`, `errors.{field}`, `modelState.{field}`.
        """
        body = self.json()
        if not isinstance(body, dict):
            return ""
        error = body.get("error")
        details = error.get("details") if isinstance(error, dict) else None
        if isinstance(details, list) and details and isinstance(details[0], dict):
            return _name(details[0].get("field", ""))
        fields = body.get("errors") or body.get("modelState")
        return _name(next(iter(fields), "")) if isinstance(fields, dict) else ""

    def detail(self) -> str:
        """What was said, for the database; it may hold personal data."""
        return self.body[:DETAIL_CHARACTERS].decode("utf-8", errors="replace").replace("\x00", "\ufffd")


def _name(value: Any) -> str:
    """A field's name as it may be stored; empty if it is none."""
    return value[:FIELD_CHARACTERS] if isinstance(value, str) and FIELD.fullmatch(value) else ""


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if WHOLE_NUMBER.fullmatch(text) else None
