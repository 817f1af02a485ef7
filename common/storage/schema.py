"""Bring a database to the newest schema, safely from many processes at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

#: Key of the advisory lock under which migrations run, so that a fleet that starts together migrates once.
MIGRATION_LOCK_KEY = 7_204_116_001


def upgrade(engine: Engine) -> None:
    """Apply every pending migration; waits for another process that is doing so."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK_KEY})
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
