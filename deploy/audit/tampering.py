"""Whether the evidence is what the sandbox wrote: its seals, its totals, and a state that follows from the journal."""

from collections.abc import Iterator

from deploy.audit.explained import unexplained
from deploy.audit.reading import Evidence
from deploy.audit.report import Finding
from deploy.audit.seals import broken_seals, record_finding

#: What reading a row raises whose shape was tampered with.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


def tampering(evidence: Evidence) -> Iterator[Finding]:
    """Every finding is of kind `record`."""
    for check in (broken_seals, unexplained):
        try:
            yield from check(evidence.journal, evidence.export, evidence.seal)
        except UNREADABLE as error:
            yield record_finding("(all)", "", f"the evidence cannot be read ({type(error).__name__})")
