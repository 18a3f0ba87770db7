"""The page as an answer: the right face, in the right language, with the right headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from litestar import Request, Response
from litestar.datastructures import State

from makola.core.checkout.types import Channel, CheckoutView, Transaction, TransactionState
from makola.kit.clock import now
from makola.web.checkout import view as views
from makola.web.checkout.language import LANGUAGES, Language, choose_language
from makola.web.checkout.services import Counter
from makola.web.checkout.view import QUIET, Form, Scene, scene_of, version_of

_SOON_S = 3_600.0

_Request = Request[object, object, State]


@dataclass(frozen=True, slots=True)
class OfferedLanguage:
    """A language that the page can be read in, and where; `current` is the one it is in."""

    code: str
    name: str
    href: str
    current: bool


def page(counter: Counter, request: _Request, view: CheckoutView | None, *, framed: bool = False,
         form: Form | None = None, status: int = 200, language: Language | None = None) -> Response[str]:
    """Answer with the page of a checkout; None for the page that says that there is none.

    Args:
        counter: what the routes work with.
        request: which language and which face it wants.
        view: what to show.
        framed: for a frame in the merchant's page.
        form: what was entered and refused.
        status: of the answer.
        language: None for the request's.
    """
    asked = request.query_params.get("lang", "")
    chosen = language or choose_language(asked, request.headers.get("accept-language", ""))
    suffix = f"?lang={chosen.code}" if asked == chosen.code else ""
    if view is None:
        return _finish(counter.pages.answer("checkout/missing.html", "checkout", status, it=SimpleNamespace(
            language=chosen, suffix=suffix, languages=(), base="", version="", live=False, framed=False, logo="")),
            None, framed=framed)
    wants_another = request.query_params.get("another") == "1" or (form is not None and view.pending is not None)
    scene = scene_of(view, another=wants_another)
    base = f"/checkout/{view.checkout.checkout_id}"
    address = base + ("/direct" if framed else "")
    values = {
        **_values(view, chosen, scene), "language": chosen, "suffix": suffix, "base": base, "address": address,
        "framed": framed, "form": form or Form(_first_method(view, chosen), _last_number(view)),
        "another": wants_another and view.pending is not None, "token": counter.form_token(view.checkout.checkout_id),
        "languages": [OfferedLanguage(other.code, other.name, f"{address}?lang={other.code}", other is chosen)
                      for other in LANGUAGES.values()]}
    return _finish(counter.pages.answer(f"checkout/{_TEMPLATES.get(scene, scene)}.html", "checkout", status,
                                        it=SimpleNamespace(**values)), view, framed=framed)


def card_door(counter: Counter, request: _Request, view: CheckoutView, url: str, *, framed: bool) -> Response[str]:
    """Answer with the step to the card provider's page.

    It is a page of its own because browsers refuse a form that leads, by redirects, to another site
    (Content-Security-Policy, form-action).
    """
    asked = request.query_params.get("lang", "")
    language = choose_language(asked, request.headers.get("accept-language", ""))
    base = f"/checkout/{view.checkout.checkout_id}"
    values = _values(view, language, Scene.CARD) | {
        "live": False, "language": language, "suffix": f"?lang={language.code}" if asked == language.code else "",
        "base": base, "address": base + ("/direct" if framed else ""), "languages": (), "framed": framed,
        "url": views.safe_link(url)}
    return _finish(counter.pages.answer("checkout/card_door.html", "checkout", it=SimpleNamespace(**values)), view,
                   framed=framed)


_TEMPLATES = {Scene.PAID: "done", Scene.ORDERED: "done", Scene.REFUNDED: "done", Scene.CANCELLED: "over",
              Scene.EXPIRED: "over", Scene.CLOSED: "over", Scene.CHECKING: "over"}


def _values(view: CheckoutView, language: Language, scene: Scene) -> dict[str, object]:
    checkout, merchant = view.checkout, view.merchant
    last = view.payments[-1] if view.payments else None
    shown = view.pending or next((payment for payment in view.payments
                                  if payment.transaction_id == checkout.paid_by), last)
    amount_units = shown.amount_units if shown is not None and scene not in {Scene.CHOOSE, Scene.ORDERED} else (
        checkout.total_units)
    return {
        "scene": scene.value, "version": version_of(view), "live": scene not in QUIET, "merchant": merchant.name,
        "logo": views.picture_path(checkout.checkout_id, 0) if checkout.logo_url else "",
        "initial": merchant.name.strip()[:1].upper(), "checkout": checkout,
        "amount": language.amount(amount_units, checkout.currency),
        "total": language.amount(checkout.total_units, checkout.currency),
        "taxes": language.amount(checkout.taxes_units, checkout.currency) if checkout.taxes_units else "",
        "fee": _fee(shown, checkout.total_units, language) if scene is not Scene.CHOOSE else "",
        "lines": views.lines(view, language), "methods": views.methods(view, language),
        "networks": views.networks(view.channels), "payment": shown,
        "number": "" if shown is None else views.show_number(shown.number),
        "network": "" if shown is None or shown.channel is Channel.CARD else views.CHANNEL_NAMES[shown.channel],
        "paid_with": views.paid_with(shown, language), "failure": _failure(view, language),
        "under_way_is_card": view.pending is not None and view.pending.channel is Channel.CARD,
        "can_choose": view.can_pay or view.can_order, "until": _until(view),
        "return_url": views.safe_link(checkout.return_url),
        "cancellation_url": views.safe_link(checkout.cancellation_url) or views.safe_link(checkout.return_url)}


def _fee(payment: Transaction | None, total_units: int, language: Language) -> str:
    if payment is None or payment.amount_units <= total_units:
        return ""
    return language.amount(payment.amount_units - total_units, payment.currency)


def _failure(view: CheckoutView, language: Language) -> str:
    """Say why the last attempt failed; nothing when it did not."""
    last = view.payments[-1] if view.payments else None
    if last is None or last.state is not TransactionState.FAILED:
        return ""
    return language.failure(last.failure_code, last.failure_detail)


def _until(view: CheckoutView) -> str:
    """Return until when a page can be paid, where that is soon."""
    left_s = (view.checkout.expires_at - now()).total_seconds()
    return f"{view.checkout.expires_at:%H:%M}" if 0 < left_s < _SOON_S else ""


def _first_method(view: CheckoutView, language: Language) -> str:
    """Return the way to pay that is chosen at first: the one of the last attempt, if there was one."""
    if view.payments and view.payments[-1].channel is Channel.CARD:
        return "card"
    return next((method.value for method in views.methods(view, language)), "")


def _last_number(view: CheckoutView) -> str:
    """Return the number that the customer entered before, or that the merchant knows."""
    used = next((payment.number for payment in reversed(view.payments) if payment.number), "")
    return views.national_number(used or view.checkout.payee_number)


def _finish(response: Response[str], view: CheckoutView | None, *, framed: bool) -> Response[str]:
    headers: Mapping[str, str] = _headers(view, framed=framed)
    response.headers.update(headers)
    if framed and view is not None:
        response.headers.pop("X-Frame-Options", None)
    return response


def _headers(view: CheckoutView | None, *, framed: bool) -> Mapping[str, str]:
    """Return the headers: a page may be framed only as the variant for that, and only by the merchant's own sites."""
    ancestors = "'none'"
    if framed and view is not None:
        shops = views.origins(view.checkout.return_url, view.checkout.cancellation_url)
        ancestors = " ".join(["'self'", *shops])
    return {"Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
        f" form-action 'self'; frame-ancestors {ancestors}"), "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer"}
