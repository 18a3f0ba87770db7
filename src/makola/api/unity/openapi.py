"""The OpenAPI 3.1 document of the Unity API, made from the endpoints themselves."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from makola.api.unity import openapi_payment_fields as payment_fields
from makola.api.unity.endpoint import Endpoint
from makola.api.unity.errors import ErrorAnswer, ErrorAnswerCamel
from makola.api.unity.messages import SendAnswer, SendAnswerCamel
from makola.api.unity.openapi_callbacks import CheckoutCallback
from makola.api.unity.openapi_fields import EXAMPLES, PATH_PARTS, Schema, describe

Struct: TypeAlias = type[msgspec.Struct]
Schemas: TypeAlias = Mapping[Struct, Schema]

_ERROR_TEXTS = {
    400: "Refused: `Status` is the sub-code (1 recipient, 2 sender, 3 too long, 4 not routable, 5 time, 6 content,"
         " 7 parameter not allowed, 8 parameter not valid, 100 malformed request) and `Detail` names the field.",
    401: "The credentials are missing or wrong.",
    402: "The account, or a tier above it, does not have enough credit.",
    403: "The recipient has asked not to receive messages, or the access token does not allow this.",
    404: "There is no such thing in this account's sight.",
    409: "The Idempotency-Key was used for another request.",
    413: "The body is too large.",
    500: "The request failed on the server; `Detail` says whether anything was done.",
    502: "No gateway is connected for the recipient's network.",
    503: "Too many messages are waiting to be stored; try again after `Retry-After` seconds.",
}

#: What every endpoint may answer: a query that is not UTF-8, credentials, a token's scopes, a database that is away.
_ALWAYS = frozenset({400, 401, 403, 500})

_INTRODUCTION = """\
Send messages and follow them to the handset.

**Credentials**: HTTP Basic with client id and secret, `Authorization: Bearer`, or `ClientId` and `ClientSecret` in
the URL. **Bodies**: JSON or a form. **Names**: in any case; what is unknown, null or read-only is ignored. Numbers
and booleans may be written as texts (`"1"`, `"Yes"`). **Times**: `yyyy-MM-dd HH:mm:ss` in the account's time
zone (GMT unless it was changed); ISO 8601 is read too. The same API is under `/v1` and `/v3`, with or without a
trailing slash; sending with one URL is under `/v2` too.

