"""The poller's app, with a source of four resources beside the real one: `celery -A benchmarks.fleet.wide beat`.

The real source has fewer, so that a customer of it could not have four schedules. Nobody calls this one.
"""

from __future__ import annotations

from benchmarks.fleet.beat import RESOURCES, SOURCE
from poller import app as product
from poller.sources import registry
from poller.sources.volunteer.client import open_volunteer
from poller.sources.volunteer.settings import read_settings

registry.SOURCES[SOURCE] = registry.SourceDefinition(
    base_url="http://127.0.0.1:1", resources=RESOURCES, check=read_settings, open=open_volunteer
)
app = product.app
