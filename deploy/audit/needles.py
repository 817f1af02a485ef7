"""What must not leak, from the sandbox's own word: every customer's tokens, and what is personal in their records."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]
#: Fields of a user that are searched for as they are; names and e-mail addresses carry the canary besides.
PERSONAL = ("email", "phone", "last_name")
#: Characters below which a value turns up by chance.
SHORTEST = 7


class Secret(StrEnum):
    """The kinds of canary."""

    TOKEN = "token"  # noqa: S105 - a word
    PERSON = "personal data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """Something to look for, in lower case; it is never printed."""

    customer: str
    secret: Secret
    value: bytes = field(repr=False)


def needles_of(accounts: Iterable[Row], organizations: Mapping[str, Row]) -> tuple[Needle, ...]:
    """`accounts` as `/admin/organizations` lists them, `organizations` as `/admin/export` shows them."""
    found = set()
    for account in accounts:
        name = str(account["name"])
        for token in _tokens(account):
            found.add(Needle(customer=name, secret=Secret.TOKEN, value=_bytes(token)))
        for value in (account["canary"], *_personal(organizations[name]["source"])):
            found.add(Needle(customer=name, secret=Secret.PERSON, value=_bytes(value)))
    return tuple(sorted(found, key=lambda needle: (needle.customer, needle.secret, needle.value)))


def _tokens(account: Row) -> Iterator[str]:
    """Whole, and the part that is secret: a token that was cut or wrapped is one all the same."""
    for name in ("volunteer_token", "crm_token"):
        yield str(account[name])
        yield str(account[name]).rpartition("-")[2]


def _personal(source: Row) -> Iterator[str]:
    """Also what people were called, and where they could be reached, before."""
    for row in (*source["users"].values(), *(edit["values"] for edit in source["history"])):
        for name in PERSONAL:
            value = row.get(name)
            if isinstance(value, str) and len(value) >= SHORTEST:
                yield value


def _bytes(text: object) -> bytes:
    return str(text).lower().encode()
