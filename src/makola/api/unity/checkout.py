"""The checkout call in its three generations, and how an invoice of the first one stands (reference, section 4)."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec

from makola.api.common.asgi import Answer
from makola.api.common.credentials import URL_CREDENTIALS as CREDENTIALS
from makola.api.unity import values
from makola.api.unity.amounts import exact_units, is_missing, number, quantity, units
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.payment_errors import (
    CheckoutError,
    InvoiceError,
    checkout_refusal,
    invoice_refusal,
)
from makola.api.unity.request import UnityRequest
from makola.core.checkout import queries
from makola.core.checkout.errors import (
    InvalidCheckoutError,
    MerchantAccountUnavailableError,
    UnknownCheckoutError,
    UnknownMerchantAccountError,
)
from makola.core.checkout.service.initiate import initiate
from makola.core.checkout.types import Checkout, CheckoutState, Item, MerchantState, NewCheckout
from makola.core.organisations.permissions import Module
from makola.kit.ids import parse_id
from makola.kit.json_names import repeated_name

_GROUP = "Checkout"
#: Where a customer pays, below the server's address; the web has the page.
PAGE_PATH = "/checkout"


class CheckoutItem(msgspec.Struct, rename="camel"):
    """One line of the invoice. `unit_price` is read too."""

    name: str
    quantity: int
    unit_price: float
    item_image_url: str = ""


class InitiateCheckout(msgspec.Struct, rename="camel"):
    """An invoice. The items' prices times quantities must come to `totalAmount`."""

    items: list[CheckoutItem]
    total_amount: float
    description: str
    callback_url: str
    return_url: str
    merchant_account_number: str
    client_reference: str
    cancellation_url: str = ""
    merchant_business_logo_url: str = ""


class InitiatePayeeCheckout(InitiateCheckout, rename="camel"):
    """An invoice that says who pays."""

    payee_name: str = ""
    payee_mobile_number: str = ""
    payee_email: str = ""


class CheckoutData(msgspec.Struct, rename="camel"):
    """Where the customer pays."""

    checkout_url: str
    checkout_id: str
    client_reference: str
    message: str


class CheckoutAnswer(msgspec.Struct, rename="camel"):
    """A checkout that is on disk. `responseCode` is null, as the document's sample has it."""

    response_code: None
    status: str
    data: CheckoutData


class PayeeCheckoutData(CheckoutData, rename="camel"):
    """Where the customer pays, as a page of its own and as one for an iframe."""

    checkout_direct_url: str


class PayeeCheckoutAnswer(msgspec.Struct, rename="camel"):
    """A checkout that is on disk."""

    response_code: str
    status: str
    data: PayeeCheckoutData


class InvoiceAnswer(msgspec.Struct):
    """An invoice that is on disk: `response_text` is where the customer pays."""

    response_code: str
    response_text: str
    description: str
    token: str


class InvoiceItem(msgspec.Struct):
    """One line of an invoice of the first generation; `total_price` is not read."""

    name: str
    quantity: int
    unit_price: float | str
    total_price: float | str = ""
    description: str = ""


class InvoiceContent(msgspec.Struct):
    """An invoice of the first generation."""

    items: dict[str, InvoiceItem]
    total_amount: float
    description: str
    taxes: dict[str, float] = {}


class InvoiceStore(msgspec.Struct):
    """Who sells; only the logo is used."""

    name: str = ""
    logo_url: str = ""


class InvoiceActions(msgspec.Struct):
    """Where the customer goes."""

    cancel_url: str = ""
    return_url: str = ""
    callback_url: str = ""


class InvoiceRequest(msgspec.Struct):
    """A checkout of the first generation."""

    invoice: InvoiceContent
    store: InvoiceStore = msgspec.field(default_factory=InvoiceStore)
    custom_data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    actions: InvoiceActions = msgspec.field(default_factory=InvoiceActions)


