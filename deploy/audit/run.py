"""Read, judge, report: the auditor's front door."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deploy.audit.agreement import count, disagreements
from deploy.audit.budgets import over_budget, rejected, requests
from deploy.audit.doubles import doubles
from deploy.audit.freshness import Freshness, freshness, percentile
from deploy.audit.mixing import mixed
from deploy.audit.model import Case, Organization
from deploy.audit.order import order_breaks, repeated_writes
from deploy.audit.parsing import is_whole, parse_cases, parse_organizations
from deploy.audit.presence import duplicates, kept_after_delete, missing, ours, wrong
from deploy.audit.reading import Evidence, read_evidence
from deploy.audit.report import Finding, Kind, Report, Row
from deploy.audit.seals import record_finding
from deploy.audit.tampering import UNREADABLE, tampering
from deploy.audit.turns import breaks
from deploy.audit.versions import Versions

#: The source of the references by which the fleet's contacts are recognised.
REFERENCE_SOURCE = "Syncfleet"
P50, P95 = 0.50, 0.95


def audit(
    sandbox_url: str,
    *,
    since: float | None = None,
    reference_source: str = REFERENCE_SOURCE,
    only_people: bool = False,
) -> Report:
    """Judge every organization of a sandbox; freshness and requests count from `since` (unix seconds) on.

    `only_people`: of a sync that carries over nothing else. Raises SandboxUnreachableError if there is none.
    """
    evidence = read_evidence(sandbox_url)
    return verdict(evidence, since=since, reference_source=reference_source, only_people=only_people)


def verdict(evidence: Evidence, **options: Any) -> Report:
    """The same of evidence that was read before; `options` as in `judge`. Evidence that was tampered with fails."""
    breaks_of_record = list(tampering(evidence))
    try:
        report = judge(evidence.export, evidence.journal, **options)
    except UNREADABLE:
        if not breaks_of_record:
            raise
        report = Report.of_nothing()
    return replace(report, findings=(*breaks_of_record, *report.findings))


def judge(
    export: Mapping[str, Any],
    journal: Sequence[Mapping[str, Any]],
    *,
    since: float | None = None,
    reference_source: str = REFERENCE_SOURCE,
    only_people: bool = False,
) -> Report:
    """The same of what was read before. Pure."""
    cases = parse_cases(export, journal, reference_source)
    foreign = list(mixed(cases, export, journal))
    others = {} if only_people else _others(export, cases, reference_source)
    foreign += _doubled(export, journal, reference_source)
    judged = [_judge_case(case, foreign, others.get(case.organization.name), since) for case in cases]
    all_seconds = [value for _, _, fresh in judged for value in fresh.seconds]
    findings = [finding for _, own, _ in judged for finding in own]
    return Report(
        rows=tuple(row for row, _, _ in judged),
        findings=(*_gaps_of_journal(journal), *findings),
        since=since,
        freshness_p50_seconds=percentile(all_seconds, P50),
        freshness_p95_seconds=percentile(all_seconds, P95),
    )


def _doubled(export: Mapping[str, Any], journal: Sequence[Mapping[str, Any]], ours: str) -> Iterator[Finding]:
    for name, organization in export["organizations"].items():
        yield from doubles(name, organization, journal, ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """What was judged of one organization besides its people."""

    facts: int
    findings: Sequence[Finding]


def _others(export: Mapping[str, Any], cases: Sequence[Case], ours: str) -> Mapping[str, Others]:
    """Of the journal, only the cases that are given are judged."""
    breaks_of = {
        case.organization.name: list(breaks(case, export["organizations"][case.organization.name], ours))
        for case in cases
    }
    return {
        name: Others(facts=count(row), findings=[*disagreements(name, row, ours), *breaks_of.get(name, ())])
        for name, row in export["organizations"].items()
    }


def is_quiet(export: Mapping[str, Any], reference_source: str = REFERENCE_SOURCE, *, only_people: bool = False) -> bool:
    """Whether the destination has caught up: nothing is held, missing or different. Says nothing of how it came so."""
    return not any(behind(export, reference_source, only_people=only_people).values())


def behind(
    export: Mapping[str, Any], reference_source: str = REFERENCE_SOURCE, *, only_people: bool = False
) -> dict[str, int]:
    """By organization: submissions that are held, and records that the destination does not show as they are."""
    others = {} if only_people else _others(export, (), reference_source)
    late = {name: len({finding.entity_id for finding in found.findings}) for name, found in others.items()}
    rows = parse_organizations(export, reference_source)
    return {row.name: row.held + len(_behind(row)) + late.get(row.name, 0) for row in rows}


def _behind(organization: Organization) -> set[str]:
    findings = [*missing(organization), *wrong(organization, Versions(organization))]
    return {finding.entity_id for finding in findings}


def _judge_case(
    case: Case, foreign: Iterable[Finding], others: Others | None, since: float | None
) -> tuple[Row, list[Finding], Freshness]:
    versions = Versions(case.organization)
    findings = [
        *_gaps(case),
        *missing(case.organization),
        *wrong(case.organization, versions),
        *duplicates(case.organization),
        *order_breaks(case, versions),
        *over_budget(case),
        *(finding for finding in foreign if finding.organization == case.organization.name),
        *(others.findings if others else ()),
    ]
    fresh = freshness(case, versions, since)
    row = _row(case, _weights(findings), fresh, since)
    return replace(row, facts=others.facts if others else 0), findings, fresh


def _weights(findings: Iterable[Finding]) -> Counter[Kind]:
    counts: Counter[Kind] = Counter()
    for finding in findings:
        counts[finding.kind] += finding.weight
    return counts


def _row(case: Case, counts: Counter[Kind], fresh: Freshness, since: float | None) -> Row:
    organization = case.organization
    return Row(
        organization=organization.name,
        source=len(organization.users),
        destination=len({contact.contact_id for contacts in ours(organization).values() for contact in contacts}),
        missing=counts[Kind.MISSING],
        wrong=counts[Kind.WRONG],
        duplicates=counts[Kind.DUPLICATE],
        order_breaks=counts[Kind.ORDER],
        over_budget=counts[Kind.BUDGET],
        mixed=counts[Kind.MIXED],
        gaps=counts[Kind.RECORD],
        rejected=rejected(case),
        kept_after_delete=kept_after_delete(organization),
        repeated_writes=repeated_writes(case),
        held=organization.held,
        changes=fresh.changes,
        not_arrived=fresh.not_arrived,
        freshness_p50_seconds=percentile(fresh.seconds, P50),
        freshness_p95_seconds=percentile(fresh.seconds, P95),
        source_requests=len(requests(case, "volunteer", since)),
        destination_requests=len(requests(case, "crm", since)),
    )


def _gaps(case: Case) -> Iterator[Finding]:
    """A contact of ours must have come from somewhere: its writes are the evidence for its order and freshness."""
    if not case.organization.history_is_whole:
        yield record_finding(case.organization.name, "", "the source's history has a gap")
    written = {write.contact_id for write in case.writes}
    for contact in case.organization.contacts:
        if contact.user_ids and contact.contact_id not in written:
            yield record_finding(
                case.organization.name, "", f"no write in the journal explains contact {contact.contact_id}"
            )


def _gaps_of_journal(journal: Sequence[Mapping[str, Any]]) -> list[Finding]:
    whole = is_whole([row["seq"] for row in journal])
    return [] if whole else [record_finding("(all)", "", "the journal has a gap")]
