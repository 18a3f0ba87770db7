"""What merchants' servers are sent, for the OpenAPI document (seed, "Checkout Callback")."""

import msgspec


class CallbackPayment(msgspec.Struct, rename="pascal", omit_defaults=True):
    """How it was paid: a wallet's number, or a card's last four digits."""

    payment_type: str
    mobile_money_number: str = ""
    card_last_four: str = ""
    channel: str = ""


class CallbackData(msgspec.Struct, rename="pascal", omit_defaults=True):
    """How a checkout has ended."""

    checkout_id: str
    sales_invoice_id: str
    client_reference: str
    status: str
    amount: float
    customer_phone_number: str
    payment_details: CallbackPayment | None
    description: str
    order_number: str = ""
    order_token: str = ""


class CheckoutCallback(msgspec.Struct, rename="pascal"):
    """The outcome of a checkout."""

    response_code: str
    status: str
    data: CallbackData