class InvoiceCustomer(msgspec.Struct):
    """Who pays, as far as it is known."""

    phone: str
    name: str
    email: str


class StoredItem(msgspec.Struct):
    """One line of a stored invoice."""

    name: str
    quantity: int
    unit_price: float
    total_price: float
    description: str


class StoredInvoice(msgspec.Struct):
    """A stored invoice."""

    items: dict[str, StoredItem]
    total_amount: float
    description: str


class InvoiceStatus(msgspec.Struct):
    """How an invoice stands: `status` is pending, completed, ordered, cancelled, expired or refunded."""

    response_code: str
    response_text: str
    status: str
    token: str
    invoice: StoredInvoice
    custom_data: msgspec.Raw
    actions: InvoiceActions
    customer: InvoiceCustomer
    receipt_identifier: str


async def initiate_checkout(context: UnityContext, request: UnityRequest) -> Answer:
    """Make a checkout and answer with the page's address; the same request again gets the same checkout.

    A `clientReference` belongs to one request for ever: with another content it is refused (4000).
    """
    checkout = await initiate(context.checkout, request.caller.actor, _read(request, generation=2))
    data = CheckoutData(page_url(request, checkout.checkout_id), str(checkout.checkout_id),
                        checkout.client_reference, "")
    return Answer(200, msgspec.json.encode(CheckoutAnswer(None, "Success", data)))


async def initiate_payee_checkout(context: UnityContext, request: UnityRequest) -> Answer:
    """Make a checkout (third generation): it may say who pays, and has a page for an iframe too."""
    checkout = await initiate(context.checkout, request.caller.actor, _read(request, generation=3))
    url = page_url(request, checkout.checkout_id)
    data = PayeeCheckoutData(url, checkout.checkout_id.hex, checkout.client_reference, "", f"{url}/direct")
    return Answer(200, msgspec.json.encode(PayeeCheckoutAnswer("0000", "Success", data)))


def page_url(request: UnityRequest, checkout_id: UUID) -> str:
    """Return where a customer pays."""
    return f"{request.base_url}{PAGE_PATH}/{checkout_id}"


_REQUIRED = ("merchant_account_number", "description", "callback_url", "return_url", "client_reference")


def _read(request: UnityRequest, *, generation: int) -> NewCheckout:
    given = request.values
    total = units(given, "totalamount", field="total_amount")
    for field in _REQUIRED:
        if not text_of(given, field).strip():
            raise InvalidCheckoutError("This must not be empty.", field=field)
    items = given.get("items")
    description = text_of(given, "description")
    # A form cannot hold items (one client's form has only their names): then the total is the one item.
    is_total = request.is_form and isinstance(items, str) and not items.lstrip().startswith("[")
    return NewCheckout(
        account_number=text_of(given, "merchant_account_number"),
        items=(Item(description, 1, total or 0),) if is_total else _items(items),
        total_units=total or 0, description=description, client_reference=text_of(given, "client_reference"),
        callback_url=text_of(given, "callback_url"), return_url=text_of(given, "return_url"),
        cancellation_url=text_of(given, "cancellation_url"), logo_url=text_of(given, "merchant_business_logo_url"),
        payee_name=text_of(given, "payee_name"), payee_number=text_of(given, "payee_mobile_number"),
        payee_email=text_of(given, "payee_email"), generation=generation, content_sha256=content_hash(given))


def text_of(given: values.Values, field: str, *, within: str = "") -> str:
    """Return a text; clients send the word None for what they leave out.

    Args:
        given: by lower-case name, without underscores.
        field: its name with underscores.
        within: what it is in, for the error.
    """
    text = values.text(given, field.replace("_", ""), field=f"{within}{field}")
    return "" if text == "None" else text


def content_hash(given: values.Values) -> bytes:
    """Return what tells a repeated request from another one: its values, however they were written."""
    pairs = sorted((name, value) for name, value in given.items() if name not in CREDENTIALS)
    return hashlib.sha256(msgspec.json.encode(pairs, order="sorted")).digest()


