"""The only way to declare a task: explicit name, this app only, no option that Celery would swallow unread.

Celery accepts any unknown option in silence and by default puts a task of one app into every other app of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery

from common.logs.setup import bound


def declare_task(app: Celery, name: str, work: Callable[..., None]) -> None:
    """Register `work` under `name`. It is called with the message's keyword arguments, its ids bound to every log
    line.
    """

    def run(self: Any, **arguments: Any) -> None:
        with bound(task=name, task_id=self.request.id, **arguments):
            work(**arguments)

    app.task(run, name=name, bind=True, shared=False, acks_late=True, ignore_result=True)
