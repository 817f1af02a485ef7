"""Projects and their dates: what people can sign up for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Project(Canonical):
    """A long-lived template. One with dates is shown by these; an Anytime one has none and stands for itself."""

    name: str
    description: str = ""
    anytime: bool = False
    active: bool = True
    draft: bool = False
    privacy: str = ""
    #: IANA name.
    time_zone: str = ""
    #: One line.
    address: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    custom_fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProjectDate(Canonical):
    """One date of a project, with what it needs of the project beside it."""

    project_id: str
    project_name: str
    starts_at: str
    ends_at: str = ""
    description: str = ""
    #: False: its project is inactive or a draft.
    active: bool = True
    time_zone: str = ""
    address: str = ""
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