def _items(given: object) -> tuple[Item, ...]:
    """Read the items: a list, or the text of one."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        try:
            text, given = given, msgspec.json.decode(given)
            repeated = repeated_name(text.encode())
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidCheckoutError("This is not valid JSON.", field="items") from error
        if repeated is not None:
            raise InvalidCheckoutError(f"{repeated[:100]} is there twice.", field="items")
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InvalidCheckoutError("This must be a list.", field="items")
    return tuple(_item(item, f"items[{position}]") for position, item in enumerate(given))


def _item(given: object, where: str) -> Item:
    if not isinstance(given, Mapping):
        raise InvalidCheckoutError("An item must be an object.", field=where)
    own = _by_name(given)
    if is_missing(own.get("unitprice")):
        raise InvalidCheckoutError("A price is needed.", field=f"{where}.unit_price")
    return Item(
        name=text_of(own, "name", within=f"{where}."), quantity=quantity(own.get("quantity"), f"{where}.quantity"),
        unit_units=exact_units(own["unitprice"], f"{where}.unit_price"),
        image_url=text_of(own, "item_image_url", within=f"{where}."),
        description=text_of(own, "description", within=f"{where}."))


# -- the first generation -----------------------------------------------------------------------------------------


async def create_invoice(context: UnityContext, request: UnityRequest) -> Answer:
    """Make a checkout (first generation): it names no merchant account, so the account's first active one is paid."""
    desk, actor = context.checkout, request.caller.actor
    accounts = await queries.list_accounts(desk, actor.organisation_id)
    account = next((one for one in accounts if one.state is MerchantState.ACTIVE), None)
    if account is None:
        if accounts:
            raise MerchantAccountUnavailableError("Merchant account is not available.")
        raise UnknownMerchantAccountError("This organisation has no merchant account.")
    checkout = await initiate(desk, actor, _read_invoice(request.body, account.number))
    token = checkout.checkout_id.hex
    return Answer(200, msgspec.json.encode(InvoiceAnswer(
        "00", page_url(request, checkout.checkout_id), "Checkout Invoice Created", token)))


def _read_invoice(given: values.Values, account_number: str) -> NewCheckout:
    invoice, store, actions = (_part(given.get(name), name) for name in ("invoice", "store", "actions"))
    custom = given.get("custom_data")
    return NewCheckout(
        account_number=account_number,
        items=tuple(_item(item, f"invoice.items[{position}]")
                    for position, item in enumerate(_listed(invoice, "items"))),
        total_units=units(invoice, "totalamount", field="invoice.total_amount") or 0,
        taxes_units=sum(_tax(tax) for tax in _listed(invoice, "taxes")),
        description=text_of(invoice, "description", within="invoice."), client_reference="",
        return_url=text_of(actions, "return_url", within="actions."),
        cancellation_url=text_of(actions, "cancel_url", within="actions."),
        callback_url=text_of(actions, "callback_url", within="actions."),
        logo_url=text_of(store, "logo_url", within="store."),
        custom_data=msgspec.json.encode(custom) if custom else b"", generation=1, content_sha256=content_hash(given))


def _part(given: object, field: str) -> dict[str, object]:
    """Return an object of the request by lower-case names; an empty one where it is missing."""
    if given and not isinstance(given, Mapping):
        raise InvalidCheckoutError("This must be an object.", field=field)
    return _by_name(given) if isinstance(given, Mapping) else {}


def _by_name(given: Mapping[object, object]) -> dict[str, object]:
    return {str(name).lower().replace("_", ""): value for name, value in given.items()}


def _listed(invoice: values.Values, name: str) -> list[object]:
    """Return what an object of the invoice holds, whatever it calls each; some clients send it as a list."""
    given = invoice.get(name) or []
    if isinstance(given, Mapping):
        return list(given.values())
    if not isinstance(given, list):
        raise InvalidCheckoutError("This must be an object.", field=f"invoice.{name}")
    return given


