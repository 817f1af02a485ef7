"""One logging setup for every process: structlog in front, the standard library behind, JSON lines on stderr.

Ids are bound once per task (`bound`), so no call site has to remember them. The last step before a line is written
removes what must never be in one; it is the net, not the rule: nobody logs a body, an e-mail address or a token.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

#: Keys whose values are never written, whatever they hold.
FORBIDDEN_KEYS = frozenset(
    {
        "token",
        "authorization",
        "email",
        "phone",
        "address",
        "birthday",
        "first_name",
        "last_name",
        "payload",
        "body",
        "raw",
    }
)
EMAIL = re.compile(r"[^\s@\"'<>=]+@[^\s@\"'<>]+\.[A-Za-z]{2,}")
BEARER = re.compile(r"(?i)bearer\s+\S+")
URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@/\s]+@")
#: Their info lines hold URLs with filters, or say what ours say better.
QUIET_LOGGERS = ("httpx", "httpcore", "alembic", "kombu", "amqp", "celery.worker.strategy", "celery.app.trace")


def configure_logs(*, log_format: str, level: str) -> None:
    """Set up logging for this process; replaces what was there."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(log_format)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _last(log_format: str) -> list[Any]:
    """The steps that end in a line."""
    head: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redact,
    ]
    if log_format == "text":
        return [*head, structlog.dev.ConsoleRenderer(colors=False)]
    return [*head, structlog.processors.JSONRenderer(default=str)]


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove forbidden keys' values, e-mail addresses, bearer tokens and passwords in URLs."""
    return {key: _without_secrets(key, value) for key, value in line.items()}


def _without_secrets(key: Any, value: Any) -> Any:
    return "[removed]" if str(key).lower() in FORBIDDEN_KEYS else _clean(value)


def _clean(value: Any) -> Any:
    """Whatever is no plain value is written as its text, and so must be cleaned as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _without_secrets(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return cleaned(str(value))


def cleaned(text: str) -> str:
    """Without e-mail addresses, bearer tokens and passwords in URLs."""
    text = URL_PASSWORD.sub(r"\1[removed]@", text)
    return BEARER.sub("Bearer [removed]", EMAIL.sub("[e-mail]", text))


@contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Add ids to every line inside the block."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield
