"""Which handler decides for which resource: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from common.domain.events import Event
from common.domain.resources import USERS
from processor.handlers.decisions import Decision
from processor.handlers.users import user_changed

HANDLERS: Mapping[str, Callable[[Event], Decision]] = {USERS: user_changed}
