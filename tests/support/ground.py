"""The customers of one tale, made, edited, killed and finished side by side, each killed at a point of its own."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from deploy.audit.report import Finding, Kind
from deploy.audit.run import audit
from deploy.demo.plan import SCAN_SETTINGS
from support.crashing import Place
from support.forking import Children, Work

#: Children at a time.
SIDE_BY_SIDE = 3
#: Of the numbers, the part at which somebody must have died: a turn is not as long as another's, for an empty queue is
#: asked once more or once less.
MOST_REACHED = 0.9
#: Points that every story has; one that falls out of the code is missed.
ON_EVERY_WAY = {
    "poll.lock.take", "poll.store.start_run", "poll.budget.acquire", "source.read sent", "source.read answered",
    "poll.publish", "poll.lock.release", "queue.taken", "deliver.lock.take", "deliver.store.read_slice",
    "deliver.store.begin", "deliver.budget.acquire", "destination.write sent", "destination.write answered",
    "deliver.store.record", "deliver.lock.release", "queue.ack", "queue.acked",
}  # fmt: skip


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
            self.sandbox.create_tags(access.name)
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
        """Each customer's worker at its point; gives by number the point at which it died, where it came so far."""
        with tempfile.TemporaryDirectory() as place:
            notes = [Path(place) / name for name in names]
            works = [
                Work(customers=[name], story=self.tale.story, at=at, notes=note, breaks=breaks)
                for name, at, note in zip(names, points, notes, strict=True)
            ]
            codes = self.children.do(works)
            assert set(codes) <= {-signal.SIGKILL, 0}
            passed = [note.read_text().split("\n")[:-1] for note in notes]
        for at, code, own in zip(points, codes, passed, strict=True):
            assert len(own) == at if code else len(own) < at, f"{at} passed {len(own)} points and ended with {code}"
        return {at: own[-1] for at, code, own in zip(points, codes, passed, strict=True) if code}

    def finish(self, names, story=None, breaks=None):
        shares = [names[number::SIDE_BY_SIDE] for number in range(min(SIDE_BY_SIDE, len(names)))]
        works = [Work(customers=share, story=story or self.tale.story, breaks=breaks) for share in shares]
        assert set(self.children.do(works)) == {0}

    def findings(self):
        """Of what the tale carries over; of the rest only what is wrong whatever is missing."""
        report = audit(self.url)
        mine = {finding for finding in report.findings if self._concerns(finding)}
        told = [f"{each.organization}: {each.kind} {each.entity_id} {each.field} {each.explanation}" for each in mine]
        # For information elsewhere, where nobody knows when it is read again; a tale comes to rest after that.
        return told + [
            f"{row.organization}: a deletion is not carried over" for row in report.rows if row.kept_after_delete
        ]

    def _concerns(self, finding: Finding) -> bool:
        if finding.kind not in (Kind.MISSING, Kind.WRONG):
            return True
        resource = finding.entity_id.partition("/")[0] if "/" in finding.entity_id else "users"
        return resource in self.tale.story.resources and not self._is_dead_letter(finding)

    def _is_dead_letter(self, finding):
        letters = self.hub.dead_letters.list(finding.organization)
        return finding.entity_id in {letter.source_id for letter in letters}

    def kill_everywhere(self):
        """First undisturbed, to enumerate the points; then each has its customer, and the auditor judges all."""
        points = self.points()
        numbers = list(range(1, len(points) + 1))
        names = [f"{self.tale.story.name}-{number:03d}" for number in numbers]
        self.make(names)
        died = self.kill(names, numbers)
        self.finish(names)

        assert set(died.values()) >= set(points)
        assert len(died) >= MOST_REACHED * len(points)
        assert self.findings() == []
        letters = {name: len(list(self.hub.dead_letters.list(name))) for name in names}
        assert set(letters.values()) == {self.tale.dead_letters}
