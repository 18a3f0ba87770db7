"""docs/reference/scopes.md: every scope, what it requires, and which endpoints need it; made from the endpoints."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from makola.api.common.credentials import Credentials
from makola.api.hub.app import HubApp
from makola.api.hub.context import HubContext
from makola.api.hub.products import product_routes
from makola.core.applications.scopes import CATEGORIES, OFFLINE_ACCESS, SCOPES, Scope, with_implied
from makola.core.catalogue.shelf.shelf import Shelf
from makola.kit.database import Database
from makola.wiring.unity import UNITY_ENDPOINTS

_PREAMBLE = """\
# Scopes

Written by `./dev makola application scopes --markdown > docs/reference/scopes.md`; a test compares the two, and fails
when an endpoint names no scope.

A token that an application got by OAuth allows what its scopes say, within what the person who granted them may do.
HTTP Basic, and `ClientId` with `ClientSecret` in the URL, have all the account's rights, as a token of the client
credentials grant has that was asked for without `scope`. People grant all that an application asks for, or nothing;
what a scope requires is added and shown to them.

The names, the words and the categories of the Unity API's scopes are those of its document. Ours are: which scopes
a scope requires; the scopes of USSD and payments, for which the document has none; and the permissions of the Hub API
as scopes, which limit a token of that API in the same way. "For endpoints to come" stands where the document has a
scope and this program no endpoint for it yet: it can be granted, and allows nothing. A permission with "no endpoint of
its own" is asked for within others: `user:change`, when the user to change is somebody else.
"""

_ELSEWHERE: Mapping[str, str] = {
    OFFLINE_ACCESS: "a refresh token of `POST /oauth/token`, for partner and trusted applications",
    "openid": "an ID token of `POST /oauth/token`; `GET /oauth/userinfo`",
    "profile": "claims of the ID token and of `GET /oauth/userinfo`",
    "email": "claims of the ID token and of `GET /oauth/userinfo`",
}


def endpoints_by_scope() -> Mapping[str, list[str]]:
    """Return the endpoints that need each scope, as `METHOD /path`."""
    found: dict[str, list[str]] = defaultdict(list)
    for endpoint in UNITY_ENDPOINTS:
        for mount in endpoint.mounts[:1]:
            found[endpoint.scope].append(f"`{endpoint.method} {f'/{mount}' if mount else ''}{endpoint.path}`")
    for path, method, permission in hub_operations():
        if permission:
            found[permission].append(f"`{method} {path}`")
    return found


def hub_operations() -> Iterator[tuple[str, str, str]]:
    """Return path, method and permission (empty where everybody may) of every operation of the Hub API."""
    nowhere = cast("Database", None)  # the document is made of the routes alone: nothing is asked
    app = HubApp(HubContext(nowhere, Credentials(nowhere, remember_s=0), 1), product_routes(Shelf(nowhere)))
    paths = msgspec.convert(app.document["paths"], dict[str, dict[str, dict[str, object]]])
    for path, methods in sorted(paths.items()):
        for method, operation in sorted(methods.items()):
            if operation.get("security") != []:
                yield path, method.upper(), str(operation.get("x-permission", ""))


def scopes_page() -> str:
    """Return the page."""
    endpoints = endpoints_by_scope()
    lines = [_PREAMBLE]
    for category in CATEGORIES:
        lines += [f"## {category}", "", "| scope | allows to | requires | endpoints |", "| --- | --- | --- | --- |"]
        lines += [_row(scope, endpoints.get(scope.name, [])) for scope in SCOPES.values() if scope.category == category]
        lines.append("")
    return "\n".join(lines)


def _row(scope: Scope, endpoints: list[str]) -> str:
    requires = ", ".join(f"`{name}`" for name in sorted(with_implied([scope.name]) - {scope.name}))
    otherwise = "for endpoints to come" if scope.is_documented else "no endpoint of its own"
    where = ", ".join(endpoints) or _ELSEWHERE.get(scope.name, otherwise)
    return f"| `{scope.name}` | {scope.words} | {requires} | {where} |"

