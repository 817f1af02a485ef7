"""Failures on order: rules that make chosen requests go wrong, drawn from a seeded generator."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from random import Random
from typing import Any

from deploy.sandbox.script import BadStepError, Step, parse_step

KINDS = (
    "error", "rate_limit", "latency", "outage", "drop_before_apply", "drop_after_apply",
    "truncate_page", "repeat_page", "not_json", "script",
)  # fmt: skip
PAGE_KINDS = ("truncate_page", "repeat_page")


class BadRuleError(ValueError):
    """Raised for a fault rule that cannot be understood."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """Which requests fail, how, and how often it happened."""

    id: str
    kind: str
    system: str | None = None
    organization: str | None = None
    method: str | None = None
    route: str | None = None  #: a route template, or a prefix of the path below the mount
    rate: float = 1.0
    status: int | None = None
    retry_after_seconds: int | None = None
    seconds: float = 1.0  #: the delay, for latency
    body: str = "html"
    for_seconds: float | None = None
    script: list[Any] | None = None  #: what happens to each matching request in turn, see `script`
    ends_at: float | None = None
    hits: int = 0

    def matches(self, target: "Target", now: datetime) -> bool:
        return (
            self.system in (None, target.system)
            and self.organization in (None, target.organization)
            and self.method in (None, target.method)
            and self._reaches(target)
            and (self.ends_at is None or now.timestamp() < self.ends_at)
            and (self.kind not in PAGE_KINDS or target.method in ("GET", "POST"))
            and (self.kind != "script" or bool(self.script))
        )

    def _reaches(self, target: "Target") -> bool:
        """A known template means that route alone; anything else is a prefix of the path."""
        if self.route is None or self.route in target.templates:
            return self.route in (None, target.route)
        return target.path.startswith(self.route)


@dataclass(frozen=True, slots=True)
class Target:
    """The request that a rule is held against."""

    system: str
    organization: str | None
    method: str
    route: str
    path: str  #: relative to the system's mount
    templates: frozenset[str]  #: every route of the system


@dataclass(slots=True)
class Plan:
    """What happens to one request: a delay, and at most one other fault."""

    delay_seconds: float = 0.0
    rule: Rule | None = None
    status: int | None = None  #: the status to answer instead, where there is one
    step: Step | None = None  #: of a script, unless it lets the request through

    @property
    def kind(self) -> str | None:
        return self.rule.kind if self.rule else "latency" if self.delay_seconds else None


class Faults:
    """The rules in force, tried in the order they were added."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rules: dict[str, Rule] = {}
        self._added = 0

    def add(self, options: Mapping[str, Any], now: datetime) -> str:
        self._added += 1
        rule = _rule(options, default_id=f"fault-{self._added}")
        if rule.for_seconds is not None:
            rule.ends_at = now.timestamp() + rule.for_seconds
        self._rules[rule.id] = rule
        return rule.id

    def remove(self, rule_id: str) -> bool:
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        self._rules.clear()

    def listing(self) -> Iterable[dict[str, Any]]:
        return [asdict(rule) for rule in self._rules.values()]

    def plan(self, target: Target, now: datetime) -> Plan:
        """Draws the fate of a request; latency adds up, the first other hit decides."""
        plan = Plan()
        for rule in self._rules.values():
            if rule.matches(target, now) and self._drawn(rule):
                if rule.kind == "latency":
                    rule.hits += 1
                    plan.delay_seconds += rule.seconds
                elif _decides(rule, plan):
                    return plan
        return plan

    def _drawn(self, rule: Rule) -> bool:
        return rule.rate >= 1 or self._random.random() < rule.rate


def _decides(rule: Rule, plan: Plan) -> bool:
    if rule.kind == "script" and rule.script:
        step = parse_step(rule.script.pop(0))
        if step.lets_through:
            rule.hits += 1
            return True
        plan.step, plan.status = step, step.status
    elif rule.kind in ("error", "outage"):
        plan.status = rule.status or 503
    elif rule.kind == "rate_limit":
        plan.status = 429
    if rule.kind not in PAGE_KINDS:
        rule.hits += 1
    plan.rule = rule
    return True


def _rule(options: Mapping[str, Any], default_id: str) -> Rule:
    known = {field.name for field in fields(Rule)} - {"ends_at", "hits"}
    unknown = set(options) - known
    if unknown:
        raise BadRuleError(f"unknown options {sorted(unknown)}")
    if options.get("kind") not in KINDS:
        raise BadRuleError(f"kind must be one of {KINDS}")
    given = {name: value for name, value in options.items() if value is not None}
    _check_script(given.get("script", []))
    return Rule(**{"id": default_id, **given})


def _check_script(script: Any) -> None:
    if not isinstance(script, list):
        raise BadRuleError("script must be a list of steps")
    try:
        for step in script:
            parse_step(step)
    except BadStepError as error:
        raise BadRuleError(str(error)) from error
