"""Forms, and what people answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.domain.canonical import Canonical


@dataclass(frozen=True, kw_only=True)
class Form(Canonical):
    """A template."""

    name: str
    description: str = ""
    #: Field id to label, as far as the source tells.
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FormCompletion(Canonical):
    """One person's answers to one form."""

    form_id: str
    form_name: str
    #: Empty: nobody who is known filled it in.
    user_id: str
    project_id: str = ""
    completed_at: str = ""
    #: `{"field_id", "label", "value"}` each, in the source's order; label "" where it is not told.
    answers: Sequence[Mapping[str, str]] = ()
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
