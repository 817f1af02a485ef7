"""What a process uses, from /proc (man 5 proc)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

KILOBYTES_PER_MEGABYTE = 1024


def use_of(pids: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """Of those that live just now: one that is being started again has nothing to show."""
    for name, pid in pids.items():
        try:
            resident, open_files = _resident_megabytes(pid), _open_files(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield f"rss: {name}", resident
        yield f"file descriptors: {name}", open_files


def _resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / KILOBYTES_PER_MEGABYTE
    raise ProcessLookupError(f"process {pid} has ended")


def _open_files(pid: int) -> float:
    return float(len(list(Path(f"/proc/{pid}/fd").iterdir())))
