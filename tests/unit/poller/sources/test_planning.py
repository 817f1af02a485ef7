"""How large an account is, and the plan and the reasons that come of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_customer

from common.domain.projects import Project, ProjectDate
from common.domain.sources import Page
from poller.sources.volunteer.counting import COUNTED, LISTS, ask, count
from poller.sources.volunteer.distance import Distance
from poller.sources.volunteer.planning import reckon, replan
from poller.sources.volunteer.settings import VolunteerSettings

SETTINGS = VolunteerSettings()


class Sizes:
    """A mirror that says what the test wants."""

    def __init__(self, *, listed=COUNTED, counts=None, bodies=None):
        self._listed, self._counts, self._bodies = frozenset(listed), counts or {}, bodies or {}

    def listed(self, _customer_id):
        return self._listed

    def counts(self, _customer_id):
        return self._counts

    def bodies(self, _customer_id, resource):
        yield from (record.to_body() for record in self._bodies.get(resource, ()))


class Lists:
    """A source whose lists say how many there are; None: they do not."""

    def __init__(self, **totals):
        self.totals, self.asked = totals, []

    def page(self, query):
        self.asked.append(query.resource)
        total = self.totals.get(query.resource, 0)
        return Page(records=[], broken=[], next_page=None, total=total, answered_at=NOW)


def date_in(days):
    return ProjectDate(project_id="1", project_name="P", starts_at=(NOW + timedelta(days=days)).isoformat())


def a_reckoning(sizes, *, kept=None, source=None, **settings):
    return reckon(
        replace(a_customer("acme"), source_settings=settings), sizes, poll_seconds=300.0, kept=kept or {}, now=NOW,
        open_source=lambda: source,
    )  # fmt: skip


def test_projects_are_counted_by_what_their_dates_cost():
    projects = [
        Project(name="a"), Project(name="b"), Project(name="c", draft=True), Project(name="d", active=False),
        Project(name="e", anytime=True), Project(name="f", anytime=True, draft=True),
    ]  # fmt: skip
    counts = count(Sizes(bodies={"projects": projects}, counts={"projects": 6}), "acme", SETTINGS, NOW).counts

    assert (counts.projects, counts.active_projects, counts.anytime_projects) == (6, 2, 1)


def test_dates_are_counted_by_how_far_they_are():
    dates = [date_in(days) for days in (0, 5, 6, 12, 60, 61, 62, -400)]
    counts = count(Sizes(bodies={"project_dates": dates}), "acme", SETTINGS, NOW).counts

    assert counts.dates == {
        Distance.NEAR: 1, Distance.WEEK: 2, Distance.WINDOW: 1, Distance.AHEAD: 3, Distance.PAST: 1,
    }  # fmt: skip


def test_only_lists_that_the_mirror_does_not_have_are_asked_and_all_projects_are_taken_for_active():
    sizes = Sizes(listed=["users", "groups"], counts={"users": 40, "groups": 3})
    source = Lists(projects=12, certificates=2)
    counted = ask(source, count(sizes, "acme", SETTINGS, NOW))

    assert sorted(source.asked) == sorted(set(LISTS) - {"users", "groups"})
    assert (counted.counts.users, counted.counts.projects, counted.counts.active_projects) == (40, 12, 12)
    assert set(counted.unknown) == {"project_dates", "group_members", "form_completions"}


def test_a_list_that_does_not_say_how_many_stays_unknown():
    source = Lists(users=None, projects=1)
    counted = ask(source, count(Sizes(listed=()), "acme", SETTINGS, NOW))

    assert "users" in counted.unknown
    assert "users" not in counted.asked


@pytest.mark.parametrize("missing", ["users", "projects", "certificates", "project_dates"])
def test_no_plan_is_made_of_a_part_of_what_it_depends_on(missing):
    sizes = Sizes(listed=set(COUNTED) - {missing})

    assert replan(a_customer("acme"), sizes, poll_seconds=300.0, kept={}, now=NOW) is None


def test_the_plan_takes_the_way_that_is_the_cheaper_one():
    """Many dates in the window and few people, and the other way round."""
    many = {"project_dates": [date_in(5) for _ in range(200)]}
    by_users = replan(a_customer("acme"), Sizes(bodies=many, counts={"users": 5}), poll_seconds=300.0, kept={}, now=NOW)
    by_dates = replan(a_customer("acme"), Sizes(counts={"users": 5000}), poll_seconds=300.0, kept={}, now=NOW)

    assert by_users == {"participations": "users", "needs_details": False}
    assert by_dates == {"participations": "dates", "needs_details": False}


def test_the_reason_says_whether_it_is_cheaper_kept_or_set():
    near_balance = Sizes(bodies={"project_dates": [date_in(5) for _ in range(30)]}, counts={"users": 100})
    kept = {"participations": "dates", "needs_details": False}

    assert a_reckoning(near_balance).why.startswith("the one to begin with, left only")
    assert a_reckoning(near_balance, kept=kept).why.startswith("the one it has, left only")
    assert a_reckoning(near_balance, kept={**kept, "participations": "users"}).why.startswith("the cheaper one: 1")
    assert a_reckoning(near_balance, participations="dates").why == "the customer's setting participations=dates"


def test_a_source_is_opened_only_if_the_mirror_does_not_have_its_lists():
    source = Lists(users=30)

    assert a_reckoning(Sizes(counts={"users": 7}), source=None).records["users"] == 7
    assert a_reckoning(Sizes(listed=()), source=source).records["users"] == 30
