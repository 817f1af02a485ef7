"""A customer's `source_settings` for VOMO, checked by `fleet customers add` and `set`, and when they are used."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid

MINUTE, HOUR, DAY = 60, 3_600, 86_400
#: No list is worth less than one look in a month.
LONGEST_SECONDS = 31 * DAY


def _names(value: Any) -> Any:
    """The command line gives text: names with commas between them."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_names)]
Seconds = Annotated[int, Field(ge=0, le=LONGEST_SECONDS)]
Days = Annotated[int, Field(ge=1, le=366)]


class VolunteerSettings(BaseModel):
    """Unknown keys are refused. Periods are the least between two readings, in seconds; no poll, no reading.

    The defaults are the life times of facts: volunteer-api 5.6, and the tiers' cadence for what changes by the day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    #: Fields of the API's user that go into `Person.extra`, by the API's names.
    extra_fields: Names = ()
    #: Where sign-ups and hours are read; `auto` takes what costs fewer requests (see `estimate`).
    participations: Literal["auto", "dates", "users"] = "auto"
    #: True only where it was seen that a user's detail shows every participation: then a missing one is gone.
    user_details_complete: bool = False

    #: A date is in the window from so many days after its end back ...
    window_days_back: Days = 30
    #: ... to so many days before its start.
    window_days_ahead: Days = 14
    #: From a day before its start to two days after its end, when people check in and hours are entered.
    near_seconds: Seconds = 15 * MINUTE
    #: Within seven days of it.
    week_seconds: Seconds = 6 * HOUR
    #: In the rest of the window.
    window_seconds: Seconds = DAY
    #: User details, for certificates and the hours on Anytime projects, where dates are the strategy.
    details_seconds: Seconds = 7 * DAY
    #: User details where users are the strategy.
    user_seconds: Seconds = DAY
    #: Dates that are not near, where users are the strategy: only a date can prove that somebody left it.
    evidence_seconds: Seconds = 7 * DAY

    #: See `common.domain.fuse`; None: the fleet's.
    deletion_fuse_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    deletion_fuse_records: Annotated[int, Field(ge=0)] | None = None

    today_seconds: Seconds = 15 * MINUTE
    project_seconds: Seconds = DAY
    #: Drafts, inactive and Anytime projects.
    idle_project_seconds: Seconds = 7 * DAY
    forms_seconds: Seconds = HOUR
    completions_seconds: Seconds = 15 * MINUTE
    groups_seconds: Seconds = HOUR
    members_seconds: Seconds = HOUR
    #: Organizations, campaigns, certificates.
    lists_seconds: Seconds = DAY


def read_settings(customer: Customer) -> VolunteerSettings:
    """Raises CustomerInvalid, naming the key."""
    try:
        return VolunteerSettings.model_validate(dict(customer.source_settings))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, problem["loc"]))
        unknown = problem["type"] == "extra_forbidden"
        known = ", ".join(VolunteerSettings.model_fields)
        mend = f"is no setting of volunteer; there is: {known}" if unknown else problem["msg"].lower()
        raise CustomerInvalid(customer.customer_id, f"source_settings.{key}", mend) from None
