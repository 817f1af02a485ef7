"""What the destination could only refuse is not sent."""

from __future__ import annotations

from common.domain.destinations import Destination
from processor.pipeline import Work


def checked(work: Work, destination: Destination) -> Work:
    """Raises RecordInvalid, naming field and mend."""
    destination.check(work.as_write())
    return work
