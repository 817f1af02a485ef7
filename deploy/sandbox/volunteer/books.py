"""Every resource that a test can edit, by its name, and what goes with what."""

from collections.abc import Callable, Mapping
from functools import partial

from deploy.sandbox.volunteer.changes import Moment
from deploy.sandbox.volunteer.records import Book, Dates, Numbered
from deploy.sandbox.volunteer.source import Source

Books = Mapping[str, Book]


def open_books(source: Source, *, dates_touch_project: Callable[[], bool]) -> Books:
    """The books of a source; opened once, for they know which numbers were given."""
    log = source.changes
    projects = Numbered(
        "projects", source.projects, log, first=701, clear=partial(_clear_project, source, lambda: dates)
    )
    dates: Dates = Dates(
        source.dates, log, clear=partial(_clear_date, source), projects=projects, touching=dates_touch_project
    )
    completions = Numbered("form_completions", source.completions, log, first=90_001, clear=_clear_nothing)
    clear_form = partial(_clear_form, source, completions)
    return {
        "projects": projects,
        "project_dates": dates,
        "participations": source.attendance,
        "groups": Numbered("groups", source.groups, log, first=61, clear=source.memberships.empty),
        "group_members": source.memberships,
        "campaigns": Numbered("campaigns", source.campaigns, log, first=51, clear=_clear_nothing),
        "forms": Numbered("forms", source.forms, log, first=310, clear=clear_form),
        "form_completions": completions,
        "certificates": Numbered("certificates", source.certificates, log, first=81, clear=source.earned.empty),
        "earned_certificates": source.earned,
    }


def _clear_nothing(number: int, moment: Moment) -> None:
    """Nothing hangs on the record."""


def _clear_date(source: Source, date_id: int, moment: Moment) -> None:
    source.attendance.empty({"project_date_id": date_id}, moment)


def _clear_project(source: Source, dates: Callable[[], Book], project_id: int, moment: Moment) -> None:
    for date_id in [row["id"] for row in source.dates.values() if row["project_id"] == project_id]:
        dates().delete(str(date_id), moment)
    source.attendance.empty({"project_id": project_id, "project_date_id": None}, moment)


def _clear_form(source: Source, completions: Book, form_id: int, moment: Moment) -> None:
    for completion_id in [row["id"] for row in source.completions.values() if row["form_id"] == form_id]:
        completions.delete(str(completion_id), moment)
