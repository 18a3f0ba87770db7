"""The page's routes. Whoever has its address may pay: the checkout's id is random and names nothing else."""

from collections.abc import Callable, Mapping

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from makola.core.checkout import errors
from makola.core.checkout.queries import checkout_view
from makola.core.checkout.service import asking, closing, payments
from makola.core.checkout.types import MOBILE_MONEY, Channel, CheckoutView, PaymentChoice, Started
from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.kit.errors import DomainError
from makola.kit.origins import is_origin_of
from makola.web.checkout.answers import card_door, page
from makola.web.checkout.language import choose_language
from makola.web.checkout.live import TooManyWatchersError
from makola.web.checkout.services import CheckoutServices, Counter
from makola.web.checkout.view import Form, picture_url, scene_of, version_of
from makola.web.form_data import read_form_data
from makola.web.pages import Pages

_BODY_BYTES_AT_MOST = 16_384
_REGION = "GH"
_REFUSED = 422
_FORBIDDEN = 403
_NOT_FOUND = 404
_BUSY = 503
_PICTURE_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff",
                    "Content-Security-Policy": "default-src 'none'"}
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_Request = Request[object, object, State]


def checkout_pages(services: CheckoutServices) -> Callable[[Pages], Router]:
    """Return what makes `/checkout/{id}` and what belongs to it."""
    def make(pages: Pages) -> Router:
        counter = Counter(services, pages)

        def missing(request: _Request, _error: errors.UnknownCheckoutError) -> Response[str]:
            language = choose_language(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))
            return page(counter, request, None, status=_NOT_FOUND, language=language)

        return Router(path="/checkout", include_in_schema=False, request_max_body_size=_BODY_BYTES_AT_MOST,
                      route_handlers=[show, show_direct, pay, cancel, come_back, events, state, picture],
                      dependencies={"counter": Provide(lambda: counter, sync_to_thread=False)},
                      exception_handlers={errors.UnknownCheckoutError: missing})

    return make


@get("/{token:str}")
async def show(counter: NamedDependency[Counter], request: _Request, token: FromPath[str]) -> Response[str]:
    """The page."""
    return page(counter, request, await checkout_view(counter.desk, token))


@get("/{token:str}/direct")
async def show_direct(counter: NamedDependency[Counter], request: _Request, token: FromPath[str]) -> Response[str]:
    """The page for a frame in the merchant's own (`checkoutDirectUrl`)."""
    return page(counter, request, await checkout_view(counter.desk, token), framed=True)


@post("/{token:str}/pay")
async def pay(counter: NamedDependency[Counter], request: _Request, token: FromPath[str]) -> Response[str] | Redirect:
    """Begin a payment, or place the order."""
    view = await checkout_view(counter.desk, token)
    fields = await _fields(request)
    framed = fields.get("framed") == "1"
    if not _is_own(counter, request, view, fields):
        return page(counter, request, view, framed=framed, status=_FORBIDDEN,
                    form=_form(fields, error="error_form"))
    try:
        started = await _begin(counter, view, fields)
    except _FormError as error:
        return page(counter, request, await checkout_view(counter.desk, token), framed=framed, status=_REFUSED,
                    form=_form(fields, error=error.key, field=error.field))
    if started is not None and started.payment.channel is Channel.CARD and started.payment.is_open:
        if not started.redirect_url:
            return page(counter, request, view, framed=framed, status=_BUSY, form=_form(fields, error="error_provider"))
        return card_door(counter, request, view, started.redirect_url, framed=framed)
    return Redirect(_address(view, request, framed=framed), status_code=303)


@post("/{token:str}/cancel")
async def cancel(counter: NamedDependency[Counter], request: _Request,
                 token: FromPath[str]) -> Response[str] | Redirect:
    """Give the checkout up."""
    view = await checkout_view(counter.desk, token)
    fields = await _fields(request)
    framed = fields.get("framed") == "1"
    if not _is_own(counter, request, view, fields):
        return page(counter, request, view, framed=framed, status=_FORBIDDEN, form=_form(fields, error="error_form"))
    await closing.cancel(counter.desk, view.checkout.checkout_id)
    return Redirect(_address(view, request, framed=framed), status_code=303)


@get("/{token:str}/back")
async def come_back(counter: NamedDependency[Counter], request: _Request, token: FromPath[str]) -> Redirect:
    """Where card providers send the customer: ask them at once how the payment stands, and show it.

    Somebody who comes again at once is shown what is known: the page tells of what follows by itself.
    """
    view = await checkout_view(counter.desk, token)
    waiting = [payment for payment in view.payments if payment.is_open and payment.channel is Channel.CARD]
    if waiting and counter.may_ask(view.checkout.checkout_id):
        await asking.ask(counter.desk, waiting)
    return Redirect(_address(view, request, framed=False), status_code=303)


