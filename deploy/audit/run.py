"""Read, judge, report: the auditor's front door."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.audit.budgets import over_budget, rejected, requests
from deploy.audit.freshness import Freshness, freshness, percentile
from deploy.audit.model import Case, Organization
from deploy.audit.order import order_breaks, repeated_writes
from deploy.audit.parsing import is_whole, parse_cases, parse_organizations
from deploy.audit.presence import duplicates, kept_after_delete, missing, mixed, ours, wrong
from deploy.audit.reading import read_evidence
from deploy.audit.report import Finding, Kind, Report, Row
from deploy.audit.versions import Versions

#: The source of the references by which the fleet's contacts are recognised.
REFERENCE_SOURCE = "Syncfleet"
P50, P95 = 0.50, 0.95


def audit(sandbox_url: str, *, since: float | None = None, reference_source: str = REFERENCE_SOURCE) -> Report:
    """Judge every organization of a sandbox; freshness and requests count from `since` (unix seconds) on.

    Raises SandboxUnreachableError if there is none.
    """
    evidence = read_evidence(sandbox_url)
    return judge(evidence.export, evidence.journal, since=since, reference_source=reference_source)


def judge(
    export: Mapping[str, Any],
    journal: Sequence[Mapping[str, Any]],
    *,
    since: float | None = None,
    reference_source: str = REFERENCE_SOURCE,
) -> Report:
    """The same of what was read before. Pure."""
    cases = parse_cases(export, journal, reference_source)
    foreign = list(mixed(cases))
    judged = [_judge_case(case, foreign, since) for case in cases]
    all_seconds = [value for _, _, fresh in judged for value in fresh.seconds]
    findings = [finding for _, own, _ in judged for finding in own]
    return Report(
        rows=tuple(row for row, _, _ in judged),
        findings=(*_gaps_of_journal(journal), *findings),
        since=since,
        freshness_p50_seconds=percentile(all_seconds, P50),
        freshness_p95_seconds=percentile(all_seconds, P95),
    )


def is_quiet(export: Mapping[str, Any], reference_source: str = REFERENCE_SOURCE) -> bool:
    """Whether the destination has caught up: nothing is held, missing or different. Says nothing of how it came so."""
    return not any(behind(export, reference_source).values())


def behind(export: Mapping[str, Any], reference_source: str = REFERENCE_SOURCE) -> dict[str, int]:
    """By organization: submissions that are held, and users who are not at the destination as the source has them."""
    return {row.name: row.held + len(_behind(row)) for row in parse_organizations(export, reference_source)}


def _behind(organization: Organization) -> set[str]:
    findings = [*missing(organization), *wrong(organization, Versions(organization))]
    return {finding.entity_id for finding in findings}


def _judge_case(case: Case, foreign: Iterable[Finding], since: float | None) -> tuple[Row, list[Finding], Freshness]:
    versions = Versions(case.organization)
    findings = [
        *_gaps(case),
        *missing(case.organization),
        *wrong(case.organization, versions),
        *duplicates(case.organization),
        *order_breaks(case, versions),
        *over_budget(case),
        *(finding for finding in foreign if finding.organization == case.organization.name),
    ]
    fresh = freshness(case, versions, since)
    return _row(case, _weights(findings), fresh, since), findings, fresh


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
        yield _gap(case.organization.name, "the source's history has a gap")
    written = {write.contact_id for write in case.writes}
    for contact in case.organization.contacts:
        if contact.user_ids and contact.contact_id not in written:
            yield _gap(case.organization.name, f"no write in the journal explains contact {contact.contact_id}")


def _gaps_of_journal(journal: Sequence[Mapping[str, Any]]) -> list[Finding]:
    whole = is_whole([row["seq"] for row in journal])
    return [] if whole else [_gap("(all)", "the journal has a gap")]


def _gap(organization: str, what: str) -> Finding:
    explanation = f"{what}: nothing can be concluded from it"
    return Finding(organization=organization, kind=Kind.RECORD, entity_id="", field="", explanation=explanation)
