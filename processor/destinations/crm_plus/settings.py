"""A customer's `destination_settings` for CRM+, checked when they are first used and by `fleet customers add`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid


class CrmPlusSettings(BaseModel):
    """Unknown keys are refused, with the customer and the key in the error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(default="https://api.virtuoussoftware.com", pattern=r"^https?://\S+$")
    #: `batch` goes by the import pipeline, which matches and dedupes; `direct` creates at once and dedupes nothing.
    create: Literal["batch", "direct"] = "batch"
    #: How a linked contact is brought up to date: `single` reads it and sends what differs; `batch` sends it through
    #: the import; `auto` does that for many at a time, where imports run at once and can do no harm.
    update: Literal["auto", "single", "batch"] = "auto"
    #: `auto`: so many differing contacts of one slice are worth a batch.
    batch_updates_from: int = Field(default=5, ge=1)
    #: At first sight: look for the person there (`ladder`), or leave it all to the import.
    match: Literal["ladder", "off"] = "ladder"
    #: Sources of references that another integration of VOMO would leave.
    other_sources: tuple[str, ...] = ("VOMO", "Volunteer", "Virtuous Volunteer")
    #: Contacts in one batch: a partner in production uses 100 (facts: crm-api 1.5).
    batch_size: int = Field(default=100, ge=1, le=100)
    #: When the organization's imports run: as soon as they come, over night, or when staff release them.
    imports: Literal["at_once", "nightly", "by_staff"] = "at_once"
    #: Constant for one integration: the pair (source, id) is how a contact is recognised for ever.
    reference_source: str = Field(default="Syncfleet", min_length=1)
    contact_type: str = Field(default="Household", min_length=1)
    #: A created record may stay invisible to look-ups this long (facts: crm-api 2.3, indexing lag).
    visibility_seconds: float = Field(default=30.0, ge=0)
    #: Without the volunteer module hours are sent once, and cannot be changed: this long after the date they are final.
    hours_settle_days: int = Field(default=7, ge=0)
    #: Name of the tag of a group, and of a certificate; `{name}` stands for the name at the source.
    group_tag: str = Field(default="{name}", min_length=1)
    certificate_tag: str = Field(default="{name}", min_length=1)
    #: Where it is asked whether it is there. The default also proves the token; `/api/Health` may not exist, and a 404
    #: from any other path than the default says so, and not that the API is down.
    probe_path: str = Field(default="/api/Organization/Current", pattern=r"^/\S+$")
    #: One of the organization's note types, as it spells it.
    note_type: str = Field(default="General", min_length=1)
    #: Gifts in one request: a partner in production uses 100 (facts: crm-api 1.5).
    gift_batch_size: int = Field(default=100, ge=1, le=100)


def read_settings(customer: Customer) -> CrmPlusSettings:
    """Raises CustomerInvalid, naming the key."""
    try:
        return CrmPlusSettings.model_validate(dict(customer.destination_settings))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, problem["loc"]))
        known = ", ".join(CrmPlusSettings.model_fields)
        unknown = problem["type"] == "extra_forbidden"
        mend = f"is no setting of crm_plus; there is: {known}" if unknown else problem["msg"].lower()
        raise CustomerInvalid(customer.customer_id, f"destination_settings.{key}", mend) from None
