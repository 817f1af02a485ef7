"""A real process is killed at every point on the way from a page to an acknowledgement, and another one goes on.

Each point has a customer of its own, side by side with the others. First the story runs unharmed, to enumerate its
points; then a worker is killed by SIGKILL at each in turn, fresh processes go on to the end, and the auditor judges.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from support.crashing import Place, Story
from support.crashing_breaks import checkpoint_first, intent_last, no_look
from support.forking import Children, Work

from common.domain.layers import Layer
from deploy.audit.report import Finding, Kind
from deploy.audit.run import audit
from deploy.demo.plan import SCAN_SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

#: Children at a time.
SIDE_BY_SIDE = 3
#: Points that every story has; one that falls out of the code is missed.
ON_EVERY_WAY = {
    "poll.lock.take", "poll.store.start_run", "poll.budget.acquire", "source.read sent", "source.read answered",
    "poll.publish", "poll.lock.release", "queue.taken", "deliver.lock.take", "deliver.store.read_slice",
    "deliver.store.begin", "deliver.budget.acquire", "destination.write sent", "destination.write answered",
    "deliver.store.record", "deliver.lock.release", "queue.ack", "queue.acked",
}  # fmt: skip


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


TALES = [
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
        story=reading("attendance", "participations"), edit=hours, before=("users", "projects", "project_dates"),
        organization=(("users", 2), ("volunteer_module", True)),
    ),
]  # fmt: skip


class Ground:
    """Customers of one tale, made, edited, killed and finished side by side."""

    def __init__(self, hub, sandbox, sandbox_url, servers, tale):
        self.hub, self.sandbox, self.url, self.tale = hub, sandbox, sandbox_url, tale
        place = Place(servers=dict(servers.environment), sandbox_url=sandbox_url)
        self.children = Children(place, side_by_side=SIDE_BY_SIDE)

    def make(self, names, *, warms=False):
        """Customers in step, and then the edits."""
        generous = {"volunteer_requests_per_minute": 100_000, "crm_requests_per_hour": 1_000_000}
        rows = [{**generous, "import_mode": "at_once", **dict(self.tale.organization), "name": name} for name in names]
        for access in self.sandbox.create_organizations(*rows):
            for group in self.sandbox.export(access.name)["source"]["groups"]:
                self.sandbox.create_tag(access.name, group["name"])
            self.hub.onboard(access, source_settings=dict.fromkeys(SCAN_SETTINGS, 0), **dict(self.tale.destination))
        if warms:
            self.children.warm(names, self.tale.beginning)
        else:
            self.finish(names, self.tale.beginning)
        for name in names:
            self.tale.edit(self.sandbox, name)

    def points(self):
        """Of a turn that nobody disturbs."""
        unharmed = [f"unharmed-{number}" for number in range(SIDE_BY_SIDE)]
        self.make(unharmed, warms=True)
        found = self.children.points(unharmed, self.tale.story)
        assert set(found) >= ON_EVERY_WAY | self.tale.must_pass
        return found

    def kill(self, names, points, breaks=None):
        """Each customer's worker at its point; gives the points at which one died."""
        pairs = list(zip(names, points, strict=True))
        codes = self.children.do(
            [Work(customers=[name], story=self.tale.story, at=at, breaks=breaks) for name, at in pairs]
        )
        assert set(codes) <= {-signal.SIGKILL, 0}
        return [at for at, code in zip(points, codes, strict=True) if code]

    def finish(self, names, story=None, breaks=None):
        shares = [names[number::SIDE_BY_SIDE] for number in range(min(SIDE_BY_SIDE, len(names)))]
        works = [Work(customers=share, story=story or self.tale.story, breaks=breaks) for share in shares]
        assert set(self.children.do(works)) == {0}

    def findings(self):
        """Of what the tale carries over; of the rest only what is wrong whatever is missing."""
        mine = {finding for finding in audit(self.url).findings if self._concerns(finding)}
        return [f"{each.organization}: {each.kind} {each.entity_id} {each.field} {each.explanation}" for each in mine]

    def _concerns(self, finding: Finding) -> bool:
        if finding.kind not in (Kind.MISSING, Kind.WRONG):
            return True
        resource = finding.entity_id.partition("/")[0] if "/" in finding.entity_id else "users"
        return resource in self.tale.story.resources and not self._is_dead_letter(finding)

    def _is_dead_letter(self, finding):
        letters = self.hub.dead_letters.list(finding.organization)
        return finding.entity_id in {letter.source_id for letter in letters}


@pytest.fixture
def ground(hub, sandbox, sandbox_url, servers):
    made = []

    def make(tale):
        made.append(Ground(hub, sandbox, sandbox_url, servers, tale))
        return made[-1]

    yield make
    for each in made:
        each.children.close()


@pytest.mark.parametrize("tale", TALES, ids=lambda tale: tale.story.name)
def test_a_worker_that_is_killed_at_any_point_loses_doubles_and_disorders_nothing(ground, tale):
    it = ground(tale)
    points = it.points()
    numbers = list(range(1, len(points) + 1))
    names = [f"{tale.story.name}-{number:03d}" for number in numbers]
    it.make(names)
    died = it.kill(names, numbers)
    it.finish(names)

    assert {points[number - 1] for number in died} == set(points)
    assert it.findings() == []
    letters = {name: len(list(it.hub.dead_letters.list(name))) for name in names}
    assert set(letters.values()) == {tale.dead_letters}


NOTE = next(tale for tale in TALES if tale.story.name == "note")
PEOPLE = next(tale for tale in TALES if tale.story.name == "people")


@pytest.mark.parametrize(
    ("tale", "point", "breaks", "kind"),
    [
        (NOTE, "destination.write answered", intent_last, Kind.DUPLICATE),
        (NOTE, "destination.write answered", no_look, Kind.DUPLICATE),
        (PEOPLE, "source.read sent", checkpoint_first, Kind.WRONG),
    ],
    ids=["intent last", "no look", "checkpoint first"],
)
def test_a_worker_that_breaks_the_rules_is_caught_at_the_point_where_it_matters(ground, tale, point, breaks, kind):
    it = ground(tale)
    number = it.points().index(point) + 1
    it.make(["broken"])
    it.kill(["broken"], [number], breaks)
    it.finish(["broken"], breaks=breaks)

    assert [line for line in it.findings() if line.startswith(f"broken: {kind}")]
