"""A demonstration begins with nothing: its customers' other half, the sandbox, begins anew as well.

Servers of our own are wiped. Servers that were given are only looked at: whoever gave them may have forgotten what is
on them, so they must be empty already.
"""

import psycopg
from redis import Redis

from deploy.local.endpoints import Endpoints
from deploy.local.errors import LocalServerError

#: SQLAlchemy's name of the driver, which psycopg itself does not know.
DRIVER = "+psycopg"


def ensure_blank(endpoints: Endpoints, *, own_database: bool, own_broker: bool) -> None:
    """Raises LocalServerError if a server that was given holds something."""
    with psycopg.connect(endpoints.database_url.replace(DRIVER, "", 1), autocommit=True) as connection:
        if own_database:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        elif connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone():
            raise LocalServerError(
                "the database of FLEET_DATABASE_URL is not empty: give the demonstration an empty one"
            )
    with Redis.from_url(endpoints.broker_url) as client:
        if own_broker:
            client.flushall()
        elif client.dbsize():
            raise LocalServerError("the Redis database of FLEET_BROKER_URL is not empty: give an empty one")


def forget_everything(endpoints: Endpoints, *, own_broker: bool) -> None:
    """What a Redis without persistence does when it is restarted; on a server that was given, only to our database."""
    with Redis.from_url(endpoints.broker_url) as client:
        if own_broker:
            client.flushall()
        else:
            client.flushdb()
