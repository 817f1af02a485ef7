"""A demonstration begins with nothing: its customers' other half, the sandbox, begins anew as well.

Servers of our own are wiped. Servers that were given are only looked at: whoever gave them may have forgotten what is
on them, so they must be empty already.
"""

from collections.abc import Mapping

from redis import Redis

from common.cli.bootstrap import Parts, open_parts
from common.config.settings import load_settings
from deploy.local.errors import LocalServerError


def ensure_blank(environment: Mapping[str, str], *, own_database: bool, own_broker: bool) -> None:
    """Raises LocalServerError if a server that was given holds something, CommandFailed if it cannot be reached."""
    with open_parts(load_settings(environment)) as parts:
        (_wipe_database if own_database else _refuse_used_database)(parts)
        (_wipe_broker if own_broker else _refuse_used_broker)(parts)


def forget_everything(broker_url: str, *, own_broker: bool) -> None:
    """What a Redis without persistence does when it is restarted; on a server that was given, only to our database."""
    with Redis.from_url(broker_url) as client:
        if own_broker:
            client.flushall()
        else:
            client.flushdb()


def _wipe_database(parts: Parts) -> None:
    with parts.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")


def _refuse_used_database(parts: Parts) -> None:
    with parts.engine.begin() as connection:
        tables = connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").scalar_one()
    if tables:
        raise LocalServerError("the database of FLEET_DATABASE_URL is not empty: give the demonstration an empty one")


def _wipe_broker(parts: Parts) -> None:
    parts.redis.flushall()


def _refuse_used_broker(parts: Parts) -> None:
    if parts.redis.dbsize():
        raise LocalServerError("the database of FLEET_BROKER_URL is not empty: give the demonstration an empty one")
