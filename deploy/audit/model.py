"""What the sandbox told, as types. Values are canonical: trimmed, e-mail addresses in lower case, blank for none."""

from collections.abc import Mapping
from dataclasses import dataclass

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A source record as it is now."""

    user_id: str
    #: What its contact must show; a field the source never lets out is not in it.
    expected: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A source record's state after an edit."""

    user_id: str
    at: float  #: unix seconds
    deletes: bool
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A destination record as it is now."""

    contact_id: int
    user_ids: tuple[str, ...]  #: whom it is of, by our references
    archived: bool
    shown: Values
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A customer's account in both systems, as exported."""

    name: str
    canary: str
    volunteer_requests_per_minute: int
    crm_requests_per_hour: int
    users: Mapping[str, User]
    deleted: frozenset[str]
    edits: tuple[Edit, ...]
    history_is_whole: bool
    contacts: tuple[Contact, ...]
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWrite:
    """What one request, or one import, set on one record that is no contact."""

    record: str  #: opportunity, volunteer, attendance, tag, note, gift
    record_id: str
    at: float
    fields: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What one request, or one import, set on one contact."""

    contact_id: int
    user_id: str | None  #: None where the contact carried no reference of ours
    at: float
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal."""

    seq: int
    system: str
    organization: str | None
    is_import: bool
    changes_state: bool  #: a request that wrote, or brought something to be imported
    started_at: float
    finished_at: float | None
    status: int | None
    fault: str | None
    user_ids: frozenset[str]  #: whose contact it concerned
    writes: tuple[Write, ...]
    others: tuple[RecordWrite, ...] = ()  #: what it set on records that are no contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One organization with its part of the journal, in order of arrival."""

    organization: Organization
    entries: tuple[Entry, ...]

    @property
    def writes(self) -> list[Write]:
        """In the order in which they took effect."""
        return sorted((write for entry in self.entries for write in entry.writes), key=lambda write: write.at)