@get("/{token:str}/events")
async def events(counter: NamedDependency[Counter], token: FromPath[str]) -> Stream | Response[str]:
    """Stream what changes."""
    await checkout_view(counter.desk, token)
    try:
        stream = counter.watchers.watch(token)
    except TooManyWatchersError:
        return Response("", status_code=_BUSY, media_type="text/plain")
    return Stream(stream, media_type="text/event-stream", headers=_STREAM_HEADERS)


@get("/{token:str}/state")
async def state(counter: NamedDependency[Counter], token: FromPath[str]) -> Response[dict[str, str]]:
    """Say which version of the page is true now, for pages that cannot listen."""
    view = await checkout_view(counter.desk, token)
    return Response({"version": version_of(view), "scene": scene_of(view)}, headers={"Cache-Control": "no-store"})


@get("/{token:str}/picture/{place:int}")
async def picture(counter: NamedDependency[Counter], token: FromPath[str], place: FromPath[int]) -> Response[bytes]:
    """The merchant's logo, or an item's picture, from our own memory."""
    url = picture_url(await checkout_view(counter.desk, token), place)
    found = await counter.pictures.get(url) if url else None
    if found is None:
        return Response(b"", status_code=_NOT_FOUND, media_type="image/png", headers=_PICTURE_HEADERS)
    return Response(found, media_type="image/png", headers=_PICTURE_HEADERS)


class _FormError(Exception):
    """What was entered cannot be used. `key` is the text that says why, `field` what is at fault."""

    def __init__(self, key: str, field: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.field = field


#: What the core refuses, in the page's words.
_REFUSALS: Mapping[type[DomainError], tuple[str, str]] = {
    errors.ChannelNotPermittedError: ("error_channel", "number"),
    errors.TooManyAttemptsError: ("error_attempts", ""),
    errors.AmountTooSmallError: ("error_amount", "method"),
}


async def _begin(counter: Counter, view: CheckoutView, fields: Mapping[str, str]) -> Started | None:
    """Do what the form asks for.

    Raises:
        _FormError: it cannot be done.
    """
    checkout_id = view.checkout.checkout_id
    method = fields.get("method", "")
    if method not in {"momo", "card", "delivery"}:
        raise _FormError("error_method", "method")
    number, channel = ("", Channel.CARD) if method == "card" else _wallet(fields, needs_channel=method == "momo")
    try:
        if method == "delivery":
            await closing.order_pay_on_delivery(counter.desk, checkout_id, number)
            return None
        return await payments.start_payment(counter.desk, checkout_id, PaymentChoice(
            channel, number, another=fields.get("another") == "1",
            return_url=f"{counter.services.public_url}/checkout/{checkout_id}/back"), seen=view.checkout)
    except errors.CheckoutClosedError:
        return None  # the page shows how it has ended
    except (errors.ChannelNotPermittedError, errors.TooManyAttemptsError, errors.AmountTooSmallError) as error:
        raise _FormError(*_REFUSALS[type(error)]) from error


def _wallet(fields: Mapping[str, str], *, needs_channel: bool) -> tuple[str, Channel]:
    try:
        parsed = parse_phone_number(fields.get("number", "").strip(), region=_REGION, field="number")
    except InvalidPhoneNumberError as error:
        raise _FormError("error_number", "number") from error
    if parsed.region != _REGION and needs_channel:
        raise _FormError("error_number", "number")
    chosen = fields.get("network", "")
    known = MOBILE_MONEY.get(parsed.network_id)
    if chosen in {channel.value for channel in MOBILE_MONEY.values()}:
        known = Channel(chosen)
    if known is None and needs_channel:
        raise _FormError("error_network", "network")
    return parsed.e164, known or Channel.MTN


def _form(fields: Mapping[str, str], *, error: str, field: str = "") -> Form:
    return Form(fields.get("method", "momo"), fields.get("number", "")[:40], fields.get("network", ""), error, field)


async def _fields(request: _Request) -> Mapping[str, str]:
    """Return the form's fields; none of one that is larger than ours can be, or that is no form: it has no token."""
    try:
        form = await read_form_data(request)
    except HTTPException:
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _is_own(counter: Counter, request: _Request, view: CheckoutView, fields: Mapping[str, str]) -> bool:
    """Say whether a form was sent from our own page: it carries the page's token, and names no other origin."""
    origin = request.headers.get("origin", "")
    if origin and origin != "null" and not is_origin_of(origin, request.headers.get("host", "")):
        return False
    return counter.is_form_token(view.checkout.checkout_id, fields.get("token", ""))


def _address(view: CheckoutView, request: _Request, *, framed: bool) -> str:
    path = f"/checkout/{view.checkout.checkout_id}" + ("/direct" if framed else "")
    language = request.query_params.get("lang", "")
    return f"{path}?lang={language}" if language in {"en", "fr"} else path
