"""What the page of a checkout shows, from what the core says of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from makola.core.checkout.types import (
    MOBILE_MONEY,
    Channel,
    CheckoutState,
    CheckoutView,
    Transaction,
    TransactionState,
)
from makola.core.numbering.networks import NETWORKS, network_name
from makola.kit.clock import now
from makola.web.checkout.language import Language

#: What the networks are called here.
CHANNEL_NAMES: Mapping[Channel, str] = {
    channel: network_name(network_id) for network_id, channel in MOBILE_MONEY.items()}
_SHORT_NUMBER_DIGITS = 13  # +233 and nine digits
_PICTURES_AT_MOST = 20
_HARD_SPACE = "\u00a0"


class Scene(enum.StrEnum):
    """Which of its faces the page shows."""

    CHOOSE = "choose"
    WAITING = "waiting"
    CARD = "card"
    CHECKING = "checking"
    PAID = "paid"
    ORDERED = "ordered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    CLOSED = "closed"


#: Where nothing more can happen that the page would show by itself.
QUIET = frozenset({Scene.PAID, Scene.ORDERED, Scene.CANCELLED, Scene.EXPIRED, Scene.REFUNDED, Scene.CLOSED})

_ENDED = {CheckoutState.PAID: Scene.PAID, CheckoutState.REFUNDED: Scene.REFUNDED, CheckoutState.ORDERED: Scene.ORDERED,
          CheckoutState.CANCELLED: Scene.CANCELLED, CheckoutState.EXPIRED: Scene.EXPIRED,
          CheckoutState.FAILED: Scene.CLOSED}


def scene_of(view: CheckoutView, *, another: bool = False) -> Scene:
    """Return what to show.

    Args:
        view: of the checkout.
        another: the customer wants to choose again although a payment is under way.
    """
    ended = _ENDED.get(view.checkout.state)
    if ended is not None:
        return ended
    possible = view.can_pay or view.can_order
    if not (another and possible):
        if view.pending is not None:
            return Scene.CARD if view.pending.channel is Channel.CARD else Scene.WAITING
        if view.payments and view.payments[-1].state is TransactionState.UNDECIDED:
            return Scene.CHECKING
    if possible:
        return Scene.CHOOSE
    return Scene.EXPIRED if view.checkout.expires_at <= now() else Scene.CLOSED


def version_of(view: CheckoutView) -> str:
    """Return a text that changes whenever a page should show something else."""
    last = view.payments[-1] if view.payments else None
    attempt = "" if last is None else f".{last.transaction_id.hex[:8]}.{last.state}"
    return f"{scene_of(view)}{attempt}"


@dataclass(frozen=True, slots=True)
class Line:
    """An item as it is shown; `picture` is our own address of its picture, empty for none."""

    name: str
    description: str
    quantity: int
    each: str
    sum: str
    picture: str


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay: `value` is "momo", "card" or "delivery", `fee` what it costs on top in words."""

    value: str
    name: str
    hint: str
    fee: str = ""


@dataclass(frozen=True, slots=True)
class PayingNetwork:
    """A network whose wallets can pay; `prefixes` are those of its national numbers."""

    channel: str
    name: str
    prefixes: str


@dataclass(frozen=True, slots=True)
class Form:
    """What the customer has entered, and what is wrong with it.

    Attributes:
        method: "momo", "card" or "delivery".
        channel: chosen by hand; empty for the one that the number tells.
        error: a sentence; empty when nothing is wrong.
        field: what is at fault: "number", "network", "method" or empty.
    """

    method: str = "momo"
    number: str = ""
    channel: str = ""
    error: str = ""
    field: str = ""


def lines(view: CheckoutView, language: Language) -> list[Line]:
    """Return the items."""
    checkout = view.checkout
    return [Line(item.name, item.description, item.quantity, language.amount(item.unit_units, checkout.currency),
                 language.amount(item.unit_units * item.quantity, checkout.currency),
                 picture_path(checkout.checkout_id, place) if item.image_url and place <= _PICTURES_AT_MOST else "")
            for place, item in enumerate(checkout.items, 1)]


