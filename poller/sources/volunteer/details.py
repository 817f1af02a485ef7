"""Details: one object, whose embedded lists are the records. They are whole in one answer, and have no `meta.total`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from common.domain.resources import EARNED_CERTIFICATES, PARTICIPATIONS, PROJECT_DATES
from common.domain.sources import Page
from poller.sources.volunteer.answers import Asked
from poller.sources.volunteer.translate import certificates, participations, projects
from poller.sources.volunteer.translate.items import Items, read_identified, read_items
from poller.sources.volunteer.translate.numbers import spelled_id
from poller.sources.volunteer.translate.participations import Place

log = structlog.get_logger(__name__)

PARTICIPANTS, PARTICIPATIONS_OF_USER, CERTIFICATES_OF_USER, ALL_DATES = (
    "participants", "participations", "certificates", "all_dates",
)  # fmt: skip


def read_one(asked: Asked) -> Page:
    """That it is there, and no more: what its list has of it is the record. Raises PageUnreadable for any other."""
    asked.detail()
    return Page(records=(), broken=(), next_page=None, total=1, answered_at=asked.date, shows_all=False)


def read_project(asked: Asked) -> Page:
    """All dates of a project, each with what it needs of the project."""
    detail, answered_at = asked.detail(), asked.answered_at

    def read(item: Any) -> Any:
        template = projects.dates_template(detail, asked.customer_id)
        return projects.project_date(item, asked.customer_id, template=template, answered_at=answered_at)

    return _page(asked, detail, read_items(_rows(detail, ALL_DATES), PROJECT_DATES, read), (ALL_DATES,))


def read_date(asked: Asked) -> Page:
    """Everybody on a date."""
    detail = asked.detail()
    place = Place(project_date_id=asked.scope.source_id, project_id=_project_id(asked, detail))
    return _page(asked, detail, _participations(asked, _rows(detail, PARTICIPANTS), place), (PARTICIPANTS,))


def read_user(asked: Asked) -> Page:
    """Everything one person takes part in, and the certificates earned; not known to be complete (facts: 1.4, 5.14)."""
    detail, user_id = asked.detail(), asked.scope.source_id
    rows, lists = _rows(detail, PARTICIPATIONS_OF_USER), (PARTICIPATIONS_OF_USER, CERTIFICATES_OF_USER)
    found = _participations(asked, rows, Place(user_id=user_id)) + _earned(asked, detail, user_id)
    return _page(asked, detail, found, lists, may_show_all=asked.settings.user_details_complete)


def _participations(asked: Asked, rows: list[Any], place: Place) -> Items:
    """Rows of one person at one place belong together: they get their ids from each other."""
    read = partial(participations.participation, place=place, answered_at=asked.answered_at)
    identified = participations.identified(rows, place)
    return read_identified(
        identified, PARTICIPATIONS, lambda source_id, row: read(row, asked.customer_id, source_id=source_id)
    )


def _earned(asked: Asked, detail: Mapping[str, Any], user_id: str) -> Items:
    read = partial(certificates.earned_certificate, user_id=user_id, answered_at=asked.answered_at)
    items = ((_earned_id(row, user_id), row) for row in _rows(detail, CERTIFICATES_OF_USER))
    found = read_identified(items, EARNED_CERTIFICATES, lambda _, row: read(row, asked.customer_id))
    return Items(records=certificates.newest(found.records), broken=found.broken)


def _earned_id(row: Any, user_id: str) -> str:
    certificate_id = row.get("certificate_id") if isinstance(row, Mapping) else None
    return f"{spelled_id(str(certificate_id).strip())}:{user_id}" if isinstance(certificate_id, str | int) else ""


def _page(
    asked: Asked, detail: Mapping[str, Any], found: Items, lists: tuple[str, ...], *, may_show_all: bool = True
) -> Page:
    """A list that is not there proves nothing about what it would have shown."""
    missing = [name for name in lists if not isinstance(detail.get(name), list)]
    if missing:
        log.info(
            "a detail lacks a list",
            action="volunteer.list_missing",
            customer_id=asked.customer_id,
            route=asked.route,
            lists=missing,
        )
    return Page(
        records=found.records,
        broken=found.broken,
        next_page=None,
        total=found.distinct,
        answered_at=asked.date,
        shows_all=may_show_all and not missing,
    )


def _rows(detail: Mapping[str, Any], name: str) -> list[Any]:
    """Without what nobody may keep."""
    value = detail.get(name)
    return [participations.without_secrets(row) for row in value] if isinstance(value, list) else []


def _project_id(asked: Asked, detail: Mapping[str, Any]) -> str:
    """Beside the participants, inside an embedded project, or as the date's own record has it."""
    embedded = detail.get("project")
    nested = embedded.get("id") if isinstance(embedded, Mapping) else None
    told = detail.get("project_id") or nested or asked.query.parent.get("project_id") or ""
    return spelled_id(str(told).strip())
