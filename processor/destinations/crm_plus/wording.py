"""The text of a note: what the source says, and our key at its end, by which the note is found again.

A note has no reference of its own (facts: crm-api 1.6). What staff write behind the key is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from common.domain.certificates import EarnedCertificate
from common.domain.entities import EntityKey
from common.domain.forms import FormCompletion

#: Begins what is said of a record that the source has no more.
WITHDRAWN = "[withdrawn "


def key_of(source: str, entity: EntityKey) -> str:
    return f"[{source} {entity.resource}/{entity.source_id}]"


def completion_text(completion: FormCompletion, key: str) -> str:
    """Form, date (UTC) and answers, a line each."""
    lines = [f"Form: {completion.form_name or completion.form_id}"]
    if completion.completed_at:
        lines.append(f"Completed: {_day(completion.completed_at)}")
    lines += [f"{row['label'] or 'Field ' + row['field_id']}: {row['value']}" for row in completion.answers]
    return _signed(lines, key)


def certificate_text(name: str, earned: EarnedCertificate, key: str) -> str:
    lines = [f"Certificate: {name}"]
    if earned.earned_at:
        lines.append(f"Earned: {_day(earned.earned_at)}")
    lines.append(f"Valid until: {_day(earned.expires_at)}" if earned.expires_at else "Does not expire")
    return _signed(lines, key)


def revised(there: str, wanted: str, key: str) -> str:
    """`wanted`, and behind it what staff have added; `there` itself if it says the same but for white space."""
    before, _, behind = there.partition(key)
    if _plain(before) == _plain(wanted.removesuffix(key)):
        return there
    return wanted + behind


def withdrawn(there: str, key: str, now: datetime) -> str:
    """The same, and that it is withdrawn; once."""
    if is_withdrawn(there, key):
        return there
    before, found, behind = there.partition(key)
    return f"{before.rstrip()}\n{WITHDRAWN}{now.date().isoformat()}]\n{found}{behind}".rstrip()


def is_withdrawn(there: str, key: str) -> bool:
    return WITHDRAWN in there.partition(key)[0]


def _signed(lines: Iterable[str], key: str) -> str:
    """Nothing that somebody typed may look like a mark of ours."""
    source = key.split(" ", 1)[0]
    text = "\n".join(lines).replace(source, "(" + source[1:]).replace(WITHDRAWN, "(" + WITHDRAWN[1:])
    return f"{text}\n{key}"


def _day(moment: str) -> str:
    return moment[:10]


def _plain(text: str) -> str:
    return " ".join(text.split())
