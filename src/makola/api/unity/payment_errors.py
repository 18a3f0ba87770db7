"""The errors of the payment endpoints: the core's codes as HTTP statuses and the documents' payment codes.

Three generations of clients read them under names of their own (reference, section 4): `ResponseCode` in the direct
calls, `responseCode` in the checkout call, `response_code` in its first generation.
"""

from collections.abc import Callable, Mapping

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity.errors import UnityError
from makola.kit.errors import DomainError

#: Core code -> HTTP status and payment code; docs/reference/checkout.md explains each row.
TABLE: dict[str, tuple[int, str]] = {
    "merchant_account_unavailable": (403, "0001"),
    "not_account_owner": (403, "4105"),
    "unknown_merchant_account": (404, "3900"),
    "unknown_organisation": (404, "3900"),
    "invalid_checkout": (400, "4000"),
    "sum_mismatch": (400, "4000"),
    "reference_reused": (400, "4000"),
    "checkout_closed": (400, "4000"),
    "amount_too_large": (400, "4000"),
    "invalid_phone_number": (400, "4000"),
    "invalid_document": (400, "4000"),
    "invalid_parameter": (400, "4000"),
    "invalid_url": (400, "4000"),
    "malformed": (400, "4000"),
    "wrong_merchant_state": (400, "4000"),
    "amount_too_small": (400, "4070"),
    "channel_not_permitted": (403, "4103"),
    "payout_not_permitted": (403, "4101"),
    "not_authenticated": (401, "4101"),
    "scope_missing": (403, "4101"),
    "unknown_checkout": (404, "4000"),
    "unknown_transaction": (404, "4000"),
    "not_refundable": (400, "4000"),
    "balance_too_small": (402, "2001"),
    "body_too_large": (413, "4000"),
    "failed": (500, "2001"),
}

#: The documents' own words, where a code has some.
_MESSAGES = {"0001": "Merchant account is not available.",
             "4105": "Authenticated hubtel organisation not owner of specified account number."}

_WWW_AUTHENTICATE = (b"www-authenticate", b'Basic realm="Makola", charset="UTF-8"')


class FieldError(msgspec.Struct, rename="pascal"):
    """What is wrong with one field."""

    field: str
    messages: list[str]


class PaymentAnswer(msgspec.Struct, rename="pascal"):
    """What every answer of the direct calls begins with."""

    response_code: str
    message: str


class PaymentError(PaymentAnswer, rename="pascal"):
    """An error of the direct calls."""

    errors: list[FieldError]


class FieldErrorCamel(msgspec.Struct, rename="camel"):
    """What is wrong with one field."""

    field: str
    messages: list[str]


class CheckoutError(msgspec.Struct, rename="camel"):
    """An error of the checkout call."""

    response_code: str
    status: str
    message: str
    errors: list[FieldErrorCamel]
    data: None = None


class InvoiceError(msgspec.Struct):
    """An error of the checkout call's first generation."""

    response_code: str
    response_text: str
    errors: list[FieldErrorCamel]


#: The core's names as each call writes them (in snake case, before its own casing), where they differ.
_CHECKOUT_NAMES = {"account_number": "merchant_account_number", "total_units": "total_amount",
                   "logo_url": "merchant_business_logo_url", "payee_number": "payee_mobile_number"}
_INVOICE_NAMES = {"items": "invoice.items", "total_units": "invoice.total_amount", "taxes_units": "invoice.taxes",
                  "description": "invoice.description", "callback_url": "actions.callback_url",
                  "return_url": "actions.return_url", "cancellation_url": "actions.cancel_url",
                  "logo_url": "store.logo_url"}
_DIRECT_NAMES = {"account_number": "merchant_account_number", "amount_units": "amount",
                 "callback_url": "primary_callback_url"}
_ITEM_NAMES = {"unit_units": "unit_price", "image_url": "item_image_url"}


def _of(error: DomainError) -> tuple[int, str, str]:
    code = error.own_code if isinstance(error, UnityError) else error.code
    status, payment_code = TABLE.get(code, (400, "4000"))
    return status, payment_code, _MESSAGES.get(payment_code, error.detail)


def _named(field: str, names: Mapping[str, str]) -> list[str]:
    """Return the parts of a core field as a call names them: `items[0].unit_units` as `items[0]`, `unit_price`."""
    first, *others = field.split(".")
    return ".".join((_renamed(first, names), *(_renamed(part, _ITEM_NAMES) for part in others))).split(".")


def _renamed(part: str, names: Mapping[str, str]) -> str:
    name, bracket, position = part.partition("[")
    return names.get(name, name) + bracket + position


def _camel(part: str) -> str:
    first, *others = part.split("_")
    return first + "".join(word.capitalize() for word in others)


def _pascal(part: str) -> str:
    return "".join(word.capitalize() for word in part.split("_"))


def _headers(status: int) -> tuple[tuple[bytes, bytes], ...]:
    return (_WWW_AUTHENTICATE,) if status == 401 else ()


def direct_refusal(**own_names: str) -> Callable[[DomainError], Answer]:
    """Return what writes a refusal as the direct calls do, where 0001 means accepted: what cannot be used is 3009.

    Args:
        own_names: the core's names, with those that one call alone has for them.
    """
    names = {**_DIRECT_NAMES, **own_names}

    def refusal(error: DomainError) -> Answer:
        status, code, message = _of(error)
        code = "3009" if code == "0001" else code
        field = ".".join(map(_pascal, _named(error.field, names)))
        errors = [FieldError(field, [message])] if field else []
        return Answer(status, msgspec.json.encode(PaymentError(code, message, errors)), _headers(status))

    return refusal


def checkout_refusal(error: DomainError) -> Answer:
    """Write a refusal as the checkout call does: `items[0].unit_units` is `items[0].unitPrice` there."""
    status, code, message = _of(error)
    field = ".".join(map(_camel, _named(error.field, _CHECKOUT_NAMES)))
    errors = [FieldErrorCamel(field, [message])] if field else []
    body = CheckoutError(code, "Error", message, errors)
    return Answer(status, msgspec.json.encode(body), _headers(status))


def invoice_refusal(error: DomainError) -> Answer:
    """Write a refusal as the checkout call's first generation does, whose values are in several objects."""
    status, code, message = _of(error)
    field = ".".join(_named(error.field, _INVOICE_NAMES))
    errors = [FieldErrorCamel(field, [message])] if field else []
    return Answer(status, msgspec.json.encode(InvoiceError(code, message, errors)), _headers(status))
