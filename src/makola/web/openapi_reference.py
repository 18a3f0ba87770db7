"""An OpenAPI 3.1 document as a reference page shows it: groups of operations with their fields and a curl line."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from makola.web.openapi_schema import Field, Schemas, as_list, as_map, as_text

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_NOT_IDENTIFIER = re.compile(r"[^a-z0-9]+")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """What a request or an answer carries."""

    media_types: tuple[str, ...]
    type: str
    description: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One possible answer."""

    status: str
    description: str
    body: Body | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    identifier: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    parameters: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that share a tag."""

    identifier: str
    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """A way to say who is calling."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole document."""

    title: str
    version: str
    description: str
    server: str
    credentials: tuple[Credential, ...]
    groups: tuple[Group, ...]


def read_reference(document: Mapping[str, object], base_url: str) -> Reference:
    """Return `document` for a page.

    Args:
        document: OpenAPI 3.1; what it lacks is left out, what is unknown is ignored.
        base_url: what a relative server address stands on, without a slash at the end.
    """
    return _Reader(document, base_url).reference()


class _Reader:
    def __init__(self, document: Mapping[str, object], base_url: str) -> None:
        self._document = document
        self._schemas = Schemas(document)
        servers = [as_text(as_map(server).get("url")) for server in as_list(document.get("servers"))]
        server = next((address for address in servers if address), "")
        self._server = (server if "://" in server else base_url + server).rstrip("/")
        self._identifiers: set[str] = set()

    def reference(self) -> Reference:
        info = as_map(self._document.get("info"))
        schemes = as_map(as_map(self._document.get("components")).get("securitySchemes"))
        return Reference(
            as_text(info.get("title")) or "API", as_text(info.get("version")),
            as_text(info.get("description")) or as_text(info.get("summary")), self._server,
            tuple(self._credential(name, scheme) for name, scheme in schemes.items()), self._groups())

    def _credential(self, name: str, value: object) -> Credential:
        scheme = self._schemas.follow(value)
        kind = as_text(scheme.get("type"))
        if kind == "http":
            kind = f"HTTP {as_text(scheme.get('scheme')).capitalize()}"
        elif kind == "apiKey":
            kind = f"{as_text(scheme.get('name'))} in the {as_text(scheme.get('in'))}"
        return Credential(name, kind, as_text(scheme.get("description")))

    def _groups(self) -> tuple[Group, ...]:
        described = {as_text(as_map(tag).get("name")): as_text(as_map(tag).get("description"))
                     for tag in as_list(self._document.get("tags"))}
        grouped: dict[str, list[Operation]] = {name: [] for name in described}
        for path, entry in as_map(self._document.get("paths")).items():
            item = self._schemas.follow(entry)
            for method, value in item.items():
                if method in _METHODS:
                    operation = as_map(value)
                    tag = next((as_text(name) for name in as_list(operation.get("tags"))), "") or "Operations"
                    grouped.setdefault(tag, []).append(self._operation(path, method, operation, item))
        return tuple(Group(self._identifier("group-" + name), name, described.get(name, ""), tuple(operations))
                     for name, operations in grouped.items() if operations)

    def _operation(self, path: str, method: str, operation: Mapping[str, object],
                   item: Mapping[str, object]) -> Operation:
        parameters = self._parameters(operation, item)
        body = self._body(self._schemas.follow(operation.get("requestBody")))
        answers = [self._answer(status, answer) for status, answer in as_map(operation.get("responses")).items()]
        return Operation(
            self._identifier(as_text(operation.get("operationId")) or f"{method}-{path}"), method.upper(), path,
            as_text(operation.get("summary")), as_text(operation.get("description")),
            operation.get("deprecated") is True, parameters, body, tuple(answers),
            self._curl(path, method, operation, parameters, body))

    def _identifier(self, text: str) -> str:
        base = _NOT_IDENTIFIER.sub("-", text.lower()).strip("-") or "entry"
        identifier, count = base, 1
        while identifier in self._identifiers:
            count += 1
            identifier = f"{base}-{count}"
        self._identifiers.add(identifier)
        return identifier

    def _parameters(self, operation: Mapping[str, object], item: Mapping[str, object]) -> tuple[Field, ...]:
        found: dict[tuple[str, str], Field] = {}
        for entry in [*as_list(item.get("parameters")), *as_list(operation.get("parameters"))]:
            parameter = self._schemas.follow(entry)
            name, place = as_text(parameter.get("name")), as_text(parameter.get("in"))
            schema = parameter.get("schema", {})
            given, is_given = self._given_example(parameter)
            example = given if is_given else self._schemas.example(schema)
            required = parameter.get("required") is True
            description = as_text(parameter.get("description")) or as_text(
                self._schemas.resolve(schema).get("description"))
            found[name, place] = Field(
                name, self._schemas.describe_type(schema), required, description, self._schemas.notes(schema),
                place=place, example=_as_word(example) if is_given or required else "")
        return tuple(sorted(found.values(), key=lambda field: not field.required))

    def _given_example(self, holder: Mapping[str, object]) -> tuple[object, bool]:
        if "example" in holder:
            return holder["example"], True
        for example in as_map(holder.get("examples")).values():
            return self._schemas.follow(example).get("value"), True
        return None, False

    def _body(self, holder: Mapping[str, object]) -> Body | None:
        content = as_map(holder.get("content"))
        if not content:
            return None
        first = as_map(next(iter(content.values())))
        schema = first.get("schema", {})
        example, is_given = self._given_example(first)
        if not is_given:
            example = self._schemas.example(schema)
        written = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
        return Body(tuple(content), self._schemas.describe_type(schema), as_text(holder.get("description")),
                    tuple(self._schemas.fields(schema)), written)

    def _answer(self, status: str, value: object) -> Answer:
        answer = self._schemas.follow(value)
        return Answer(status, as_text(answer.get("description")), self._body({"content": answer.get("content")}))

    def _curl(self, path: str, method: str, operation: Mapping[str, object], parameters: tuple[Field, ...],
              body: Body | None) -> str:
        query = [(field.name, field.example) for field in parameters if field.place == "query" and field.example]
        for field in parameters:
            if field.place == "path":
                path = path.replace(f"{{{field.name}}}", quote(field.example, safe=""))
        address = self._server + path + ("?" + urlencode(query, quote_via=quote) if query else "")
        parts = [f"curl {shlex.quote(address)}"]
        if method not in {"get", "post"} or (method == "post" and body is None):
            parts.append(f"-X {method.upper()}")
        parts += self._curl_credentials(operation)
        parts += [f"-H {shlex.quote(f'{field.name}: {field.example}')}" for field in parameters
                  if field.place == "header" and field.example]
        if body is not None and body.media_types[0] == _FORM:
            parts += [f"--data-urlencode {shlex.quote(f'{name}={_as_word(value)}')}"
                      for name, value in as_map(_parsed(body.example)).items()]
        elif body is not None:
            parts += [f"-H 'Content-Type: {body.media_types[0]}'", f"-d {shlex.quote(body.example)}"]
        return " \\\n  ".join(parts)

    def _curl_credentials(self, operation: Mapping[str, object]) -> list[str]:
        schemes = as_map(as_map(self._document.get("components")).get("securitySchemes"))
        needed = operation.get("security", self._document.get("security"))
        used = [self._schemas.follow(schemes.get(name)) for choice in as_list(needed) for name in as_map(choice)]
        kinds = [as_text(scheme.get("scheme")).lower() for scheme in used]
        if "basic" in kinds:
            return ["-u CLIENT_ID:CLIENT_SECRET"]
        if "bearer" in kinds or any(scheme.get("type") == "oauth2" for scheme in used):
            return ["-H 'Authorization: Bearer TOKEN'"]
        return []


def _as_word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    return parsed
