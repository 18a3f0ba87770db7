"""What is answered where there is no page, and where a page failed: a person gets a page, a program JSON."""

import structlog
from litestar import Request, Response
from litestar.datastructures import State

from makola.kit.database import OUTAGE, is_unstorable

_log = structlog.get_logger(__name__)

_HTML = "text/html"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: Makola</title></head>
<body><main><h1>{title}</h1><p>{detail}</p><p><a href="/">To the beginning</a></p></main></body></html>
"""

_Request = Request[object, object, State]


def missing(request: _Request, _error: Exception) -> Response[str] | Response[dict[str, object]]:
    """Answer a request for what is not here."""
    return _answer(request, 404, "There is no such page", "The address may be mistyped, or the page has moved.")


def too_large(request: _Request, _error: Exception) -> Response[str] | Response[dict[str, object]]:
    """Answer a request whose body is larger than its route takes."""
    return _answer(request, 413, "This is too large", "What was sent is larger than can be taken.")


def failed(request: _Request, error: Exception) -> Response[str] | Response[dict[str, object]]:
    """Answer a request that failed, and tell the operator why; the person learns nothing of the inside."""
    if is_unstorable(error):  # such as a number in an address that no row can have
        return missing(request, error)
    route = request.scope.get("path_template", "")  # not the address: it may carry the token of an invitation
    if isinstance(error, OUTAGE):
        _log.error("request_failed", route=route, kind=type(error).__name__, error=str(error))
        return _answer(request, 503, "Not just now", "The database cannot be reached. Nothing was done.")
    _log.error("request_failed", route=route, exc_info=error)
    return _answer(request, 500, "This did not work", "The request failed on the server. The operator can see why.")


def _answer(request: _Request, status: int, title: str, detail: str) -> Response[str] | Response[dict[str, object]]:
    headers = _HEADERS | ({"Retry-After": "1"} if status == 503 else {})
    if _HTML in request.headers.get("accept", ""):
        return Response(_PAGE.format(title=title, detail=detail), status_code=status, media_type=_HTML,
                        headers=headers)
    return Response({"status_code": status, "detail": f"{title}. {detail}"}, status_code=status, headers=headers)
