"""From a plain handler to a route: JSON in, JSON out, a clear refusal of what makes no sense."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox.faults import BadRuleError
from deploy.sandbox.organization import Organization
from deploy.sandbox.settings import BadSettingError
from deploy.sandbox.volunteer.changes import NoRecordError, RecordTakenError
from deploy.sandbox.world import NameTakenError, World

Body = Mapping[str, Any]
Handle = Callable[[Request, Body], Response]


def route(method: str, path: str, handle: Handle) -> Route:
    return Route(path, _endpoint(handle), methods=[method])


def answer(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status_code=status)


def organization_named(world: World, name: str) -> Organization:
    if name not in world.organizations:
        raise HTTPException(404, f"no organization {name!r}")
    return world.organizations[name]


def _endpoint(handle: Handle) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        content = await request.body()
        try:
            return handle(request, json.loads(content) if content else {})
        except (NameTakenError, RecordTakenError) as error:
            raise HTTPException(409, str(error)) from error
        except NoRecordError as error:
            raise HTTPException(404, str(error)) from error
        except (BadSettingError, BadRuleError, json.JSONDecodeError) as error:
            raise HTTPException(422, str(error)) from error
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise HTTPException(422, f"cannot make sense of the request: {error!r}") from error

    return endpoint
