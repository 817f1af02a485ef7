"""What happens to the customers whose workers are killed: stories, and what the source's people do before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.domain.layers import Layer
from support.crashing import Story


@dataclass(frozen=True, kw_only=True)
class Tale:
    """A story with what the source's people do before it, and what it must pass."""

    story: Story
    edit: Callable[..., None]
    must_pass: frozenset[str] = frozenset()
    #: Read besides, at first only.
    before: Sequence[str] = ("users",)
    organization: tuple[tuple[str, object], ...] = (("users", 2),)
    destination: tuple[tuple[str, object], ...] = (("create", "direct"),)
    dead_letters: int = 0

    @property
    def beginning(self) -> Story:
        """Everything that is needed for it is there."""
        reads = [(resource, Layer.POLL) for resource in self.before]
        return Story(name=f"before {self.story.name}", reads=list(dict.fromkeys([*reads, *self.story.reads])))


def people(sandbox, name):
    """A new one, an edit, a new e-mail address, one that can never be applied; and a refusal that passes."""
    sandbox.create_user(name)
    sandbox.create_user(name, omit=["last_name"])
    sandbox.change_user(name, 4101, phone="555-0100")
    sandbox.change_user(name, 4102, email=f"fresh@{name}.example.org")
    sandbox.add_faults({"kind": "script", "organization": name, "system": "crm", "method": "PUT", "script": [503]})


def batch(sandbox, name):
    for _ in range(3):
        sandbox.create_user(name)


def deletion(sandbox, name):
    sandbox.delete_user(name, 4101)


def form(sandbox, name):
    sandbox.create_record(name, "form_completions", user_id=4101)


def joining(sandbox, name):
    group = sandbox.export(name)["source"]["groups"][0]
    outside = next(user_id for user_id in (4101, 4102, 4103) if user_id not in group["members"])
    sandbox.create_record(name, "group_members", group_id=group["id"], user_id=outside)


def hours(sandbox, name):
    project = next(row for row in sandbox.export(name)["source"]["projects"] if row["anytime"] and row["active"])
    sandbox.create_record(
        name,
        "participations",
        user_id=4101,
        project_id=project["id"],
        hours="2.50",
        checked_in_at="2026-01-05T10:00:00Z",
    )


def reading(name, *resources, layer=Layer.POLL):
    return Story(name=name, reads=[(resource, layer) for resource in resources])


TALES = {tale.story.name: tale for tale in (
    Tale(
        story=reading("people", "users"), edit=people, dead_letters=1,
        must_pass=frozenset({"poll.store.save_page", "poll.store.finish_run", "deliver.store.links"}),
    ),
    Tale(story=reading("batch", "users"), edit=batch, destination=()),
    Tale(
        story=reading("deletion", "users", layer=Layer.FULL), edit=deletion, organization=(("users", 3),),
        must_pass=frozenset({"poll.store.save_page"}),
    ),
    Tale(story=reading("note", "forms", "form_completions"), edit=form),
    Tale(story=reading("tag", "groups", "group_members"), edit=joining, organization=(("users", 3),)),
    Tale(
        story=reading("attendance", "participations"), edit=hours,
        before=("users", "projects", "project_dates", "certificates"),
        organization=(("users", 2), ("volunteer_module", True)),
    ),
)}  # fmt: skip
