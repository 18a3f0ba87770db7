"""Reading the schemas of an OpenAPI 3.1 document: types, fields and examples for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_DEEPEST = 5
_BOUNDS = {
    "minLength": "at least {} characters", "maxLength": "at most {} characters", "minimum": "at least {}",
    "maximum": "at most {}", "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "minItems": "at least {} items", "maxItems": "at most {} items", "pattern": "matches {}",
}
_PLAIN_EXAMPLES: dict[str, object] = {
    "integer": 0, "number": 0, "boolean": True, "null": None, "array": [], "object": {}}
_FORMAT_EXAMPLES = {
    "date-time": "2030-01-31T12:00:00Z", "date": "2030-01-31", "uri": "https://example.com/", "email":
    "ama@example.com", "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body. `depth` is how far it is nested; `place` where a parameter goes."""

    name: str
    type: str
    required: bool
    description: str
    notes: tuple[str, ...]
    depth: int = 0
    place: str = ""
    example: str = ""


def as_map(value: object) -> Mapping[str, object]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """Return `value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def as_text(value: object) -> str:
    """Return `value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


class Schemas:
    """Schemas of one document, with its references followed."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document

    def follow(self, value: object) -> Mapping[str, object]:
        """Return an object, or what its `$ref` inside this document leads to."""
        found = as_map(value)
        for _ in range(20):
            reference = as_text(found.get("$ref"))
            if not reference.startswith("#/"):
                return found
            target: object = self._document
            for part in reference[2:].split("/"):
                target = as_map(target).get(part.replace("~1", "/").replace("~0", "~"))
            found = {**as_map(target), **{key: kept for key, kept in found.items() if key != "$ref"}}
        return {}

    def resolve(self, value: object) -> Mapping[str, object]:
        """Return a schema with its reference followed and every `allOf` merged into it."""
        schema = self.follow(value)
        parts = [self.resolve(part) for part in as_list(schema.get("allOf"))]
        if not parts:
            return schema
        merged = {key: kept for part in [*parts, schema] for key, kept in part.items() if key != "allOf"}
        merged["properties"] = {
            name: kept for part in [*parts, schema] for name, kept in as_map(part.get("properties")).items()}
        merged["required"] = [name for part in [*parts, schema] for name in as_list(part.get("required"))]
        return merged

    def describe_type(self, value: object) -> str:
        """Return a schema's type as a person would say it."""
        schema = self.resolve(value)
        if choices := self._choices(schema):
            return " or ".join(dict.fromkeys(self.describe_type(choice) for choice in choices))
        if "const" in schema:
            return json.dumps(schema["const"])
        types = as_list(schema.get("type")) or [schema.get("type")]
        names = [as_text(name) for name in types if as_text(name)]
        if not names:
            names = ["object"] if "properties" in schema else ["any"]
        if "array" in names and "items" in schema:
            names[names.index("array")] = f"array of {self.describe_type(schema['items'])}"
        if form := as_text(schema.get("format")):
            names[0] += f" ({form})"
        return " or ".join(names)

    def notes(self, value: object) -> tuple[str, ...]:
        """Return a schema's limits, its possible values and its default, in words."""
        schema = self.resolve(value)
        notes = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
        if values := as_list(schema.get("enum")):
            notes.append("one of " + ", ".join(json.dumps(entry) for entry in values))
        if "default" in schema:
            notes.append("default " + json.dumps(schema["default"]))
        if schema.get("readOnly") is True:
            notes.append("read-only")
        return tuple(notes)

    def fields(self, value: object, depth: int = 0, above: tuple[object, ...] = ()) -> list[Field]:
        """Return the fields of an object, of an array's items, or of the first choice that has any."""
        schema = self.resolve(value)
        properties = as_map(schema.get("properties"))
        if depth > _DEEPEST or any(properties is seen for seen in above):
            return []
        if properties:
            required = as_list(schema.get("required"))
            return [field for name, entry in properties.items()
                    for field in self._field(name, entry, name in required, depth, (*above, properties))]
        if "items" in schema:
            return self.fields(schema["items"], depth, above)
        for choice in self._choices(schema):
            if found := self.fields(choice, depth, above):
                return found
        return []

    def _field(self, name: str, value: object, required: bool, depth: int,
               above: tuple[object, ...]) -> list[Field]:
        schema = self.resolve(value)
        field = Field(name, self.describe_type(value), required, as_text(schema.get("description")),
                      self.notes(value), depth)
        return [field, *self.fields(value, depth + 1, above)]

    def example(self, value: object, depth: int = 0) -> object:
        """Return an example for a schema: its own, or one made from its types."""
        schema = self.resolve(value)
        if "example" in schema:
            return schema["example"]
        for key in ("examples", "enum"):
            if given := as_list(schema.get(key)):
                return given[0]
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if choices := self._choices(schema):
            return self.example(choices[0], depth)
        return self._made_example(schema, depth)

    def _made_example(self, schema: Mapping[str, object], depth: int) -> object:
        properties = as_map(schema.get("properties"))
        if properties and depth <= _DEEPEST:
            made = {name: self.example(entry, depth + 1) for name, entry in properties.items()
                    if self.resolve(entry).get("readOnly") is not True}
            return {name: example for name, example in made.items() if example is not None}
        names = [as_text(name) for name in as_list(schema.get("type")) or [schema.get("type")]]
        kind = next((name for name in names if name and name != "null"), "")
        if kind == "array" and "items" in schema and depth <= _DEEPEST:
            return [self.example(schema["items"], depth + 1)]
        if kind == "string":
            return _FORMAT_EXAMPLES.get(as_text(schema.get("format")), "string")
        return _PLAIN_EXAMPLES.get(kind, "string")

    @staticmethod
    def _choices(schema: Mapping[str, object]) -> Sequence[object]:
        return as_list(schema.get("oneOf")) or as_list(schema.get("anyOf"))
