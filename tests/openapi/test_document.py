"""The document itself: it is OpenAPI 3.1, says something of everything, and its examples are what it describes."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import jsonschema_rs
import schemathesis

from makola.api.unity import openapi_fields
from makola.api.unity.messages import report_parameters
from makola.core.messaging.types import Direction, Message, MessageKind, MessageStatus
from makola.kit.ids import new_id
from tests.openapi.unity_document import DOCUMENT, ENDPOINTS, Schema, child, schemas

_COMPONENTS = child(DOCUMENT, "components", "schemas")


def _fields() -> Iterator[tuple[str, str, Schema]]:
    for name in _COMPONENTS:
        for field in child(_COMPONENTS, name, "properties"):
            yield name, field, child(_COMPONENTS, name, "properties", field)


def _operations() -> Iterator[tuple[str, Schema]]:
    for path in child(DOCUMENT, "paths"):
        for method in child(DOCUMENT, "paths", path):
            yield path, child(DOCUMENT, "paths", path, method)


def _parameters(operation: Schema) -> list[Schema]:
    parameters = operation["parameters"]
    assert isinstance(parameters, list)
    return [child(parameter) for parameter in parameters]


def test_document_is_openapi() -> None:
    schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT))).validate()


def test_schemas_are_json_schema() -> None:
    wrong = [place for place, schema in schemas() if not jsonschema_rs.meta.is_valid(schema)]
    assert wrong == []


def test_every_endpoint_is_an_operation_of_its_own() -> None:
    names = [operation["operationId"] for _, operation in _operations()]
    assert len(set(map(str, names))) == len(names) == len(ENDPOINTS)


def test_varying_parts_of_paths_are_parameters() -> None:
    for path, operation in _operations():
        described = {parameter["name"] for parameter in _parameters(operation) if parameter["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


def test_everything_is_described() -> None:
    for _, operation in _operations():
        assert operation["summary"]
        assert operation["description"]
        assert all(parameter["description"] for parameter in _parameters(operation))
        responses = child(operation["responses"])
        assert all(child(responses, status)["description"] for status in responses)
    assert all(schema.get("description") for _, _, schema in _fields())


def test_nothing_is_described_that_is_nowhere() -> None:
    pascal = {field[0].upper() + field[1:] for _, field, _ in _fields()}
    pascal |= {str(parameter["name"]).capitalize() for _, operation in _operations()
               for parameter in _parameters(operation) if parameter["in"] == "query"}
    assert openapi_fields.FIELDS.keys() <= pascal
    queries = {endpoint.query.__name__ for endpoint in ENDPOINTS if endpoint.query is not None}
    assert {name for name, _ in openapi_fields.EXCEPTIONS} <= _COMPONENTS.keys() | queries
    assert openapi_fields.EXAMPLES.keys() <= _COMPONENTS.keys()


def test_examples_are_what_is_described() -> None:
    for place, schema in schemas():
        _check_examples(place, schema)
    for name, field, schema in _fields():
        _check_examples(f"{name}.{field}", schema)


def _check_examples(place: str, schema: Schema) -> None:
    examples = schema.get("examples", [])
    assert isinstance(examples, list)
    for example in examples:
        errors = [error.message for error in jsonschema_rs.validator_for(
            {**schema, "components": child(DOCUMENT, "components")}).iter_errors(example)]
        assert errors == [], place


def test_delivery_report_is_what_is_described() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    message = Message(
        new_id(), 1, Direction.OUT, MessageKind.TEXT, "Makola", "+233244123456", "Hello", "", flash=False,
        network_id="62001", units=1, price_units=10_000, status=MessageStatus.SENT, detail="", scheduled=False,
        time=at, updated_at=at, client_reference="", registered_delivery=True, billing_info="")
    report = dict(report_parameters(message, MessageStatus.DELIVERED))
    assert report.keys() == child(_COMPONENTS, "DeliveryReport", "properties").keys()
    jsonschema_rs.validate(child(_COMPONENTS, "DeliveryReport"), report)