A 2xx answer to a send means that the message is on disk. An `Idempotency-Key` header makes it safe to repeat.
"""

#: Answers of which an application may want the other casing.
_IN_CAMEL_CASE: Mapping[Struct, Struct] = {SendAnswer: SendAnswerCamel, ErrorAnswer: ErrorAnswerCamel}

_URL_CREDENTIALS = frozenset({"ClientId", "ClientSecret"})

_HEADERS: Mapping[int, Mapping[str, Schema]] = {
    401: {"WWW-Authenticate": {"description": "How to give credentials.", "required": True,
                               "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds.", "required": True,
                          "schema": {"type": "string", "pattern": "^[0-9]+$"}}},
}
_LOCATION: Mapping[str, Schema] = {
    "Location": {"description": "The message's address.", "required": True,
                 "schema": {"type": "string", "format": "uri"}}}

_IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "A repeat with the same key and content gets the first answer.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]*$", "examples": ["order-1234-confirmation"]}}


class DeliveryReport(msgspec.Struct, rename="pascal"):
    """What became of a message whose `RegisteredDelivery` was true."""

    from_: str = msgspec.field(name="From")
    to: str
    message_id: str
    client_reference: str
    status: str


def document(endpoints: Sequence[Endpoint], *, version: str) -> dict[str, object]:
    """Return the document; paths are those under `/v1`.

    Args:
        endpoints: what it describes.
        version: of the program.
    """
    answers: set[Struct] = {ErrorAnswer, DeliveryReport}
    answers |= {CheckoutCallback}
    answers |= {endpoint.error for endpoint in endpoints if endpoint.error is not None}
    answers |= {struct for endpoint in endpoints for struct in endpoint.answers.values()}
    answers |= {_IN_CAMEL_CASE[struct] for struct in answers & _IN_CAMEL_CASE.keys()}
    bodies = {endpoint.body for endpoint in endpoints if endpoint.body is not None}
    payments = _names_of({struct for endpoint in endpoints if endpoint.error is not None
                          for struct in (endpoint.error, endpoint.body, *endpoint.answers.values())
                          if struct is not None} | {CheckoutCallback})
    schemas, components = _schemas(answers | bodies, answers, payments)
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        path = f"/{endpoint.mounts[0]}{endpoint.path}" if endpoint.mounts[0] else endpoint.path
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Makola: Unity API", "version": version, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}, {"clientId": [], "clientSecret": []}],
        "paths": paths,
        "webhooks": {"deliveryReport": {"post": _delivery_report(schemas)},
                     "checkout": {"post": _checkout_callback(schemas)}},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "clientId": {"type": "apiKey", "in": "query", "name": "ClientId"},
                "clientSecret": {"type": "apiKey", "in": "query", "name": "ClientSecret"}}},
    }


# -- operations ---------------------------------------------------------------------------------------------------


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, object]:
    sends = endpoint.scope == "messages.send" and endpoint.method in {"GET", "POST"} and "{" not in endpoint.path
    varying = [part.strip("{}") for part in endpoint.path.split("/") if part.startswith("{")]
    parameters: list[Schema] = [_parameter(name, "path", True, PATH_PARTS[name]) for name in varying]
    if endpoint.query is not None:
        parameters += _query_parameters(endpoint.query, for_payments=endpoint.error is not None)
    if sends:
        parameters.append(_IDEMPOTENCY_KEY)
    operation: dict[str, object] = {
        "operationId": f"{endpoint.method.lower()}{re.sub('[^a-z]+', '_', endpoint.path)}".strip("_"),
        "summary": endpoint.summary,
        "description": endpoint.description or (endpoint.handler.__doc__ or "").strip(),
        "tags": [endpoint.group],
        "x-scope": endpoint.scope,
        "parameters": parameters,
        "responses": {
            **{str(status): _response("Done.", _schema_of(struct, endpoint, schemas),
                                      _LOCATION if sends and status == 201 else {})
               for status, struct in endpoint.answers.items()},
            **{str(status): _response(_error_texts(endpoint)[status],
                                      _schema_of(endpoint.error or ErrorAnswer, endpoint, schemas),
                                      _HEADERS.get(status, {}))
               for status in sorted(_statuses_of_errors(endpoint))}},
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _contents(
            schemas[endpoint.body], "application/json", "application/x-www-form-urlencoded")}
    return operation


def _error_texts(endpoint: Endpoint) -> Mapping[int, str]:
    return _ERROR_TEXTS if endpoint.error is None else payment_fields.ERROR_TEXTS


def _statuses_of_errors(endpoint: Endpoint) -> Collection[int]:
    return {*endpoint.errors, *_ALWAYS, *((413,) if endpoint.reads_body else ())}


def _schema_of(struct: Struct, endpoint: Endpoint, schemas: Schemas) -> Schema:
    """Return an answer's schema, or a choice of two where the application has chosen the casing."""
    other = _IN_CAMEL_CASE.get(struct)
    if other is None or not endpoint.cased:
        return schemas[struct]
    return {"oneOf": [schemas[struct], schemas[other]]}


def _response(description: str, schema: Schema, headers: Mapping[str, Schema]) -> dict[str, object]:
    response: dict[str, object] = {"description": description, "content": _contents(schema, "application/json")}
    if headers:
        response["headers"] = headers
    return response


def _contents(schema: Schema, *media_types: str) -> dict[str, object]:
    return {media_type: {"schema": schema} for media_type in media_types}


