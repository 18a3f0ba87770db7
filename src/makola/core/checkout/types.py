"""Merchant accounts, checkouts (invoices) and the transactions that move money for them."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID


class Channel(enum.StrEnum):
    """How money comes or goes."""

    MTN = "mtn-gh"
    VODAFONE = "vodafone-gh"
    TIGO = "tigo-gh"
    AIRTEL = "airtel-gh"
    CARD = "card"


#: The channels that are wallets on a mobile network, by the network's id.
MOBILE_MONEY: dict[str, Channel] = {
    "62001": Channel.MTN, "62002": Channel.VODAFONE, "62003": Channel.TIGO, "62006": Channel.AIRTEL}


class Failure(enum.StrEnum):
    """Why money did not move. What providers tell apart differs by network (seed, "Response Codes")."""

    OTHER = "other"
    PHONE_OFF = "phone_off"
    MTN_INSUFFICIENT_FUNDS = "mtn_insufficient_funds"
    MTN_NOT_REGISTERED = "mtn_not_registered"
    AIRTEL_WRONG_PIN = "airtel_wrong_pin"
    AIRTEL_INSUFFICIENT_FUNDS = "airtel_insufficient_funds"
    AIRTEL_NOT_REGISTERED = "airtel_not_registered"
    TIGO_NOT_REGISTERED = "tigo_not_registered"
    TIGO_ABOVE_LIMIT = "tigo_above_limit"
    TIGO_ABOVE_DAILY_LIMIT = "tigo_above_daily_limit"
    VODAFONE_RECIPIENT_NOT_REGISTERED = "vodafone_recipient_not_registered"
    VODAFONE_NOT_REGISTERED = "vodafone_not_registered"


# -- merchant accounts ----------------------------------------------------------------------------------------


class MerchantState(enum.StrEnum):
    """Whether a merchant account may take payments."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class KycState(enum.StrEnum):
    """How far the verification of a business has come. Money is paid out only when it is approved."""

    NONE = "none"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class SweepAccount:
    """Where a merchant's money is paid out to.

    Attributes:
        channel: of the wallet.
        number: the wallet's number, international with `+`.
        name: whose it is.
    """

    channel: Channel
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class MerchantAccount:
    """A merchant account.

    Attributes:
        number: as the documents write it, `HM` and ten digits.
        name: of the business, as customers read it.
        currency: ISO 4217 code in which it is paid.
        channels: which may be used; empty for all.
        pay_on_delivery: whether customers may order and pay in cash on delivery.
        fees_on_customer: whether the customer pays the fees on top of the amount.
        refused_because: why the documents were rejected, or the account suspended.
        settlement_id: the ledger's account of what was paid to the merchant and not paid out.
    """

    merchant_account_id: int
    organisation_id: int
    number: str
    name: str
    currency: str
    state: MerchantState
    kyc_state: KycState
    sweep_account: SweepAccount | None = None
    channels: frozenset[Channel] = frozenset()
    pay_on_delivery: bool = True
    fees_on_customer: bool = False
    refused_because: str = ""
    settlement_id: int = 0

    def permits(self, channel: Channel) -> bool:
        """Say whether customers may pay by `channel`."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A verification document that was submitted; `note` is what its reviewer says."""

    document_id: UUID
    kind: str
    file_name: str
    content_type: str
    size_bytes: int
    state: str
    note: str
    created_at: datetime
    reviewed_at: datetime | None


# -- checkouts ------------------------------------------------------------------------------------------------


class CheckoutKind(enum.StrEnum):
    """How a checkout came about: with a page for the customer, or as a direct call to one wallet."""

    PAGE = "page"
    DIRECT = "direct"


