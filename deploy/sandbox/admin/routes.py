"""Every admin route."""

from starlette.routing import Route

from deploy.sandbox.admin.disturbances import Disturbances
from deploy.sandbox.admin.organizations import Organizations
from deploy.sandbox.admin.records import Records
from deploy.sandbox.admin.resources import Resources
from deploy.sandbox.admin.staff import StaffDesk
from deploy.sandbox.world import World


def admin_routes(world: World) -> list[Route]:
    return [
        *Organizations(world).routes(),
        *Resources(world).routes(),
        *StaffDesk(world).routes(),
        *Disturbances(world).routes(),
        *Records(world).routes(),
    ]
