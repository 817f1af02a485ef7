"""What a customer costs in requests, and which way of reading participations is the cheaper one. Pure.

Not counted, for nobody can know it before: the extra pages of a poll after many edits, a user's detail and a project's
detail that are read because they changed, retries, and the nightly and reconciling layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.domain import resources
from poller.sources.volunteer.cadence import date_seconds, user_seconds
from poller.sources.volunteer.distance import Distance
from poller.sources.volunteer.plan import ScanPlan, Strategy
from poller.sources.volunteer.settings import DAY, VolunteerSettings

#: Fixed by the API (facts: volunteer-api 1.3).
PAGE_SIZE = 15
#: A list that a backfill reads without windows, and what one of these holds on average.
SHORT, RECORDS_A_WINDOW = 300, 200
#: Once a form is known, a poll asks for what changed; once a day it is read whole, for only that proves absence.
WHOLE_READINGS_PER_DAY = 1
#: `auto` leaves the strategy it has only for one that costs half of it: near the point of balance it would come and go.
WORTH_A_CHANGE = 2
#: A date is near for about as long as this, and today for one day of them.
NEAR_DAYS = 3
WINDOW = (Distance.NEAR, Distance.WEEK, Distance.WINDOW)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the mirror, or before the first poll `meta.total` of each list, says of an account's size."""

    users: int = 0
    #: All of them; the next two are among these, and not among each other.
    projects: int = 0
    #: With dates, active, no draft.
    active_projects: int = 0
    #: Anytime, active, no draft.
    anytime_projects: int = 0
    #: Project dates by `distance.distance`.
    dates: Mapping[Distance, int] = field(default_factory=dict)
    organizations: int = 0
    campaigns: int = 0
    certificates: int = 0
    groups: int = 0
    #: Over all groups.
    members: int = 0
    forms: int = 0
    #: Over all forms.
    completions: int = 0

    @property
    def needs_details(self) -> bool:
        """Hours on Anytime projects and certificates are shown by users' details alone, and move no timestamp."""
        return self.anytime_projects > 0 or self.certificates > 0

    def dates_at(self, *distances: Distance) -> int:
        return sum(self.dates.get(distance, 0) for distance in distances)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """In requests."""

    per_day: float = 0.0
    #: Until everything has been read once.
    backfill: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(per_day=self.per_day + other.per_day, backfill=self.backfill + other.backfill)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Of one customer."""

    #: Of every resource but participations.
    by_resource: Mapping[str, Cost]
    #: Of participations, with what comes in the same answers, in either way.
    by_strategy: Mapping[Strategy, Cost]
    plan: ScanPlan
    poll_seconds: int

    @property
    def chosen(self) -> Strategy:
        return self.plan.participations

    @property
    def total(self) -> Cost:
        return sum(self.by_resource.values(), self.by_strategy[self.chosen])

    @property
    def per_poll(self) -> float:
        """On average."""
        return self.total.per_day * self.poll_seconds / DAY

    def backfill_hours(self, requests_per_minute: float) -> float:
        """`requests_per_minute`: of the budget, the part that a backfill may use."""
        return self.total.backfill / requests_per_minute / 60


def estimate(
    counts: Counts, settings: VolunteerSettings, *, poll_seconds: int, present: Strategy | None = None
) -> Estimate:
    """`poll_seconds`: nothing is read more often than the customer is polled. `present`: the strategy it has."""
    pace = _Pace(settings=settings, poll_seconds=poll_seconds)
    costs = {strategy: _participations(strategy, counts, pace) for strategy in Strategy}
    return Estimate(
        by_resource=_by_resource(counts, pace),
        by_strategy=costs,
        plan=ScanPlan(
            participations=_chosen(costs, settings, present or Strategy.DATES),
            needs_details=counts.needs_details,
        ),
        poll_seconds=poll_seconds,
    )


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """How many times a day something is read."""

    settings: VolunteerSettings
    poll_seconds: int

    def times(self, seconds: int) -> float:
        return DAY / max(seconds, self.poll_seconds, 1)


def _chosen(costs: Mapping[Strategy, Cost], settings: VolunteerSettings, present: Strategy) -> Strategy:
    if settings.participations != "auto":
        return Strategy(settings.participations)
    other = Strategy.USERS if present is Strategy.DATES else Strategy.DATES
    would, does = costs[other].per_day, costs[present].per_day
    return other if would < does and would * WORTH_A_CHANGE <= does else present


def _participations(strategy: Strategy, counts: Counts, pace: _Pace) -> Cost:
    """Both read every user's detail once; how often again, and how often which dates, differs."""
    settings = pace.settings
    of_dates = sum(counts.dates_at(where) * pace.times(date_seconds(where, settings, strategy)) for where in WINDOW)
    plan = ScanPlan(participations=strategy, needs_details=counts.needs_details)
    seconds = user_seconds(settings, plan)
    of_users = 0.0 if seconds is None else counts.users * pace.times(seconds)
    history = counts.dates_at(Distance.PAST) if strategy is Strategy.DATES else 0
    return Cost(per_day=of_dates + of_users, backfill=counts.users + counts.dates_at(*WINDOW) + history)


