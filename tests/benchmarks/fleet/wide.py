"""The poller's app, with a source of four resources beside the real one: `celery -A benchmarks.fleet.wide beat`.

The real source has fewer, so that a customer of it could not have four schedules. Nobody calls this one.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.fleet.beat import RESOURCES, SOURCE
from poller import app as product
from poller.sources import registry

registry.SOURCES[SOURCE] = replace(registry.SOURCES["volunteer"], base_url="http://127.0.0.1:1", resources=RESOURCES)
app = product.app
