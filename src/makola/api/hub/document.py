"""The OpenAPI 3.1 document of the Hub API, made from the routes themselves.

What a handler reads is in its dependencies (`reading.from_query`, `reading.from_body`), what it answers in its
return type, what it needs in its options: nothing is said twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from makola.api.hub.errors import Problem
from makola.api.hub.hot import HotRoute
from makola.api.hub.introduction import INTRODUCTION, TAGS
from makola.api.hub.paging import Paging
from makola.api.hub.reading import can_do_without_body, documented_structs

BASE = "/api/v1"
_REF = "#/components/schemas/{name}"

_NOT_READ = 431
_PATH_SCHEMAS: Mapping[type, Mapping[str, object]] = {
    int: {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, str: {"type": "string", "minLength": 1}}

_ERROR_TEXTS = {
    400: "The query or the body is not possible; `errors` names the fields.",
    401: "There is no access token, or it is not valid.",
    403: "Permission denied, or the organisation has no credit account; `detail` says which.",
    404: "There is no such thing in this organisation's sight.",
    409: "This stands against something that exists.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    431: "The query is too long for this server, which did not read it.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, wherever it is served."""

    path: str
    method: str
    name: str
    summary: str
    description: str
    tags: Sequence[str]
    status: int
    returns: object
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    needs_body: bool
    permission: str
    path_parameters: Mapping[str, type]
    errors: frozenset[int]


def document(app: Litestar, hot_routes: Sequence[HotRoute], *, version: str,
             extra_paths: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the document.

    Args:
        app: the family's application.
        hot_routes: what is served before it.
        version: of the program.
        extra_paths: what is served elsewhere and belongs here (the token endpoint), as OpenAPI.
    """
    operations = sorted([*_of_litestar(app), *(_of_hot_route(route) for route in hot_routes)],
                        key=lambda operation: (operation.path, operation.method))
    types: list[object] = [Problem]
    for operation in operations:
        types += [kind for kind in (operation.returns, operation.query, operation.body) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=_REF)
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, object]] = {path: dict(_mapping(item)) for path, item in (extra_paths or {}).items()}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, by_type, components)
    for query in {operation.query.__name__ for operation in operations if operation.query is not None}:
        components.pop(query, None)  # a query is written out as parameters
    return {
        "openapi": "3.1.0",
        "info": {"title": "Makola: Hub API", "version": version, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {
                "type": "http", "scheme": "bearer",
                "description": f"The access token of `POST {BASE}/oauth/create_token`."}}},
    }


def _of_litestar(app: Litestar) -> Iterable[Operation]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                if handler.resolve_include_in_schema():
                    yield _of_handler(route, handler, method)


def _of_handler(route: HTTPRoute, handler: HTTPRouteHandler, method: str) -> Operation:
    query = body = None
    dependencies = handler.resolve_dependencies().values()
    for provider in dependencies:
        its_query, its_body = documented_structs(provider)
        query, body = its_query or query, its_body or body
    names = {part.name: part.type for part in route.path_components if not isinstance(part, str)}
    summary, _, description = (getdoc(handler.fn) or "").partition("\n")
    errors = {401, 403, *handler.opt.get("errors", ())}
    errors |= {404} if names else set()
    errors |= {400, _NOT_READ} if query is not None else set()
    errors |= {400, 404, 413, 415} if body is not None else set()
    return Operation(
        route.path_format, method.lower(), handler.handler_name, summary.rstrip("."), description.strip(),
        sorted(handler.resolve_tags()), handler.status_code,
        _answered(handler.parsed_return_field.annotation), query, body,
        not any(map(can_do_without_body, dependencies)), str(handler.opt.get("permission", "")), names,
        frozenset(errors))


def _of_hot_route(route: HotRoute) -> Operation:
    names: dict[str, type] = {part.strip("{}"): int for part in route.path.split("/") if part.startswith("{")}
    errors = {401, 403, *route.errors} | ({404} if names else set()) | (
        {400, _NOT_READ} if route.query is not None else set())
    return Operation(f"{BASE}{route.path}", "get", "get_" + "_".join(route.path.strip("/").replace("{", "by_").replace(
        "}", "").split("/")), route.summary, route.description, [route.tag], 200, route.returns, route.query, None,
        True, str(route.permission), names, frozenset(errors))


def _answered(annotation: object) -> object:
    """Return the type of the body: what stands in `Response[...]`; None where there is no body."""
    if get_origin(annotation) is Response:
        annotation = get_args(annotation)[0]
    return None if annotation in {None, type(None)} else annotation


def _described(operation: Operation, by_type: Mapping[int, dict[str, Any]],
               components: Mapping[str, dict[str, Any]]) -> dict[str, object]:
    parameters: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_PATH_SCHEMAS[kind])}
        for name, kind in operation.path_parameters.items()]
    if operation.query is not None:
        parameters += _query_parameters(components[operation.query.__name__])
    responses: dict[str, object] = {str(operation.status): _success(operation, by_type)}
    for status in sorted(operation.errors):
        media_type = "application/json" if status == _NOT_READ else "application/problem+json"
        responses[str(status)] = {"description": _ERROR_TEXTS[status],
                                  "content": {media_type: {"schema": by_type[id(Problem)]}}}
    described: dict[str, object] = {
        "operationId": operation.name, "summary": operation.summary, "tags": list(operation.tags),
        "description": operation.description, "parameters": parameters, "responses": responses}
    if operation.permission:
        described["x-permission"] = operation.permission
        described["description"] = f"{operation.description}\n\nNeeds the permission `{operation.permission}`.".strip()
    if operation.body is not None:
        described["requestBody"] = {"required": operation.needs_body, "content": {
            "application/json": {"schema": by_type[id(operation.body)]}}}
    return described


def _success(operation: Operation, by_type: Mapping[int, dict[str, Any]]) -> dict[str, object]:
    if operation.returns is None:
        return {"description": "Done."}
    described: dict[str, object] = {
        "description": "Done.", "content": {"application/json": {"schema": by_type[id(operation.returns)]}}}
    if operation.query is not None and issubclass(operation.query, Paging):
        described["headers"] = {
            "X-Total-Count": {"description": "Results on all pages.", "schema": {"type": "integer"}},
            "X-Total-Pages": {"description": "Pages.", "schema": {"type": "integer"}}}
    return described


def _query_parameters(component: Mapping[str, Any]) -> list[dict[str, object]]:
    described: list[dict[str, object]] = []
    for name, schema in component["properties"].items():
        parameter: dict[str, object] = {"name": name, "in": "query", "required": name in component.get("required", ()),
                                        "schema": schema}
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        if "description" in schema:
            parameter["description"] = schema["description"]
        described.append(parameter)
    return described


def _anything(kind: type) -> dict[str, object]:
    """Return the schema of `object`: any JSON value."""
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("a path item is an object")
    return value