def picture_path(checkout_id: UUID, place: int) -> str:
    """Return our address of a picture: 0 for the merchant's logo, else the item's place."""
    return f"/checkout/{checkout_id}/picture/{place}"


def picture_url(view: CheckoutView, place: int) -> str:
    """Return the merchant's address of a picture; empty where there is none."""
    if place == 0:
        return view.checkout.logo_url
    items = view.checkout.items
    return items[place - 1].image_url if 1 <= place <= min(len(items), _PICTURES_AT_MOST) else ""


def show_number(number: str, *, hidden: bool = False) -> str:
    """Write a number in groups; its middle is left out on pages that stay, such as a receipt."""
    if len(number) != _SHORT_NUMBER_DIGITS or not number.startswith("+233"):
        return number
    middle = "***" if hidden else number[6:9]
    return _HARD_SPACE.join(("+233", number[4:6], middle, number[9:]))


def national_number(number: str) -> str:
    """Write a number as it is dialled at home, which is what people enter."""
    if len(number) != _SHORT_NUMBER_DIGITS or not number.startswith("+233"):
        return number
    return f"0{number[4:6]} {number[6:9]} {number[9:]}"


def paid_with(payment: Transaction | None, language: Language) -> str:
    """Say what was paid with."""
    if payment is None:
        return ""
    if payment.channel is Channel.CARD:
        return language.say("card_ending", last_four=payment.card_last4) if payment.card_last4 else language.say("card")
    return f"{CHANNEL_NAMES[payment.channel]} {show_number(payment.number, hidden=True)}"


def methods(view: CheckoutView, language: Language) -> list[Method]:
    """Return what can be chosen, each with what it costs on top."""
    currency = view.checkout.currency
    found: list[Method] = []
    wallets = [channel for channel in view.channels if channel is not Channel.CARD] if view.can_pay else []
    if wallets:
        fees = {view.charges_units[channel] for channel in wallets}
        key = "with_fee" if len(fees) == 1 else "with_fee_from"
        found.append(Method("momo", language.say("mobile_money"), language.say("mobile_money_hint"),
                            language.say(key, amount=language.amount(min(fees), currency)) if max(fees) else ""))
    if view.can_pay and Channel.CARD in view.channels:
        fee = view.charges_units[Channel.CARD]
        found.append(Method("card", language.say("card"), language.say("card_hint"),
                            language.say("with_fee", amount=language.amount(fee, currency)) if fee else ""))
    if view.can_order:
        found.append(Method("delivery", language.say("delivery"), language.say("delivery_hint")))
    return found


@lru_cache(maxsize=64)
def networks(channels: tuple[Channel, ...]) -> tuple[PayingNetwork, ...]:
    """Return the networks whose wallets can pay, with the prefixes of their numbers."""
    return tuple(PayingNetwork(channel.value, NETWORKS[network_id].name,
                               " ".join(prefix.removeprefix("0") for prefix in NETWORKS[network_id].prefixes))
                 for network_id, channel in MOBILE_MONEY.items() if channel in channels)


def safe_link(url: str) -> str:
    """Return a merchant's address if a browser may be sent there, else nothing."""
    return url if urlsplit(url).scheme in {"http", "https"} else ""


def origins(*urls: str) -> list[str]:
    """Return the origins of addresses, for a Content-Security-Policy: none that its grammar could not hold."""
    found: list[str] = []
    for url in urls:
        parts = urlsplit(url)
        netloc = parts.netloc
        plain = netloc and netloc.isascii() and not set(netloc) & set(" ;,'\"@*\\")
        if parts.scheme in {"http", "https"} and plain and f"{parts.scheme}://{netloc}" not in found:
            found.append(f"{parts.scheme}://{netloc}")
    return found
