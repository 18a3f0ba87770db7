"""The document of the Unity API, as it is made before a server gives it out."""

import json
from collections.abc import Iterator
from typing import TypeAlias

from makola import __version__
from makola.api.unity import openapi
from makola.wiring.unity import UNITY_ENDPOINTS as ENDPOINTS

__all__ = ["DOCUMENT", "ENDPOINTS", "Json", "Schema", "child", "schemas"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Schema: TypeAlias = dict[str, Json]


DOCUMENT: Schema = json.loads(json.dumps(openapi.document(ENDPOINTS, version=__version__)))


def child(value: Json, *names: str) -> Schema:
    """Return the object that is at the end of a path of names."""
    for name in names:
        assert isinstance(value, dict)
        value = value[name]
    assert isinstance(value, dict)
    return value


def schemas(value: Json = DOCUMENT, place: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every schema that stands anywhere, with its place: under `schema`, and the components."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from schemas(item, f"{place}/{number}")
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict) and (name == "schema" or place == "/components/schemas"):
                yield f"{place}/{name}", item
            yield from schemas(item, f"{place}/{name}")
