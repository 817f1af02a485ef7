"""`python -m support.faults.telling`: a process that tells its clocks, once for each line that it reads."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime

from common.domain.clock import SystemClock


def tell() -> None:
    clock = SystemClock()
    told = {
        "product": clock.now().timestamp(),
        "datetime": datetime.now(UTC).timestamp(),
        "time": time.time(),
        "realtime": time.clock_gettime(time.CLOCK_REALTIME),
        "monotonic": clock.monotonic(),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for _ in sys.stdin:
        thread = threading.Thread(target=tell)
        thread.start()
        thread.join()
