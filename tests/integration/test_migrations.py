"""The schema goes up and down: every migration can be taken back, and comes to the same tables again."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from common.storage.columns import metadata
from common.storage.schema import alembic_config, upgrade


def downgrade_all(engine):
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def test_every_migration_is_taken_back_and_made_again(engine):
    with engine.begin() as connection:
        before = tables(connection)
    try:
        downgrade_all(engine)
        with engine.begin() as connection:
            assert tables(connection) == {"alembic_version": ["version_num"]}
            assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 0
    finally:
        upgrade(engine)
    with engine.begin() as connection:
        assert tables(connection) == before


def tables(connection):
    found = inspect(connection)
    return {name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()}


def test_the_migrations_make_the_tables_that_the_code_says(engine):
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)

    assert [each for each in found if "index" not in str(each[0])] == []