def _by_resource(counts: Counts, pace: _Pace) -> Mapping[str, Cost]:
    settings = pace.settings
    return {
        resources.USERS: Cost(per_day=pace.times(0), backfill=_windowed_pages(counts.users)),
        resources.PROJECTS: Cost(per_day=pace.times(0), backfill=_pages(counts.projects)),
        resources.ORGANIZATIONS: _list(counts.organizations, pace.times(settings.lists_seconds)),
        resources.CAMPAIGNS: _list(counts.campaigns, pace.times(settings.lists_seconds)),
        resources.CERTIFICATES: _list(counts.certificates, pace.times(settings.lists_seconds)),
        resources.GROUPS: _list(counts.groups, pace.times(settings.groups_seconds)),
        resources.FORMS: _list(counts.forms, pace.times(settings.forms_seconds)),
        resources.PROJECT_DATES: _project_dates(counts, pace),
        resources.GROUP_MEMBERS: _lists(counts.groups, counts.members, pace.times(settings.members_seconds)),
        resources.FORM_COMPLETIONS: _completions(counts, pace),
    }


def _project_dates(counts: Counts, pace: _Pace) -> Cost:
    """Whenever today's dates are read, so are the projects of them: only these can show a date that is new."""
    idle = max(counts.projects - counts.active_projects, 0)
    today = counts.dates_at(Distance.NEAR) / NEAR_DAYS
    per_day = (
        (1 + today) * pace.times(pace.settings.today_seconds)
        + counts.active_projects * pace.times(pace.settings.project_seconds)
        + idle * pace.times(pace.settings.idle_project_seconds)
    )
    return Cost(per_day=per_day, backfill=1 + counts.projects)


def _completions(counts: Counts, pace: _Pace) -> Cost:
    """Mostly one page of what changed; once a day all of them."""
    whole = _lists(counts.forms, counts.completions, WHOLE_READINGS_PER_DAY)
    changed = counts.forms * max(pace.times(pace.settings.completions_seconds) - WHOLE_READINGS_PER_DAY, 0)
    return Cost(per_day=whole.per_day + changed, backfill=whole.backfill)


def _list(records: int, times: float) -> Cost:
    return Cost(per_day=_pages(records) * times, backfill=_pages(records))


def _lists(lists: int, records: int, times: float) -> Cost:
    """Several lists of unknown lengths: each has a first page, and together they have no more full ones than this."""
    pages = lists + records // PAGE_SIZE
    return Cost(per_day=pages * times, backfill=pages)


def _pages(records: int) -> int:
    """An empty list is a page too."""
    return max(1, -(-records // PAGE_SIZE))


def _windowed_pages(records: int) -> int:
    """A short list is read as it is. A long one is read in windows: some have a page that is not full, and some are
    too large at first; and the first page, the probe, what is new and the check come to 8.
    """
    if records <= SHORT:
        return _pages(records)
    return _pages(records) + -(-records // RECORDS_A_WINDOW) + 8
