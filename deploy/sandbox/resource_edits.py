"""Every edit of everything but users, by its name.

Each gives the kind of edit that it was in the end: one that finds nothing to do does what makes it possible next time.
"""

from collections.abc import Callable, Mapping
from random import Random

from deploy.sandbox.clock import Clock
from deploy.sandbox.community_edits import (
    change_completion,
    complete_form,
    earn_certificate,
    join_group,
    leave_group,
    rename_group,
    rename_project,
)
from deploy.sandbox.date_edits import add_date, attend, cancel, move_date, sign_up, verify
from deploy.sandbox.organization import Organization
from deploy.sandbox.volunteer.directory import User

Edit = Callable[[Organization, Random, Clock, User], str]

RESOURCE_EDITS: Mapping[str, Edit] = {
    "sign_up": sign_up,
    "attend": attend,
    "verify": verify,
    "cancel": cancel,
    "rename_project": rename_project,
    "add_date": add_date,
    "move_date": move_date,
    "complete_form": complete_form,
    "change_completion": change_completion,
    "join_group": join_group,
    "leave_group": leave_group,
    "rename_group": rename_group,
    "earn_certificate": earn_certificate,
}
