"""`python -m deploy.sandbox`: one sandbox on one port, until it is told to stop."""

import argparse
import asyncio
import signal
from types import FrameType

from deploy.sandbox.clock import SystemClock
from deploy.sandbox.server import serve
from deploy.sandbox.world import World


def main() -> None:
    options = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_quietly)
    world = World(seed=options.seed, clock=SystemClock())
    asyncio.run(serve(world, host=options.host, port=options.port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8099, help="0 picks a free one")
    parser.add_argument("--seed", type=int, default=7)
    return parser


def _end_quietly(number: int, frame: FrameType | None) -> None:
    """The server has stopped already and raises its signal once more; that is no failure."""


if __name__ == "__main__":
    main()
