"""The only way to declare a task: explicit name, this app only, no option that Celery would swallow unread.

Celery accepts any unknown option in silence and by default puts a task of one app into every other app of the process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery

from common.logs.setup import bound

log = structlog.get_logger(__name__)


def declare_task(app: Celery, name: str, work: Callable[..., None]) -> None:
    """Register `work` under `name`. It is called with the message's keyword arguments, its ids bound to every log
    line. One that does not fit is refused with one line, and not tried again: a person typed it.
    """
    signature = inspect.signature(work)

    def run(self: Any, *positional: Any, **arguments: Any) -> None:
        with bound(task=name, task_id=self.request.id):
            try:
                if positional:
                    raise TypeError("arguments are given by name")
                signature.bind(**arguments)
            except TypeError as error:
                log.error("message refused", action="task.refused", why=str(error), takes=list(signature.parameters))
                return
            with bound(**arguments):
                work(**arguments)

    app.task(run, name=name, bind=True, shared=False, acks_late=True, ignore_result=True)
