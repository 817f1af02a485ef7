"""`python -m deploy.audit.leaks`: searches what the fleet leaves behind for its customers' tokens and people.

A token in the clear is a leak anywhere, the write-ahead log included; personal data is one everywhere but in the
database. What is found is never printed: only where it is, whose, and of which kind. Exit code 0: nothing; 1: leaks, or
a place that could not be searched; 2: no sandbox to ask what to look for.

    --logs         files, or folders of them
    --redis        a URL: every key and value by its type, and its files on disk after a dump without compression
    --database     a URL of a role that may checkpoint: the cluster's files on disk after one, so of a server here
    --pages        URLs of /metrics and the like
    --flower       Flower's address: its pages and the answers of its API

PostgreSQL compresses values of more than about 2 kB, and a needle inside such a one is not found on disk.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from deploy.audit.needles import Needle, Secret, needles_of
from deploy.audit.places import Place, Unsearched, database_files, log_files, pages, redis_contents

EXIT_CLEAN, EXIT_LEAKS, EXIT_UNREACHABLE = 0, 1, 2
#: Where Flower shows workers, tasks with their arguments, and queues.
FLOWER_PAGES = (
    "/", "/workers?json=1", "/tasks", "/broker", "/metrics", "/api/workers", "/api/tasks", "/api/task/types",
    "/api/queues/length",
)  # fmt: skip
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Where something was found; without what it was."""

    place: str
    customer: str
    secret: str


def search(places: Iterable[Place | Unsearched], needles: Sequence[Needle]) -> Iterator[Leak]:
    """Each kind of secret of each customer once in a place. A place that cannot be searched is no proof: it counts."""
    for place in places:
        if isinstance(place, Unsearched):
            yield Leak(place=place.name, customer="", secret=f"not searched: {place.why}")
            continue
        try:
            yield from [Leak(place=place.name, customer=name, secret=kind) for name, kind in _found(place, needles)]
        except OSError as error:
            yield Leak(place=place.name, customer="", secret=f"not searched: {type(error).__name__}")


def _found(place: Place, needles: Sequence[Needle]) -> Sequence[tuple[str, Secret]]:
    found: set[tuple[str, Secret]] = set()
    for piece in place.pieces:
        text = piece.lower()
        wanted = (each for each in needles if (each.customer, each.secret) not in found and _counts(place, each))
        found |= {(each.customer, each.secret) for each in wanted if each.value in text}
    return sorted(found)


def _counts(place: Place, needle: Needle) -> bool:
    return needle.secret is Secret.TOKEN or not place.holds_people


def read_needles(sandbox_url: str) -> tuple[Needle, ...]:
    """Raises httpx.HTTPError, or ValueError for an answer of something else."""
    with httpx.Client(base_url=f"{sandbox_url.rstrip('/')}/admin", timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        accounts = client.get("/organizations").raise_for_status().json()
        export: Mapping[str, Any] = client.get("/export").raise_for_status().json()
    return needles_of(accounts, export["organizations"])


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        needles = read_needles(options.sandbox)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError) as error:
        sys.stderr.write(f"no sandbox at {options.sandbox} ({type(error).__name__}): is it running?\n")
        return EXIT_UNREACHABLE
    leaks = list(search(_places(options), needles))
    if options.json:
        sys.stdout.write(json.dumps([asdict(leak) for leak in leaks]) + "\n")
    else:
        for leak in leaks:
            sys.stdout.write(f"LEAK {leak.place}: {leak.customer} {leak.secret}\n")
        sys.stdout.write(f"{len(leaks)} leaks, {len(needles)} needles\n")
    return EXIT_LEAKS if leaks else EXIT_CLEAN


def _places(options: argparse.Namespace) -> Iterator[Place | Unsearched]:
    for path in options.logs:
        yield from log_files(path)
    for url in options.redis:
        yield from redis_contents(url)
    for url in options.database:
        yield from database_files(url)
    yield from pages(options.pages)
    for url in options.flower:
        yield from pages([f"{url.rstrip('/')}{path}" for path in FLOWER_PAGES])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.audit.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sandbox", required=True, metavar="URL")
    for name in ("logs", "redis", "database", "pages", "flower"):
        parser.add_argument(f"--{name}", nargs="+", default=[], metavar="PATH" if name == "logs" else "URL")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
