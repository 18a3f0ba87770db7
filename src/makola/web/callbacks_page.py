"""The page of callbacks: what was sent to accounts' servers, what came back, and a button that sends it again.

It has no sign-in of its own yet, so it is served with the demonstration world only.
"""

from dataclasses import dataclass
from uuid import UUID

from litestar import Request, Response, Router, get, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from makola.core.callbacks import service
from makola.core.callbacks.errors import DeliveryNotFoundError
from makola.core.callbacks.queries import get_delivery, list_deliveries
from makola.core.callbacks.types import DeliveryHistory
from makola.kit.database import Database
from makola.kit.ids import parse_id
from makola.kit.origins import is_origin_of
from makola.web.pages import Pages
from makola.web.people.signed_in import signed_in

#: Where the demonstration world's own receiver is: it says yes to everything.
RECEIVER_PATH = "/callbacks/receiver"
_PAGE = 25

_Request = Request[object, object, State]


@dataclass(frozen=True, slots=True)
class _Services:
    pages: Pages
    database: Database


def create_callbacks_router(pages: Pages, database: Database) -> Router:
    """Return `/callbacks`, its replay button and the demonstration receiver."""
    services = _Services(pages, database)
    return Router(path="/callbacks", route_handlers=[callbacks, replay, receive], include_in_schema=False,
                  dependencies={"services": Provide(lambda: services, sync_to_thread=False)})


@get("/")
async def callbacks(services: NamedDependency[_Services], request: _Request,
                    before: FromQuery[str] = "") -> Response[str]:
    """The newest callbacks, or those older than `before`."""
    deliveries = await list_deliveries(services.database, organisation_id=None, limit=_PAGE + 1,
                                       before=parse_id(before))
    shown = [await get_delivery(services.database, each.delivery_id, organisation_id=None)
             for each in deliveries[:_PAGE]]
    older = deliveries[_PAGE - 1].delivery_id.hex if len(deliveries) > _PAGE else ""
    return services.pages.answer("callbacks.html", "callbacks", viewer=await signed_in(request),
                                 deliveries=[_view(each) for each in shown], older=older, first=not before)


@post("/{delivery_id:str}/replay")
async def replay(services: NamedDependency[_Services], request: _Request,
                 delivery_id: FromPath[str]) -> Response[str] | Redirect:
    """Send one callback again."""
    origin = request.headers.get("origin")
    if origin is not None and not is_origin_of(origin, request.headers.get("host", "")):
        return services.pages.answer("missing.html", "callbacks", 403)
    wanted = parse_id(delivery_id) or UUID(int=0)
    try:
        await service.replay(services.database, wanted, organisation_id=None)
    except DeliveryNotFoundError:
        return services.pages.answer("missing.html", "callbacks", 404)
    return Redirect(f"/callbacks#{wanted.hex}", status_code=303)


@route("/receiver", http_method=[HttpMethod.GET, HttpMethod.POST])
async def receive() -> Response[str]:
    """Take a callback of the demonstration world."""
    return Response("Received.", media_type="text/plain", status_code=200)


def _view(history: DeliveryHistory) -> dict[str, object]:
    """Return what the template shows of one callback."""
    delivery = history.delivery
    body = delivery.body.decode("utf-8", "replace") if delivery.body else ""
    return {
        "id": delivery.delivery_id.hex, "state": delivery.state.value, "words": _STATES[delivery.state.value],
        "event": delivery.event, "method": delivery.method, "url": delivery.url, "query": delivery.query, "body": body,
        "detail": delivery.detail, "created": f"{delivery.created_at:%Y-%m-%d %H:%M:%S}",
        "due": f"{delivery.due_at:%Y-%m-%d %H:%M:%S}", "organisation_id": delivery.organisation_id,
        "attempts": [{"number": attempt.number, "at": f"{attempt.started_at:%Y-%m-%d %H:%M:%S}",
                      "duration_ms": attempt.duration_ms, "outcome": attempt.status or attempt.error,
                      "good": attempt.status is not None and attempt.status // 100 == 2, "answer": attempt.answer}
                     for attempt in history.attempts]}


_STATES = {"pending": "Waiting", "delivered": "Delivered", "failed": "Given up", "gone": "Refused for good",
           "not_sent": "Not sent"}