def _delivery_report(schemas: Schemas) -> dict[str, object]:
    """Return the operation that an account's own server offers."""
    _, components = _schemas({DeliveryReport}, {DeliveryReport})
    return {
        "operationId": "delivery_report",
        "summary": "Receive a delivery report",
        "description": "Sent to the account's `DeliveryReportNotificationUrl` when a message that asked for it has"
                       " ended; the values are in the query too, and with the method GET only there. It is repeated"
                       " under the same `webhook-id` until it is answered 2xx; 410 ends all reports to this address."
                       " The signature is that of Standard Webhooks.",
        "tags": ["Messages"],
        "parameters": [
            _header("webhook-id", "The same for every repeat."),
            _header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
            _header("webhook-signature", "`v1,` and the HMAC-SHA256 in Base64."),
            *(_parameter(name, "query", True, schema)
              for name, schema in _properties(components["DeliveryReport"]).items())],
        "requestBody": {"required": False, "content": _contents(schemas[DeliveryReport], "application/json")},
        "responses": {"200": {"description": "Received. Every 2xx will do."},
                      "410": {"description": "Send nothing more to this address."}},
        "security": [],
    }


def _checkout_callback(schemas: Schemas) -> dict[str, object]:
    """Return the operation that a merchant's own server offers."""
    return {
        "operationId": "checkout_callback",
        "summary": "Receive the outcome of a checkout",
        "description": "Sent once to the checkout's `callbackUrl`, when it has ended; repeated and signed as delivery"
                       " reports are. `OrderNumber` and `OrderToken` are there for orders (0002) alone.",
        "tags": ["Checkout"],
        "parameters": [
            _header("webhook-id", "The same for every repeat."),
            _header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
            _header("webhook-signature", "`v1,` and the HMAC-SHA256 in Base64.")],
        "requestBody": {"required": True, "content": _contents(schemas[CheckoutCallback], "application/json")},
        "responses": {"200": {"description": "Received. Every 2xx will do."},
                      "410": {"description": "Send nothing more to this address."}},
        "security": [],
    }


def _header(name: str, description: str) -> dict[str, object]:
    return _parameter(name, "header", True, {"type": "string", "description": description})


def _query_parameters(struct: Struct, *, for_payments: bool) -> list[Schema]:
    _, components = _schemas({struct}, (), _names_of({struct}) if for_payments else ())
    component = components[struct.__name__]
    required = component.get("required", ())
    return [_parameter(name, "query", isinstance(required, Collection) and name in required, schema)
            for name, schema in _properties(component).items() if name not in _URL_CREDENTIALS]


def _parameter(name: str, place: str, required: bool, schema: Schema) -> dict[str, object]:
    return {"name": name, "in": place, "required": required, "description": schema["description"],
            "schema": {key: value for key, value in schema.items() if key != "description"}}


# -- schemas ------------------------------------------------------------------------------------------------------


def _names_of(structs: Collection[Struct]) -> Collection[str]:
    """Return the names of the schemas of structs, and of those that they are made of."""
    return msgspec.json.schema_components(structs)[1].keys()


def _schemas(structs: Iterable[Struct], answers: Collection[Struct],
             payments: Collection[str] = ()) -> tuple[Schemas, dict[str, dict[str, object]]]:
    """Return references to the structs' schemas, and the schemas by name, with everything said that is known.

    An answer has all its fields, also those that have a default, unless it leaves out what is the default.
    """
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    references, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    always_whole = {struct.__name__ for struct in answers if not struct.__struct_config__.omit_defaults}
    for name, component in components.items():
        properties = _properties(component)
        component["properties"] = {
            field: _described(name, field, schema, for_payments=name in payments)
            for field, schema in properties.items()
            if field not in _URL_CREDENTIALS}
        if name in always_whole:
            component["required"] = list(properties)
        examples = payment_fields.EXAMPLES if name in payments else EXAMPLES
        if name in examples:
            component["examples"] = [examples[name]]
    return dict(zip(ordered, references, strict=True)), components


def _described(name: str, field: str, schema: Schema, *, for_payments: bool) -> Schema:
    kept = {key: value for key, value in schema.items() if (key, value) != ("default", "")}
    return {**kept, **(payment_fields.describe if for_payments else describe)(name, field)}


def _properties(component: Mapping[str, object]) -> dict[str, Schema]:
    properties = component["properties"]
    if not isinstance(properties, dict):
        raise TypeError("a struct's schema is an object")
    return properties