def _tax(given: object) -> int:
    amount = _by_name(given).get("amount") if isinstance(given, Mapping) else given
    return exact_units(amount, "invoice.taxes")


_STATUSES = {CheckoutState.OPEN: "pending", CheckoutState.PAID: "completed", CheckoutState.ORDERED: "ordered",
             CheckoutState.FAILED: "failed", CheckoutState.CANCELLED: "cancelled", CheckoutState.EXPIRED: "expired",
             CheckoutState.REFUNDED: "refunded"}


async def invoice_status(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with how an invoice stands, by the token that its creation answered."""
    token = parse_id(request.path["token"])
    if token is None:
        raise UnknownCheckoutError("There is no such invoice.", field="token")
    checkout = await queries.find_checkout(context.checkout, request.caller.actor, token)
    items = {f"item_{position}": {
        "name": item.name, "quantity": item.quantity, "unit_price": number(item.unit_units),
        "total_price": number(item.quantity * item.unit_units), "description": item.description}
        for position, item in enumerate(checkout.items)}
    return Answer(200, msgspec.json.encode({
        "response_code": "00", "response_text": "Transaction Found", "status": _STATUSES[checkout.state],
        "token": checkout.checkout_id.hex,
        "invoice": {"items": items, "total_amount": number(checkout.total_units),
                    "description": checkout.description},
        "custom_data": msgspec.Raw(checkout.custom_data or b"{}"),
        "actions": {"cancel_url": checkout.cancellation_url, "return_url": checkout.return_url,
                    "callback_url": checkout.callback_url},
        "customer": {"phone": checkout.customer_number, "name": checkout.payee_name, "email": checkout.payee_email},
        "receipt_identifier": _receipt(checkout)}))


def _receipt(checkout: Checkout) -> str:
    return checkout.paid_by.hex if checkout.paid_by is not None else ""


_ERRORS = (400, 401, 403, 404, 413)

ENDPOINTS = (
    Endpoint("POST", "/pos/onlinecheckout/items/initiate", initiate_checkout, "payments.receive", "Create a checkout",
             _GROUP, {200: CheckoutAnswer}, body=InitiateCheckout, mounts=("v2", "v1", "v3"), errors=_ERRORS,
             module=Module.PAYMENTS, refusal=checkout_refusal, error=CheckoutError),
    Endpoint("POST", "/pos/onlinecheckout", initiate_checkout, "payments.receive",
             "Create a checkout (as `hubtel` 0.0.4 calls it)", _GROUP, {200: CheckoutAnswer}, body=InitiateCheckout,
             mounts=("v2",), errors=_ERRORS, module=Module.PAYMENTS, refusal=checkout_refusal, error=CheckoutError),
    Endpoint("POST", "/items/initiate", initiate_payee_checkout, "payments.receive",
             "Create a checkout (third generation)", _GROUP, {200: PayeeCheckoutAnswer}, body=InitiatePayeeCheckout,
             mounts=("",), errors=_ERRORS, module=Module.PAYMENTS, refusal=checkout_refusal, error=CheckoutError),
    Endpoint("POST", "/merchantaccount/onlinecheckout/invoice/create", create_invoice, "payments.receive",
             "Create a checkout (first generation)", _GROUP, {200: InvoiceAnswer}, body=InvoiceRequest,
             errors=_ERRORS, module=Module.PAYMENTS, refusal=invoice_refusal, error=InvoiceError),
    Endpoint("GET", "/merchantaccount/onlinecheckout/invoice/status/{token}", invoice_status, "payments.read",
             "Read how an invoice stands (first generation)", _GROUP, {200: InvoiceStatus}, errors=_ERRORS,
             module=Module.PAYMENTS, refusal=invoice_refusal, error=InvoiceError),
)
