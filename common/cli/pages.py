"""What is known of the pages that a record was on, or was not: `fleet explain` tells the two from not knowing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.cli.story import moment
from common.domain.pages import SeenPages


@dataclass(frozen=True, kw_only=True)
class Sightings:
    """For one record; counts of pages, each counted once however often it was read again without a change."""

    #: On which it was seen.
    seen_on: int
    #: Of these, older ones that are not among the steps.
    left_out: int
    #: Of its resource, that are kept.
    kept: int
    #: From when on all are; None: none has been yet.
    kept_since: datetime | None


def sightings_of(pages: SeenPages, *, now: datetime, kept_for: timedelta) -> Sightings:
    return Sightings(
        seen_on=len(pages.newest) + pages.left_out,
        left_out=pages.left_out,
        kept=pages.kept,
        kept_since=pages.known_since(now, kept_for),
    )


def told_of(sightings: Sightings, resource: str) -> str:
    """One line."""
    if sightings.kept_since is None:
        return f"pages: none of this customer is kept yet: whether {resource} were read, and showed it, is not known"
    since = f"kept since {moment(sightings.kept_since)}"
    if not sightings.kept:
        return f"pages: none of {resource} is {since}: they were not read, or showed nothing at all"
    if not sightings.seen_on:
        return f"pages: it was on none of the {sightings.kept} of {resource} that are {since}: they did not show it"
    older = f"; {sightings.left_out} older ones are left out" if sightings.left_out else ""
    return f"pages: it was on {sightings.seen_on} of the {sightings.kept} of {resource} that are {since}{older}"
