"""What checkout asks of the outside: mobile money and card providers.

The contract that makes every step safe to repeat: each request carries our `transaction_id`, and a provider (or its
connector) that is asked twice under one id moves money once and answers with how the first request stands. Being
unreachable is an answer, never an exception.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makola.core.checkout.types import Channel, Failure, TransactionKind


class Progress(enum.Enum):
    """What a provider says of a transaction.

    PENDING: it has it, and the customer or itself has not decided. SUCCEEDED: the money moved. FAILED: it did not,
    and will not. UNKNOWN: it has certainly never heard of this id. UNREACHABLE: no answer, or one that means nothing;
    the transaction may exist or not.
    """

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


#: Of what a provider says; ids and reasons are far shorter.
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """How a transaction stands at the provider.

    Attributes:
        failure: why, where it failed.
        detail: the reason in plain words, for the customer; empty where `failure` says it all.
        provider_reference: the provider's own id of the transaction; empty where it has none or did not say.
        card_last4: the card's last four digits; never more of it.
    """

    progress: Progress
    failure: Failure = Failure.OTHER
    detail: str = ""
    provider_reference: str = ""
    card_last4: str = ""

    def __post_init__(self) -> None:
        """Make its texts such as can be stored: answers are recorded together, and one must not hold up the others."""
        for name in ("detail", "provider_reference", "card_last4"):
            object.__setattr__(self, name, _storable(getattr(self, name)))


def _storable(text: str) -> str:
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST_TEXT:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST_TEXT]


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A request that a customer pays. `amount_units` in 1/10,000 of the currency's unit.

    Attributes:
        transaction_id: ours; makes the request safe to repeat.
        number: the customer's wallet, international with `+`; empty for a card.
        payee: the merchant's name, as the customer is to read it.
        return_url: where a card provider's page sends the customer back to.
    """

    transaction_id: UUID
    channel: Channel
    number: str
    amount_units: int
    currency: str
    payee: str
    description: str
    client_reference: str = ""
    email: str = ""
    return_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A request to pay out to a wallet."""

    transaction_id: UUID
    channel: Channel
    number: str
    name: str
    amount_units: int
    currency: str
    description: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A request to give back all or a part of a payment that succeeded.

    Attributes:
        transaction_id: the refund's own.
        payment_id: the payment's `transaction_id`.
        payment_reference: the provider's id of the payment.
        number: the wallet that paid.
    """

    transaction_id: UUID
    payment_id: UUID
    payment_reference: str
    channel: Channel
    number: str
    amount_units: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class StatusQuestion:
    """How does this transaction stand?

    Attributes:
        provider_reference: empty where the provider never said one.
        amount_units, currency: what it is about. A provider at which a customer could change that compares it: less
            money is no success. Zero and empty: not to be compared.
    """

    kind: TransactionKind
    transaction_id: UUID
    provider_reference: str
    channel: Channel
    amount_units: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ProviderTransaction:
    """One line of a provider's own list, for reconciliation.

    Attributes:
        transaction_id: ours, as the provider was told it; None for what we never asked for.
        at: when the provider says that it happened.
    """

    transaction_id: UUID | None
    provider_reference: str
    kind: TransactionKind
    progress: Progress
    amount_units: int
    currency: str
    at: datetime


class Provider(Protocol):
    """What mobile money and card providers have in common."""

    @property
    def name(self) -> str:
        """What tables, logs and the ledger's clearing account call it; never changes."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """What it serves."""
        ...

    @property
    def has_list(self) -> bool:
        """Whether it can list what it has moved; where it cannot, our own side alone is looked through."""
        ...

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        """Say how a transaction of any kind stands. This alone is believed; notices are hints."""
        ...

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Give money back."""
        ...

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        """Return the provider's list of a period (`since` included, `until` not); None while it does not answer."""
        ...


class MobileMoneyProvider(Provider, Protocol):
    """Wallets on phones."""

    async def request_payment(self, request: PaymentRequest) -> ProviderAnswer:
        """Ask the customer, on the phone, to pay. PENDING is the usual answer."""
        ...

    async def send(self, request: SendRequest) -> ProviderAnswer:
        """Pay out to a wallet."""
        ...


@dataclass(frozen=True, slots=True)
class CardStart:
    """Where to send the customer; empty when `answer` is not PENDING."""

    answer: ProviderAnswer
    redirect_url: str = field(default="", repr=False)


class CardProvider(Provider, Protocol):
    """Cards, always at the provider's own page: no card number ever comes here."""

    async def start(self, request: PaymentRequest) -> CardStart:
        """Begin a payment; return the page at which the customer pays. Repeated, the same page."""
        ...


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of this installation; the first that serves a channel gets it."""

    mobile_money: tuple[MobileMoneyProvider, ...] = ()
    cards: tuple[CardProvider, ...] = ()

    def mobile_money_for(self, channel: Channel) -> MobileMoneyProvider | None:
        """Return who takes payments by a wallet's channel."""
        return next((provider for provider in self.mobile_money if channel in provider.channels), None)

    def card(self) -> CardProvider | None:
        """Return who takes cards."""
        return self.cards[0] if self.cards else None

    def mobile_money_named(self, name: str) -> MobileMoneyProvider | None:
        """Return the provider of wallets of this name."""
        return next((provider for provider in self.mobile_money if provider.name == name), None)

    def card_named(self, name: str) -> CardProvider | None:
        """Return the provider of cards of this name."""
        return next((provider for provider in self.cards if provider.name == name), None)

    def named(self, name: str) -> MobileMoneyProvider | CardProvider | None:
        """Return the provider of this name; None when it was taken out of the settings."""
        return self.mobile_money_named(name) or self.card_named(name)

    def channels(self) -> tuple[Channel, ...]:
        """Return every channel that somebody serves, in the order of `Channel`."""
        return tuple(channel for channel in Channel
                     if (self.card() if channel is Channel.CARD else self.mobile_money_for(channel)) is not None)
