"""Errors as lines for a person: what is wrong, where, and the mend; never a token, a password or a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from pydantic import SecretStr
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from typer.exceptions import TyperException

from common.config.settings import Settings
from common.domain.errors import SyncError
from common.logs.setup import BEARER, URL_PASSWORD

#: PostgreSQL's code for a table that is not there: the schema was never applied.
UNDEFINED_TABLE = "42P01"
#: And for a statement that was cancelled, by its timeout.
QUERY_CANCELED = "57014"
DEFECT = "this is a defect of ours: run it again with FLEET_LOG_LEVEL=DEBUG for the details"


class CommandFailed(Exception):
    """A command cannot do what it was asked to; each line names one problem."""

    def __init__(self, *lines: str, exit_code: int = 1) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines
        self.exit_code = exit_code


def lines_of(error: BaseException) -> Sequence[str]:
    """The lines to print, each a single one."""
    return [_one_line(line) for line in _raw_lines(error)]


def _raw_lines(error: BaseException) -> Sequence[str]:
    if isinstance(error, CommandFailed):
        return error.lines
    if isinstance(error, TyperException):
        path = getattr(getattr(error, "ctx", None), "command_path", "fleet")
        return [f"{error.format_message().rstrip('.')}; see `{path} --help`"]
    if isinstance(error, SyncError):
        return [str(error)]
    return [f"{type(error).__name__}: {DEFECT}"]


def _one_line(line: str) -> str:
    line = " ".join(line.split())
    return BEARER.sub("Bearer [removed]", URL_PASSWORD.sub(r"\1[removed]@", line))


@contextmanager
def servers_named(settings: Settings) -> Iterator[None]:
    """Turn failures of PostgreSQL and Redis inside the block into CommandFailed that names the server."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise CommandFailed(_database_line(error, settings.database_url)) from error
    except ArgumentError as error:
        raise CommandFailed("FLEET_DATABASE_URL is not a database URL: use postgresql+psycopg://...") from error
    except Exception as error:
        if is_broker_failure(error):
            raise CommandFailed(f"cannot reach Redis at {_place(settings.broker_url)}: is it running?") from error
        raise


def is_broker_failure(error: BaseException | None) -> bool:
    """True if Redis is behind it: Celery wraps its errors in ones of its own."""
    while error is not None:
        if isinstance(error, RedisError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _database_line(error: DBAPIError | PoolTimeoutError, url: SecretStr | None) -> str:
    place = _place(url)
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    if isinstance(error, ProgrammingError) and code == UNDEFINED_TABLE:
        return f"the database at {place} has no schema of ours yet: run `fleet migrate`"
    if code == QUERY_CANCELED:
        return f"PostgreSQL at {place} took too long to answer: try again"
    if isinstance(error, OperationalError | PoolTimeoutError):
        return f"cannot reach PostgreSQL at {place}: {_reason(error)}"
    return f"PostgreSQL at {place} refused: {type(getattr(error, 'orig', error)).__name__}; {DEFECT}"


def _reason(error: Exception) -> str:
    """The server's or the system's own words, without the address that libpq puts before them."""
    first = str(getattr(error, "orig", error)).strip().partition("\n")[0]
    return first.rpartition("failed: ")[2] or type(error).__name__


def _place(url: SecretStr | None) -> str:
    """Host and port of a URL, nothing else of it."""
    if url is None:
        return "an unknown address"
    text = url.get_secret_value()
    if text.startswith("redis"):
        parts = urlsplit(text)
        return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    database = make_url(text)
    return f"{database.host or 'localhost'}:{database.port or 5432}"
