"""How one organization behaves: validated settings, with defaults that differ between organizations."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any

from deploy.sandbox.names import likely

#: The settings that only take one of a few values.
CHOICES: Mapping[str, tuple[object, ...]] = {
    "import_mode": ("at_once", "delayed", "by_hand"),
    "error_shape": ("envelope", "flat"),
    "refusal_status": (400, 422),
    "id_style": ("int", "string"),
    "timestamp_style": ("offset", "zulu", "bare", "mixed"),
    "next_style": ("null", "text"),
    "meta_style": ("int", "string"),
}


class BadSettingError(ValueError):
    """Raised for a setting that does not exist or cannot take the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be turned on one organization."""

    users: int = 50  #: how many users are seeded; fixed afterwards
    volunteer_requests_per_minute: int = 100
    crm_requests_per_hour: int = 5000
    import_mode: str = "at_once"  #: when held contacts are imported
    import_delay_seconds: float = 2.0  #: used by `delayed`
    import_updates: bool = True  #: or what would change a contact waits for the import by hand
    index_lag_seconds: float = 0.0  #: how long lookups miss a new contact
    bulk_endpoints: bool = False
    volunteer_module: bool = True
    error_shape: str = "envelope"
    refusal_status: int = 400  #: how an invalid submission is refused
    unique_emails: bool = False  #: a method write with another contact's e-mail is a 409
    merge_moves_references: bool = False  #: a merge gives the loser's references to the winner
    tags: list[str] = field(default_factory=list)  #: names of tags besides the usual ones; fixed afterwards
    vendor_integration: bool = False  #: one user in three is a contact already, under VOMO; fixed afterwards
    id_style: str = "int"
    timestamp_style: str = "offset"
    next_style: str = "null"  #: the end of the pages: JSON null, or the text "null"
    meta_style: str = "int"
    volunteer_token_valid: bool = True
    crm_token_valid: bool = True
    volunteer_forbidden: bool = False
    earned_certificates: bool = True  #: a user's detail shows who earned what
    form_fields: bool = True  #: a form in the list embeds its fields
    dates_touch_project: bool = False  #: a date added, moved or removed moves its project's updated_at


def default_settings(random: Random) -> Settings:
    """The habits of an organization nobody configured; timing and validity do not vary."""
    drawn = [name for name in CHOICES if name != "import_mode"]
    varied: dict[str, Any] = {name: random.choice(CHOICES[name]) for name in drawn}
    return replace(
        Settings(),
        **varied,
        crm_requests_per_hour=random.choice((1500, 5000)),
        bulk_endpoints=likely(random, 0.5),
        volunteer_module=likely(random, 0.7),
        form_fields=likely(random, 0.5),  # drawn last, so that the settings before it are what they were
    )


def revise(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with changes applied; raises BadSettingError for anything unknown."""
    known = {each.name for each in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise BadSettingError(f"unknown setting {name!r}")
        _check(name, value, type(getattr(settings, name)))
    return replace(settings, **changes)


def _check(name: str, value: object, expected: type) -> None:
    if name in CHOICES and value not in CHOICES[name]:
        raise BadSettingError(f"{name} must be one of {CHOICES[name]}")
    accepted = (int, float) if expected is float else (expected,)
    if not isinstance(value, accepted) or (expected is not bool and isinstance(value, bool)):
        raise BadSettingError(f"{name} must be a {expected.__name__}")
    if isinstance(value, list) and not all(isinstance(each, str) and each.strip() for each in value):
        raise BadSettingError(f"{name} must be a list of names")
    if isinstance(value, int | float) and value < 0:
        raise BadSettingError(f"{name} must not be negative")