class CheckoutState(enum.StrEnum):
    """Where a checkout stands. All but OPEN are final, but that PAID may become REFUNDED."""

    OPEN = "open"
    PAID = "paid"
    ORDERED = "ordered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an invoice; `unit_units` in 1/10,000 of the currency's unit."""

    name: str
    quantity: int
    unit_units: int
    image_url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewCheckout:
    """What a merchant asks a checkout for. Amounts in 1/10,000 of the currency's unit.

    Attributes:
        account_number: the merchant account, `HM…`.
        total_units: what the customer is to pay, fees on the customer not counted.
        taxes_units: part of the total that is no item's.
        generation: which of the three calls made it (reference, section 4).
        content_sha256: of what was asked, to know a repetition from another request with the same reference.
    """

    account_number: str
    items: tuple[Item, ...]
    total_units: int
    description: str
    client_reference: str
    callback_url: str = field(default="", repr=False)
    return_url: str = field(default="", repr=False)
    cancellation_url: str = field(default="", repr=False)
    logo_url: str = field(default="", repr=False)
    taxes_units: int = 0
    payee_name: str = ""
    payee_number: str = ""
    payee_email: str = ""
    custom_data: bytes = field(default=b"", repr=False)
    generation: int = 2
    content_sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A stored checkout.

    Attributes:
        checkout_id: names it everywhere; it is in the page's address, and cannot be guessed.
        sales_invoice_id: as the callback writes it.
        paid_by: the payment that won; None while there is none.
        refunded_units: of what was paid, what was paid back or is about to be.
        order_number: of an order to be paid on delivery; empty otherwise.
        returned_units: of that, what the customer certainly has.
        failure_code: why the last attempt failed (`Failure`); empty when none did.
    """

    checkout_id: UUID
    merchant_account_id: int
    organisation_id: int
    application_id: int
    kind: CheckoutKind
    generation: int
    state: CheckoutState
    client_reference: str
    items: tuple[Item, ...]
    taxes_units: int
    total_units: int
    currency: str
    description: str
    callback_url: str = field(repr=False)
    return_url: str = field(repr=False)
    cancellation_url: str = field(repr=False)
    logo_url: str = field(repr=False)
    payee_name: str
    payee_number: str
    payee_email: str
    custom_data: bytes = field(repr=False)
    sales_invoice_id: str
    customer_number: str
    paid_by: UUID | None
    refunded_units: int
    returned_units: int
    order_number: str
    order_token: str
    failure_code: str
    attempt_count: int
    expires_at: datetime
    created_at: datetime
    finished_at: datetime | None


# -- transactions ---------------------------------------------------------------------------------------------


class TransactionKind(enum.StrEnum):
    """What a transaction with a provider is for.

    PAYMENT: a customer pays. REFUND: a customer gets money back. SEND: a merchant pays somebody. SWEEP: a merchant's
    balance is paid out to its own account.
    """

    PAYMENT = "payment"
    REFUND = "refund"
    SEND = "send"
    SWEEP = "sweep"


class TransactionState(enum.StrEnum):
    """Where a transaction stands.

    ASKING: recorded before the provider is called, so it may know of it or not. PENDING: the provider has it.
    UNDECIDED: nobody could say in the time in which providers are asked; a person must look. It and FAILED still
    become SUCCEEDED when the provider says that the money moved.
    """

    ASKING = "asking"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One attempt to move money through a provider. Amounts in 1/10,000 of the currency's unit.

    Made with what it is about, it is as it is recorded before its provider is called.

    Attributes:
        transaction_id: ours, and what the provider knows it by: asking twice under one id moves money once.
        checkout_id: what is paid, or paid back; None for sends and sweeps.
        refunds: the payment that is paid back.
        provider: the connector's name.
        number: the wallet's, international with `+`; empty for cards.
        amount_units: what moves at the provider.
        charges_units: our fees; of a payment they are taken from it (or were added to it, with fees on the
            customer).
        surplus: of a payment: the money came although the checkout had ended or was paid already. Of a refund: it
            pays such money back.
        provider_reference: the provider's own id; empty while unknown.
        failure_code: why it failed (`Failure`); empty unless it did.
        failure_detail: what its provider says of that in plain words; empty where the code says it all.
        card_last4: of the card; nothing else of it is ever known here.
        poll_count: how often the provider was asked how it stands.
        due_at: when it is asked next; None when it needs no asking.
        hint_count: how often its provider was asked because of a notice and did not answer; None without a notice
            that is still to be looked into.
    """

    transaction_id: UUID
    kind: TransactionKind
    merchant_account_id: int
    organisation_id: int
    application_id: int
    provider: str
    channel: Channel
    number: str
    name: str
    amount_units: int
    charges_units: int
    currency: str
    created_at: datetime
    due_at: datetime | None
    state: TransactionState = TransactionState.ASKING
    checkout_id: UUID | None = None
    refunds: UUID | None = None
    surplus: bool = False
    reason: str = ""
    client_reference: str = ""
    callback_url: str = field(default="", repr=False)
    secondary_callback_url: str = field(default="", repr=False)
    provider_reference: str = ""
    failure_code: str = ""
    failure_detail: str = ""
    card_last4: str = ""
    poll_count: int = 0
    finished_at: datetime | None = None
    hint_count: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the provider's last word is still awaited."""
        return self.state in {TransactionState.ASKING, TransactionState.PENDING}


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """How a customer wants to pay.

    Attributes:
        channel: a wallet's or the card's.
        number: the wallet's, international with `+`; empty for a card.
        another: start a new attempt although one is under way by another channel or number; without it the one
            under way is returned.
        return_url: of a card: our page, to which the provider sends the customer back.
    """

    channel: Channel
    number: str = ""
    another: bool = False
    return_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """A payment that is under way, and where to send the customer (cards; empty otherwise)."""

    payment: Transaction
    redirect_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """All that the page shows.

    Attributes:
        payments: attempts, the first one first.
        channels: that can be chosen: permitted to the merchant, and a provider is there.
        can_pay: whether an attempt may be started now.
        charges_units: by channel, what the customer pays on top of the total (0 where the merchant pays the fees).
    """

    checkout: Checkout
    merchant: MerchantAccount
    payments: tuple[Transaction, ...]
    channels: tuple[Channel, ...]
    can_pay: bool
    can_order: bool
    charges_units: dict[Channel, int]

    @property
    def pending(self) -> Transaction | None:
        """The latest attempt that still waits for the customer or the provider."""
        return next((payment for payment in reversed(self.payments) if payment.is_open), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a provider's list and the ledger, until somebody has resolved it."""

    difference_id: int
    provider: str
    day: date
    kind: str
    transaction_id: UUID | None
    provider_reference: str
    ours_units: int | None
    theirs_units: int | None
    detail: str
    found_at: datetime
    resolved_at: datetime | None
    resolution: str
