"""The virtual card provider's page. A card number is looked at once and goes nowhere."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from makola.connectors.sandbox.card_numbers import CHALLENGE_CODE, TEST_CARDS
from makola.connectors.sandbox.card_store import CardPayment
from makola.connectors.sandbox.card_words import FRENCH, FRENCH_REASONS, choose_words
from makola.connectors.sandbox.cards import CardDesk
from makola.connectors.sandbox.errors import CardSessionNotFoundError, InvalidInputError
from makola.kit.ids import parse_id
from makola.kit.money import amount_text
from makola.kit.origins import is_origin_of

_BODY_BYTES_AT_MOST = 4_096
_NUMBER_LENGTH_AT_MOST = 40
_BAD = 400
_FORBIDDEN = 403
_REFUSED = 422

_Request = Request[object, object, State]


class _Page:
    """No dataclass, because the framework would look through all of its fields at each request."""

    def __init__(self, desk: CardDesk) -> None:
        self.desk = desk
        self.css = (files(__package__) / "card_page" / "page.css").read_bytes()
        self._version = hashlib.sha256(self.css).hexdigest()[:12]
        self._environment = Environment(
            loader=PackageLoader(__package__, "card_page"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True)

    def show(self, request: _Request, payment: CardPayment | None, *, error: str = "",
             status: int = 200) -> Response[str]:
        """Return the page of a payment; None for the page that says that there is none.

        Args:
            request: which language it wants.
            payment: what to show.
            error: the key of what is wrong with what was sent; empty when nothing is.
            status: of the answer.
        """
        words = choose_words(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))
        reason = "" if payment is None else payment.reason
        html = self._environment.get_template("page.html").render(
            payment=payment, say=words, suffix=_suffix(request), error=words[error] if error else "",
            amount="" if payment is None else amount_text(payment.amount_units, payment.currency, words["language"]),
            reason=FRENCH_REASONS.get(reason, reason) if words is FRENCH else reason,
            path="" if payment is None else f"/sandbox/cards/{payment.session_id.hex}", cards=TEST_CARDS,
            code=CHALLENGE_CODE, version=self._version)
        return Response(html, status_code=status, media_type="text/html", headers=_headers(payment))


def create_card_page_router(desk: CardDesk) -> Router:
    """Return `/sandbox/cards/…`: the page to which `SandboxCards` sends customers."""
    page = _Page(desk)

    def missing(request: _Request, _error: CardSessionNotFoundError) -> Response[str]:
        return page.show(request, None, status=404)

    return Router(path="/sandbox/cards", route_handlers=[style, show, pay, answer_challenge, cancel],
                  dependencies={"page": Provide(lambda: page, sync_to_thread=False)}, include_in_schema=False,
                  exception_handlers={CardSessionNotFoundError: missing},
                  request_max_body_size=_BODY_BYTES_AT_MOST)


@get("/page.css")
async def style(page: NamedDependency[_Page]) -> Response[bytes]:
    """The page's style sheet."""
    return Response(page.css, media_type="text/css",
                    headers={"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"})


@get("/{session:str}")
async def show(page: NamedDependency[_Page], request: _Request, session: FromPath[str]) -> Response[str]:
    """Where a payment stands, and what can be done about it."""
    return page.show(request, await page.desk.session(_id(session)))


@post("/{session:str}")
async def pay(page: NamedDependency[_Page], request: _Request, session: FromPath[str]) -> Response[str] | Redirect:
    """Take a card's number."""
    return await _take(page, request, session, lambda session_id, form: page.desk.pay(
        session_id, form.get("number", "")[:_NUMBER_LENGTH_AT_MOST]))


@post("/{session:str}/code")
async def answer_challenge(page: NamedDependency[_Page], request: _Request,
                           session: FromPath[str]) -> Response[str] | Redirect:
    """Take the 3-D Secure code."""
    return await _take(page, request, session, lambda session_id, form: page.desk.answer_challenge(
        session_id, form.get("code", "")))


@post("/{session:str}/cancel")
async def cancel(page: NamedDependency[_Page], request: _Request, session: FromPath[str]) -> Response[str] | Redirect:
    """Give up."""
    return await _take(page, request, session, lambda session_id, _form: page.desk.cancel(session_id))


class _FormError(Exception):
    """What was sent is no form of this page. `key` is the text that says so, `status` the answer's."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key = key
        self.status = status


async def _take(page: _Page, request: _Request, session: str,
                step: Callable[[UUID, Mapping[str, str]], Awaitable[CardPayment]]) -> Response[str] | Redirect:
    """Do what a form asks for; where it cannot be used, show the payment as it stands and say so."""
    session_id = _id(session)
    try:
        return _onwards(request, await step(session_id, await _form(request)))
    except _FormError as error:
        return page.show(request, await page.desk.session(session_id), error=error.key, status=error.status)
    except InvalidInputError:
        return page.show(request, await page.desk.session(session_id), error="not_taken", status=_REFUSED)


def _onwards(request: _Request, payment: CardPayment) -> Redirect:
    """Send the customer back to the shop, or on to the next step."""
    own = f"/sandbox/cards/{payment.session_id.hex}{_suffix(request)}"
    place = payment.return_url if payment.is_settled else own
    return Redirect(place, status_code=303, headers=_headers(payment))


def _suffix(request: _Request) -> str:
    """Return what the address says of the language, for the next address."""
    asked = request.query_params.get("lang", "")
    return f"?lang={asked}" if asked in {"en", "fr"} else ""


async def _form(request: _Request) -> Mapping[str, str]:
    """Return the fields of a form of this page.

    Raises:
        _FormError: it is another site's, larger than ours can be, or cannot be read.
    """
    origin = request.headers.get("origin", "null")
    if origin != "null" and not is_origin_of(origin, request.headers.get("host", "")):
        raise _FormError("foreign", _FORBIDDEN)
    try:
        form = await request.form()
    except HTTPException as error:
        raise _FormError("unreadable", error.status_code) from error
    except (ValueError, LookupError) as error:  # parts in a character set that does not exist, or not in the one named
        raise _FormError("unreadable", _BAD) from error
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _headers(payment: CardPayment | None) -> dict[str, str]:
    """Return strict headers; what a form leads to, in the end, is the shop that the payment is for."""
    shop = ""
    if payment is not None:
        parts = urlsplit(payment.return_url)
        shop = f" {parts.scheme}://{parts.netloc}"
    return {
        "Content-Security-Policy": ("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self';"
                                    f" form-action 'self'{shop}"),
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise CardSessionNotFoundError("there is no such card payment")
    return found
