"""A demonstration begins with nothing: its customers' other half, the sandbox, begins anew as well.

Servers of our own are wiped. Servers that were given are only looked at: whoever gave them may have forgotten what is
on them, so they must be empty already.
"""

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.endpoints import Endpoints
from deploy.local.errors import LocalServerError

#: SQLAlchemy's name of the driver, which psycopg itself does not know.
DRIVER = "+psycopg"


def ensure_blank(endpoints: Endpoints, *, own_database: bool, own_broker: bool) -> None:
    """Raises LocalServerError if a server that was given holds something, or cannot be reached."""
    try:
        _blank_database(endpoints.database_url, ours=own_database)
        _blank_broker(endpoints.broker_url, ours=own_broker)
    except (psycopg.Error, RedisError, ValueError) as error:
        name = "FLEET_DATABASE_URL" if isinstance(error, psycopg.Error) else "FLEET_BROKER_URL"
        raise LocalServerError(f"{name} cannot be used ({type(error).__name__}): is the server running?") from error


def forget_everything(endpoints: Endpoints, *, own_broker: bool) -> None:
    """What a Redis without persistence does when it is restarted; on a server that was given, only to our database."""
    with Redis.from_url(endpoints.broker_url) as client:
        if own_broker:
            client.flushall()
        else:
            client.flushdb()


def _blank_database(url: str, *, ours: bool) -> None:
    with psycopg.connect(url.replace(DRIVER, "", 1), autocommit=True) as connection:
        if ours:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        elif connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone() is not None:
            raise LocalServerError(
                "the database of FLEET_DATABASE_URL is not empty: give the demonstration an empty one"
            )


def _blank_broker(url: str, *, ours: bool) -> None:
    with Redis.from_url(url) as client:
        if ours:
            client.flushall()
        elif client.dbsize():
            raise LocalServerError("the database of FLEET_BROKER_URL is not empty: give the demonstration an empty one")
