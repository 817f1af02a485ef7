"""A base URL of its own for each organization: the journal tells whose was called, whatever the token was.

`<url>/of/<name>/crm` and `<url>/of/<name>/volunteer/v1` lead where `<url>/crm` and `<url>/volunteer/v1` do. A worker
that mixed up two customers calls the address of one with the token of the other, and shows.
"""

import re
from urllib.parse import quote, unquote

from starlette.types import Scope

#: Set in the scope of a request that came by such a path.
ACCOUNT_KEY, BASE_KEY = "sandbox.account", "sandbox.base"
BASE = re.compile(r"/of/([^/]+)(?=/)")


def base_path(name: str) -> str:
    return f"/of/{quote(name, safe='')}"


def enter(scope: Scope) -> None:
    """Notes whose path it is; what serves the request sees the rest of it, and its links lead back here."""
    found = BASE.match(scope["path"])
    if found:
        scope[ACCOUNT_KEY], scope[BASE_KEY] = unquote(found[1]), found[0]
        scope["root_path"] = scope.get("root_path", "") + found[0]
