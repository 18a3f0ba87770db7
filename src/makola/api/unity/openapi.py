"""The OpenAPI 3.1 document of the Unity API, made from the endpoints themselves."""

from collections.abc import Sequence

import msgspec

from makola.api.unity.endpoint import Endpoint
from makola.api.unity.errors import ErrorAnswer

_ERROR_TEXTS = {
    400: "Refused: `Status` is the sub-code (1 recipient, 2 sender, 3 too long, 4 not routable, 5 time, 6 content,"
         " 7 parameter not allowed, 8 parameter not valid, 100 malformed request) and `Detail` names the field.",
    401: "The credentials are missing or wrong.",
    402: "The account, or a tier above it, does not have enough credit.",
    403: "The recipient has asked not to receive messages.",
    404: "There is no such thing in this account's sight.",
    409: "The Idempotency-Key was used for another request.",
    413: "The body is too large.",
    500: "The request failed on the server; nothing was done.",
    502: "No gateway is connected for the recipient's network.",
    503: "Too many messages are waiting to be stored; try again after `Retry-After` seconds.",
}

_INTRODUCTION = """\
Send messages and follow them to the handset.

**Credentials**: HTTP Basic with client id and secret, `Authorization: Bearer`, or `ClientId` and `ClientSecret` in
the URL. **Bodies**: JSON or a form. **Names**: in any case. **Times**: `yyyy-MM-dd HH:mm:ss` in the account's time
zone (GMT unless it was changed); ISO 8601 is read too. The same API is under `/v1` and `/v3`, with or without a
trailing slash.

A 2xx answer to a send means that the message is on disk. An `Idempotency-Key` header makes it safe to repeat.
"""


def document(endpoints: Sequence[Endpoint], *, version: str) -> dict[str, object]:
    """Return the document; paths are those under `/v1` (and `/v2` where only that exists)."""
    structs = {ErrorAnswer} | {struct for endpoint in endpoints for struct in (
        *endpoint.answers.values(), endpoint.body, endpoint.query) if struct is not None}
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    by_struct = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        path = f"/{endpoint.mounts[0]}{endpoint.path}"
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, by_struct, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Makola: Unity API", "version": version, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}, {"clientId": [], "clientSecret": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "clientId": {"type": "apiKey", "in": "query", "name": "ClientId"},
                "clientSecret": {"type": "apiKey", "in": "query", "name": "ClientSecret"}}},
    }


def _operation(endpoint: Endpoint, schemas: dict[type[msgspec.Struct], dict[str, object]],
               components: dict[str, dict[str, object]]) -> dict[str, object]:
    parameters: list[dict[str, object]] = [
        {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
        for part in endpoint.path.split("/") if part.startswith("{")]
    if endpoint.query is not None:
        parameters += _query_parameters(components[endpoint.query.__name__])
    if endpoint.scope == "messages.send" and 201 in endpoint.answers and "{" not in endpoint.path:
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False,
                           "description": "A repeat with the same key and content gets the first answer.",
                           "schema": {"type": "string", "maxLength": 255}})
    operation: dict[str, object] = {
        "operationId": f"{endpoint.method.lower()}_{endpoint.handler.__name__}_{endpoint.path.count('/')}",
        "summary": endpoint.summary,
        "description": endpoint.description or (endpoint.handler.__doc__ or "").strip(),
        "tags": [endpoint.group],
        "x-scope": endpoint.scope,
        "parameters": parameters,
        "responses": {
            **{str(status): _response("Done.", schemas[struct]) for status, struct in endpoint.answers.items()},
            **{str(status): _response(_ERROR_TEXTS[status], schemas[ErrorAnswer]) for status in endpoint.errors}},
    }
    if endpoint.body is not None:
        schema = schemas[endpoint.body]
        operation["requestBody"] = {"required": True, "content": {
            "application/json": {"schema": schema}, "application/x-www-form-urlencoded": {"schema": schema}}}
    return operation


def _response(description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _query_parameters(component: dict[str, object]) -> list[dict[str, object]]:
    properties, required = component["properties"], component.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise TypeError("a query's schema is an object")
    return [{"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in properties.items() if name not in {"ClientId", "ClientSecret"}]
