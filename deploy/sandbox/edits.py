"""A stream of random edits, each with values that were never used before; those of users are here."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from deploy.sandbox.clock import Clock
from deploy.sandbox.organization import Organization, moment
from deploy.sandbox.resource_edits import RESOURCE_EDITS
from deploy.sandbox.seeding import fresh_user, fresh_value
from deploy.sandbox.volunteer.directory import User

DEFAULT_WEIGHTS: Mapping[str, int] = {"create": 2, "change": 6, "email": 1, "delete": 1}
CHANGEABLE = ("first_name", "last_name", "phone", "address")

#: Gives the kind of edit that it was in the end, where that can differ from what was asked for.
Change = Callable[[Organization, Random, Clock, User], str | None]


def create_user(organization: Organization, random: Random, clock: Clock, overrides: Mapping[str, Any]) -> User:
    """A fresh user; overrides may be malformed, and `omit` names fields to leave out of every answer."""
    values = fresh_user(organization.source, random, organization.canary)
    given = dict(overrides)
    omit = frozenset(given.pop("omit", ()))
    if "address" in given:
        values.pop("address_parts")
    return organization.source.create({**values, **given}, moment(clock), omit=omit)


def change_user(organization: Organization, random: Random, clock: Clock, user: User) -> None:
    """New values for one to three fields."""
    chosen = random.sample(CHANGEABLE, k=random.randint(1, 3))
    organization.source.change(user, _fresh(organization, random, chosen), moment(clock), kind="change")


def change_email(organization: Organization, random: Random, clock: Clock, user: User) -> None:
    organization.source.change(user, _fresh(organization, random, ["email"]), moment(clock), kind="email")


def change_silently(organization: Organization, random: Random, clock: Clock, user: User) -> None:
    """A change that leaves `updated_at` where it was, as the live service sometimes does."""
    values = _fresh(organization, random, [random.choice(CHANGEABLE)])
    organization.source.change(user, values, moment(clock), kind="change", silent=True)


def change_participation(organization: Organization, random: Random, clock: Clock, user: User) -> None:
    """New hours on the user's participations, which moves no `updated_at`."""
    rows = [
        {**row, "hours": f"{random.randrange(1, 40) / 4:.2f}", "verified": 1}
        for row in organization.source.attendance.of_user(user.id)
    ]
    organization.source.change(user, {"participations": rows}, moment(clock), kind="change")


def delete_user(organization: Organization, _random: Random, clock: Clock, user: User) -> None:
    organization.source.delete(user.id, moment(clock))


CHANGES: Mapping[str, Change] = {
    "change": change_user,
    "email": change_email,
    "delete": delete_user,
    "silent": change_silently,
    "participation": change_participation,
    **RESOURCE_EDITS,
}


class EditStream:
    """Applies edits at a steady pace until its time is over."""

    def __init__(
        self,
        organizations: Sequence[Organization],
        *,
        random: Random,
        clock: Clock,
        seconds: float,
        per_second: float,
        weights: Mapping[str, float],
    ) -> None:
        self._organizations = organizations
        self._random = random
        self._clock = clock
        self._started = clock.monotonic()
        self._seconds = seconds
        self._per_second = per_second
        self._weights = weights
        self._done = 0
        self.applied = dict.fromkeys(weights, 0)

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, self._started + self._seconds - self._clock.monotonic())

    @property
    def running(self) -> bool:
        return self._done < self._due(self._seconds)

    def tick(self) -> None:
        """Applies the edits whose time has come."""
        elapsed = min(self._seconds, self._clock.monotonic() - self._started)
        while self._done < self._due(elapsed):
            self._done += 1
            self._apply_one()

    def stop(self) -> None:
        self._seconds = min(self._seconds, self._clock.monotonic() - self._started)
        self._done = self._due(self._seconds)

    def as_json(self) -> dict[str, Any]:
        return {"running": self.running, "applied": self.applied, "remaining_seconds": self.remaining_seconds}

    def _due(self, elapsed: float) -> int:
        return int(elapsed * self._per_second)

    def _apply_one(self) -> None:
        organization = self._random.choice(self._organizations)
        kind = self._random.choices(list(self._weights), list(self._weights.values()))[0]
        users = list(organization.source.directory)
        if kind == "create" or not users:
            kind = "create"
            create_user(organization, self._random, self._clock, {})
        else:
            kind = CHANGES[kind](organization, self._random, self._clock, self._random.choice(users)) or kind
        self.applied[kind] = self.applied.get(kind, 0) + 1


def _fresh(organization: Organization, random: Random, fields: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in fields:
        values.update(fresh_value(organization.source, random, name, organization.canary))
    return values
