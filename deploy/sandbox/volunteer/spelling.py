"""How one organization's answers are spelled: ids, numbers, timestamps and the end of the pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.sandbox.settings import Settings

#: The three spellings of a UTC second that the live service has been seen to use.
STAMPS = {"offset": "%Y-%m-%dT%H:%M:%S+00:00", "zulu": "%Y-%m-%dT%H:%M:%S.000000Z", "bare": "%Y-%m-%d %H:%M:%S"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """Renders values as the organization's settings say."""

    settings: Settings

    def id(self, value: Any) -> Any:
        """A number as the organization spells it; anything else, which a test put there, as it is."""
        return str(value) if self.settings.id_style == "string" and isinstance(value, int) else value

    def number(self, value: int) -> int | str:
        return str(value) if self.settings.meta_style == "string" else value

    def end(self) -> str | None:
        return "null" if self.settings.next_style == "text" else None

    def stamp(self, seconds: Any, record_id: int) -> Any:
        """Unix seconds in the organization's spelling, or in the record's where the organization mixes them.

        Anything else stays: null, and what a test put there.
        """
        if not isinstance(seconds, int | float):
            return seconds
        style = self.settings.timestamp_style
        if style == "mixed":
            style = list(STAMPS)[record_id % len(STAMPS)]
        return datetime.fromtimestamp(seconds, UTC).strftime(STAMPS[style])


def visible(stored: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """An answer without the fields that a test took out of the stored row by `omit`."""
    hidden = {"omit", *stored.get("omit", ())}
    return {name: value for name, value in shown.items() if name not in hidden}
