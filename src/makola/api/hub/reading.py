"""Reading a request: the query and the body become structs, and what is wrong is named.

A handler asks for them by dependency: `dependencies={"filters": from_query(OrganisationQuery)}` and
`dependencies={"sent": from_body(NewOrganisation)}`. The OpenAPI document reads the same two.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from litestar.connection import Request
from litestar.datastructures import State
from litestar.di import Provide
from msgspec import Meta, UnsetType

from makola.api.common.asgi import Scope
from makola.api.hub.errors import FieldError, HubError, refused
from makola.kit.json_names import repeated_name

HubRequest = Request[object, object, State]
Struct = TypeVar("Struct", bound=msgspec.Struct)
Value = TypeVar("Value")

MOST_TEXT_CHARACTERS = 200
_MOST_FIELDS = 2_000
_MOST_WORD_CHARACTERS = 200
_MOST_ID = 2**63 - 1

#: An id as PostgreSQL can hold it.
Id = Annotated[int, Meta(ge=1, le=_MOST_ID)]
#: An id in a filter, where -1 stands for "none assigned".
IdOrNone = Annotated[int, Meta(ge=-1, le=_MOST_ID)]
#: The words of a search.
SearchText = Annotated[str, Meta(max_length=MOST_TEXT_CHARACTERS)]

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_NAMED = re.compile(r"(?:required|unknown) field `(?P<name>[^`]*)`")


def read_query(raw: bytes, wanted: type[Struct]) -> Struct:
    """Return the query string as a struct: a repeated key fills a tuple, of any other the last one counts.

    Names that the struct does not have are ignored, as the API's versioning asks of clients too.

    Raises:
        HubError: a value is not possible; it names the field.
    """
    fields = {each.encode_name: each for each in msgspec.structs.fields(wanted)}
    found: dict[str, list[str]] = {}
    pairs = raw.split(b"&") if raw else []
    if len(pairs) > _MOST_FIELDS:
        raise HubError("invalid_request", f"The query has more than {_MOST_FIELDS} fields.")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        key = _decoded(name, "query").removesuffix("[]")  # `vendor[]=5` is how some clients repeat a key
        if key in fields:
            found.setdefault(key, []).append(_decoded(value, key))
    values = {name: texts if _is_many(fields[name].type) else texts[-1] for name, texts in found.items()}
    try:
        return msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(error, of_query=True) from error


async def read_body(request: HubRequest, wanted: type[Struct]) -> Struct:
    """Return the JSON body as a struct.

    Raises:
        HubError: it is not JSON (400, or 415 where it says so itself), or a field is not possible (400).
    """
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise HubError("unsupported_media_type", "The body must be application/json.")
    raw = await request.body()
    if not raw.strip():
        raise HubError("invalid_request", "The request has no body.")
    try:
        decoded = msgspec.json.decode(raw, type=wanted)
        repeated = repeated_name(raw)
    except msgspec.ValidationError as error:
        raise _refusal(error) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise HubError("invalid_request", f"The body is not valid JSON: {error}.") from error
    if repeated is not None:
        raise refused(repeated, "This field is there twice.")
    if b"\\u0000" in raw:
        _refuse_nul(msgspec.to_builtins(decoded), "")
    return decoded


def from_query(wanted: type[Struct]) -> Provide:
    """Return the dependency that reads the query as `wanted`."""
    async def read(request: HubRequest) -> Any:
        return read_query(request.scope["query_string"], wanted)

    return _Documented(read, query=wanted)


def from_body(wanted: type[Struct]) -> Provide:
    """Return the dependency that reads the body as `wanted`."""
    async def read(request: HubRequest) -> Any:
        return await read_body(request, wanted)

    return _Documented(read, body=wanted)


def from_optional_body(wanted: type[Struct]) -> Provide:
    """Return the dependency that reads the body as `wanted`; its defaults where there is no body."""
    async def read(request: HubRequest) -> Any:
        return await read_body(request, wanted) if (await request.body()).strip() else wanted()

    return _Documented(read, body=wanted, needs_body=False)


class _Documented(Provide):
    """A dependency that the OpenAPI document can read."""

    def __init__(self, read: Callable[[HubRequest], Awaitable[object]], *, query: type[msgspec.Struct] | None = None,
                 body: type[msgspec.Struct] | None = None, needs_body: bool = True) -> None:
        super().__init__(read)
        self.query_struct = query
        self.body_struct = body
        self.needs_body = needs_body


def documented_structs(provider: object) -> tuple[type[msgspec.Struct] | None, type[msgspec.Struct] | None]:
    """Return the structs of the query and of the body that a dependency reads."""
    return (provider.query_struct, provider.body_struct) if isinstance(provider, _Documented) else (None, None)


def can_do_without_body(provider: object) -> bool:
    """Say whether a dependency reads a body that may be left out."""
    return isinstance(provider, _Documented) and not provider.needs_body


def query_of(scope: Scope) -> bytes:
    """Return the raw query string."""
    return bytes(scope["query_string"])


def given(value: Value | UnsetType) -> Value | None:
    """Return what was sent; None for what was left out."""
    return None if isinstance(value, UnsetType) else value


def plain_text(word: str) -> str:
    """Return a word of the path that can be looked up.

    Raises:
        HubError: it cannot be the name of anything.
    """
    if "\0" in word or len(word) > _MOST_WORD_CHARACTERS:
        raise HubError("not_found", "There is no such resource.")
    return word


def _decoded(raw: bytes, field: str) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise refused(field, "This is not UTF-8.") from error
    if "\0" in text:
        raise refused(field, "Text cannot contain the NUL character.")
    return text


def _is_many(kind: object) -> bool:
    origin = getattr(kind, "__origin__", None)
    if origin is Annotated or hasattr(kind, "__metadata__"):
        return _is_many(kind.__origin__)  # type: ignore[attr-defined] # what Annotated[...] wraps
    return origin in {list, tuple, frozenset, set}


def _refusal(error: msgspec.ValidationError, *, of_query: bool = False) -> HubError:
    text = str(error)
    at = _PATH.search(text)
    path = at.group("path").removeprefix(".") if at is not None else ""
    message = text[:at.start()] if at is not None else text
    if (named := _NAMED.search(message)) is not None:
        path = f"{path}.{named.group('name')}".removeprefix(".")
    field = path.partition("[")[0] if of_query else path or "body"
    return HubError("invalid_request", f"{field}: {message}.", errors=[FieldError(field, message)])


def _refuse_nul(value: object, path: str) -> None:
    if isinstance(value, str) and "\0" in value:
        raise refused(path or "body", "Text cannot contain the NUL character.")
    if isinstance(value, dict):
        for name, entry in value.items():
            _refuse_nul(entry, f"{path}.{name}".removeprefix("."))
    if isinstance(value, list):
        for index, entry in enumerate(value):
            _refuse_nul(entry, f"{path}[{index}]")
