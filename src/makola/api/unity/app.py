"""The Unity API as one ASGI application: the path, the sender, the endpoint, the answer.

Sending a message is the hot path of the whole program, and every endpoint of this family needs tolerances that a web
framework does not have (JSON or form, names in any case, slashes as they come), so the family is served by this one
table instead of a framework's router (docs/decisions/0002-unity-router.md).
"""

from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from makola.api.common.asgi import (
    Answer,
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_answer,
)
from makola.api.common.credentials import Credentials, NotAuthenticatedError
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.errors import UnityError, answer_to
from makola.api.unity.request import UnityRequest, read_key, read_query, read_values
from makola.kit.database import OUTAGE
from makola.kit.errors import DomainError

_log = structlog.get_logger(__name__)

_Methods = dict[str, Endpoint]

_FAILED = answer_to(UnityError("failed", "The request failed on the server."))
_BEARER_CHALLENGE = (b"www-authenticate", b'Bearer realm="Makola", error="invalid_token"')


class UnityApp:
    """Serves the endpoints under their mount points.

    Args:
        context: what the endpoints work with.
        credentials: who may call.
        endpoints: the whole family.
        max_body_bytes: a longer body is refused with 413.
        public_url: scheme and host for the links in answers; empty for those of the request.
    """

    def __init__(self, context: UnityContext, credentials: Credentials, endpoints: Sequence[Endpoint], *,
                 max_body_bytes: int, public_url: str = "") -> None:
        self._context = context
        self._credentials = credentials
        self._max_body_bytes = max_body_bytes
        self._public_url = public_url.rstrip("/")
        self._fixed: dict[tuple[str, ...], _Methods] = {}
        self._varying: list[tuple[tuple[str, ...], _Methods]] = []
        for endpoint in endpoints:
            for mount in endpoint.mounts:
                self._add(endpoint, (*((mount,) if mount else ()), *endpoint.path.strip("/").split("/")))

    def _add(self, endpoint: Endpoint, parts: tuple[str, ...]) -> None:
        if not any(part.startswith("{") for part in parts):
            self._fixed.setdefault(parts, {})[endpoint.method] = endpoint
            return
        for known, methods in self._varying:
            if known == parts:
                methods[endpoint.method] = endpoint
                return
        self._varying.append((parts, {endpoint.method: endpoint}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            answer = await self._answer(scope, receive)
        except ClientGoneError:
            return
        except DomainError as error:
            answer = answer_to(error)
        except Exception:
            # A mistake of the program: the client still gets JSON, and the server logs what it was.
            await send_answer(send, _FAILED)
            raise
        await send_answer(send, answer if answer.status != 401 else _challenged(scope, answer))

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        parts = tuple(part for part in scope["path"].split("/") if part)
        methods, path = self._find(parts)
        endpoint = methods.get(scope["method"])
        if endpoint is None:
            refusal = answer_to(UnityError("method_not_allowed", f"Use {' or '.join(sorted(methods))} here."))
            return Answer(refusal.status, refusal.body, ((b"allow", ", ".join(sorted(methods)).encode()),))
        try:
            return await self._call(endpoint, scope, receive, parts[0], path)
        except DomainError as error:
            if endpoint.refusal is None:
                raise
            return endpoint.refusal(error)

    async def _call(self, endpoint: Endpoint, scope: Scope, receive: Receive, version: str,
                    path: dict[str, str]) -> Answer:
        """Call an endpoint; whatever is refused is a `DomainError`, which the endpoint may write in its own words."""
        limit = endpoint.max_body_bytes or self._max_body_bytes
        try:
            return await self._call_for_caller(endpoint, scope, receive, version, path, limit)
        except NotAuthenticatedError as error:
            raise UnityError("not_authenticated", str(error)) from error
        except BodyTooLargeError as error:
            raise UnityError("body_too_large", f"The body is longer than {limit} bytes.") from error
        except OUTAGE as error:
            _log.error("request_failed", path=scope["path"], kind=type(error).__name__, error=str(error))
            raise UnityError("failed", "The request failed on the server.") from error

    async def _call_for_caller(self, endpoint: Endpoint, scope: Scope, receive: Receive, version: str,
                               path: dict[str, str], limit: int) -> Answer:
        query = read_query(scope)
        caller = await self._credentials.caller(scope, query)
        if caller.actor.scopes is not None and endpoint.scope not in caller.actor.scopes:
            raise UnityError("scope_missing", f"The access token does not allow {endpoint.scope}.")
        if not caller.actor.may_use(endpoint.module):
            raise UnityError("scope_missing", "This organisation, or this user, may not use the module"
                                              f" {endpoint.module.lower()}.")
        key = read_key(scope)
        try:
            body: dict[str, object] = {}
            if endpoint.reads_body:
                raw = await read_body(scope, receive, limit)
                body = read_values(scope, raw) if raw or not query else {}
            return await endpoint.handler(self._context, UnityRequest(
                caller, path, query, body, key, version, self._base_url(scope)))
        except DomainError as error:
            if not endpoint.cased:
                raise
            return answer_to(error, caller.application.answer_casing)

    def _find(self, parts: tuple[str, ...]) -> tuple[_Methods, dict[str, str]]:
        """Return the endpoints of a path, and its varying parts; doubled and trailing slashes are gone already."""
        methods = self._fixed.get(parts)
        if methods is not None:
            return methods, {}
        folded = tuple(part.lower() for part in parts)
        if (methods := self._fixed.get(folded)) is not None:
            return methods, {}
        for pattern, candidate in self._varying:
            if len(pattern) == len(parts) and all(
                    expected[0] == "{" or expected == given
                    for expected, given in zip(pattern, folded, strict=True)):
                return candidate, {expected.strip("{}"): given
                                   for expected, given in zip(pattern, parts, strict=True) if expected[0] == "{"}
        raise UnityError("no_such_resource", "There is no such resource.")

    def _base_url(self, scope: Scope) -> str:
        if self._public_url:
            return self._public_url
        host = header(scope, b"host") or b"localhost"
        return f"{scope['scheme']}://{host.decode('latin-1')}"


def _challenged(scope: Scope, answer: Answer) -> Answer:
    """Answer whoever showed a token as RFC 6750 section 3 says, so that OAuth clients see that it is the token."""
    if not (header(scope, b"authorization") or b"").lower().startswith(b"bearer"):
        return answer
    others = tuple(each for each in answer.headers if each[0] != b"www-authenticate")
    return replace(answer, headers=(*others, _BEARER_CHALLENGE))
