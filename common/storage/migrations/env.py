"""Alembic's entry point: runs on the connection that `schema.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from common.storage import (
    attempt_tables,
    batch_tables,
    deletion_tables,
    identity_tables,
    night_tables,
    page_tables,
    tables,
    verified_tables,
)
from common.storage.columns import metadata

#: Whose tables the metadata knows, now that they are imported.
MODULES = (
    tables,
    attempt_tables,
    batch_tables,
    identity_tables,
    deletion_tables,
    night_tables,
    page_tables,
    verified_tables,
)

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
