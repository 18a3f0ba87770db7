"""What each field of the payment endpoints is, for the OpenAPI document; see `openapi_fields`."""

from collections.abc import Mapping

from makola.core.checkout.types import Channel, KycState, MerchantState

Schema = Mapping[str, object]

_AMOUNT: Schema = {"description": "An amount in the currency's unit, exact.", "examples": [100]}
_TEXT: Schema = {"maxLength": 2000}
_URL: Schema = {"maxLength": 2000, "pattern": "^(https?://.+)?$", "examples": ["https://shop.example/paid"]}
_ID = "f2c339eddfda1dd50cfc9544833aae42"
_CODE: Schema = {
    "description": "The payment code: 0000 done, 0001 accepted (of the direct calls) or merchant account not available,"
                   " 3009 account not active, 3900 no such account, 4000 a field is not valid, 4070 amount too small,"
                   " 4101 not authorised, 4103 channel not permitted, 4105 not the account's owner; the reasons of"
                   " failed payments are 2001 to 2201.",
    "examples": ["0000"]}
_CHANNEL: Schema = {"description": "A wallet's network.",
                    "enum": [str(channel) for channel in Channel if channel is not Channel.CARD]}
_NUMBER: Schema = {"description": "A wallet's number: international, or as dialled in the account's country.",
                   "minLength": 1, "maxLength": 64, "pattern": r"^[+0-9 ().\-]+$", "examples": ["+233244123456"]}
_REFERENCE: Schema = {"description": "Your own reference, never used twice; at most 36 characters unless the"
                                     " installation says otherwise.", "maxLength": 36, "examples": ["inv0012"]}
_STATUSES = "Pending, Success, Failed, Refunded, Ordered, Cancelled or Expired."

#: By the field's name in Pascal case.
FIELDS: Mapping[str, Schema] = {
    # the checkout call
    "Items": {"description": "What is sold; prices times quantities come to the total.", "minItems": 1,
              "maxItems": 200},
    "Name": {"description": "What it, or who this, is called.", "minLength": 1, "maxLength": 100,
             "examples": ["Harry Potter"]},
    "Quantity": {"description": "How many.", "minimum": 1, "maximum": 1_000_000, "examples": [1]},
    "UnitPrice": {"description": "The price of one.", "minimum": 0, "examples": [50]},
    "ItemImageUrl": {"description": "A picture of it.", **_URL},
    "TotalAmount": {"description": "What the customer is to pay, with at most two decimals.", "minimum": 0.1,
                    "maximum": 1_000_000, "examples": [100]},
    "Description": {"description": "What the customer, or you, are told.", **_TEXT, "examples": ["Book Shop Checkout"]},
    "CallbackUrl": {"description": "Where the outcome goes.", **_URL},
    "ReturnUrl": {"description": "Where the customer goes after the payment.", **_URL},
    "CancellationUrl": {"description": "Where the customer goes after cancelling; `returnUrl` where it is empty.",
                        **_URL},
    "MerchantBusinessLogoUrl": {"description": "A square picture of at least 100 pixels.", **_URL},
    "MerchantAccountNumber": {"description": "The merchant account.", "minLength": 1, "maxLength": 40,
                              "examples": ["HM2511160001"]},
    "ClientReference": _REFERENCE,
    "PayeeName": {"description": "Who pays.", **_TEXT},
    "PayeeMobileNumber": {"description": "The number of who pays.", **_TEXT},
    "PayeeEmail": {"description": "The e-mail address of who pays.", **_TEXT},
    "CheckoutUrl": {"description": "Where the customer pays.", "examples": [
        "https://pay.example/checkout/f2c339ed-dfda-4dd5-8cfc-9544833aae42"]},
    "CheckoutDirectUrl": {"description": "The same page for an iframe."},
    "CheckoutId": {"description": "The checkout."},
    "Message": {"description": "The same in words."},
    "ResponseCode": _CODE,
    "Response_code": {"description": "00: done; otherwise a payment code.", "examples": ["00"]},
    "Response_text": {"description": "Where the customer pays; of a status or an error, words.",
                      "examples": ["https://pay.example/checkout/f2c339ed-dfda-4dd5-8cfc-9544833aae42"]},
    "Status": {"description": "Success, or Error."},
    "Data": {"description": "What was asked for."},
    "Errors": {"description": "The fields at fault."},
    "Field": {"description": "The field's name.", "examples": ["totalAmount"]},
    "Messages": {"description": "What is wrong with it."},
    "Token": {"description": "The invoice's token: the id of its checkout.", "examples": [_ID]},
    "Invoice": {"description": "`items` by any names (each with name, quantity, unit_price, description), `taxes`,"
                               " `total_amount` and `description`."},
    "Unit_price": {"description": "The price of one; a number or its text.", "examples": [35]},
    "Total_price": {"description": "The price of all of them."},
    "Total_amount": {"description": "What the customer is to pay.", "minimum": 0.1, "maximum": 1_000_000,
                     "examples": [70]},
    "Taxes": {"description": "By any names, each an amount; part of the total."},
    "Logo_url": {"description": "A square picture of at least 100 pixels.", **_URL},
    "Return_url": {"description": "Where the customer goes after the payment.", **_URL},
    "Cancel_url": {"description": "Where the customer goes after cancelling.", **_URL},
    "Callback_url": {"description": "Where the outcome goes.", **_URL},
    "Phone": {"description": "The number that was charged."},
    "Email": {"description": "An e-mail address."},
    "Store": {"description": "Your shop; its `logo_url` is shown."},
    "Custom_data": {"description": "Anything; it is given back with the status."},
    "Actions": {"description": "`return_url` and `cancel_url`, where the customer goes."},
    "Customer": {"description": "`phone`, `name` and `email`, as far as they are known."},
    "Receipt_identifier": {"description": "The payment that paid it; empty while there is none."},
    # the direct calls
    "CustomerMsisdn": _NUMBER,
    "CustomerName": {"description": "Who pays.", **_TEXT},
    "CustomerEmail": {"description": "An e-mail address.", **_TEXT},
    "RecipientMsisdn": _NUMBER,
    "RecipientName": {"description": "Who is paid.", **_TEXT},
    "Channel": _CHANNEL,
    "Amount": {"description": "The amount, with at most two decimals.", "minimum": 0.1, "maximum": 1_000_000,
               "examples": [1.5]},
    "PrimaryCallbackUrl": {"description": "Where the outcome goes.", **_URL},
    "SecondaryCallbackUrl": {"description": "Where it goes too.", **_URL},
    "FeesOnCustomer": {"description": "Whether the customer pays the fees on top."},
    "TransactionId": {"description": "The transaction: 32 hex digits.", "examples": [_ID]},
    "ExternalTransactionId": {"description": "The same as its provider calls it; empty while unknown."},
    "Reason": {"description": "Why, for the customer.", **_TEXT},
    "Full": {"description": "Whether to pay back all that is left; `amount` does not count then."},
    "Charges": _AMOUNT, "AmountAfterCharges": _AMOUNT, "AmountCharged": _AMOUNT,
    # status
    "HubtelTransactionId": {"description": "The transaction, as we call it.", "maxLength": 100},
    "InvoiceToken": {"description": "Its checkout.", "maxLength": 100},
    "NetworkTransactionId": {"description": "The transaction, as its provider calls it.", "maxLength": 100},
    "StartDate": {"description": "When it began."},
    "TransactionStatus": {"description": f"How it stands: {_STATUSES}"},
    "TransactionType": {"description": "Payment, Refund, Send or Sweep."},
    "PaymentMethod": {"description": "mobilemoney or card; empty while nothing was tried."},
    "CurrencyCode": {"description": "ISO 4217 code.", "examples": ["GHS"]},
    "TransactionAmount": _AMOUNT, "Fee": _AMOUNT, "AmountAfterFees": _AMOUNT,
    "MobileNumber": {"description": "The wallet's number."},
    "TransactionCycle": {"description": "The steps in the order of time."},
    "Date": {"description": "When, in the account's time zone."},
    "IsFulfilled": {"description": "Always null: nobody tells us."},
    # the callback
    "SalesInvoiceId": {"description": "The invoice of this sale."},
    "CustomerPhoneNumber": {"description": "Who paid or ordered; empty where nothing was tried."},
    "PaymentDetails": {"description": "How it was paid, or was tried last; null where nothing was, and for orders."},
    "PaymentType": {"description": "MobileMoney or Card.", "enum": ["MobileMoney", "Card"]},
    "MobileMoneyNumber": {"description": "The wallet."},
    "CardLastFour": {"description": "The card's last four digits."},
    "OrderNumber": {"description": "The number of an order that is paid on delivery.", "examples": ["0000115"]},
    "OrderToken": {"description": "What names the order, and cannot be guessed."},
    # merchant accounts
    "AccountNumber": {"description": "The merchant account.", "examples": ["HM2511160001"]},
    "State": {"description": "How it stands.", "examples": [str(MerchantState.ACTIVE)]},
    "Verification": {"description": "Whether the business is verified.", "enum": [str(each) for each in KycState]},
    "RefusedBecause": {"description": "Why it is suspended, or its documents were rejected."},
    "Currency": {"description": "ISO 4217 code.", "examples": ["GHS"]},
    "Balance": _AMOUNT, "Reserved": _AMOUNT,
    "SweepChannel": {"description": "The network of the wallet to which the money is paid out.",
                     "examples": [str(Channel.MTN)]},
    "SweepNumber": {"description": "That wallet's number.", **_TEXT},
    "SweepName": {"description": "Whose it is.", "maxLength": 100},
    "PayOnDelivery": {"description": "Whether customers may order and pay in cash on delivery."},
    "Channels": {"description": "The channels that may be used; none named means all."},
    "Kind": {"description": "What the document is.", "examples": ["certificate_of_incorporation"]},
    "FileName": {"description": "The file's name, for people.", **_TEXT},
    "Content": {"description": "The whole file in Base64."},
    "DocumentId": {"description": "The document.", "examples": [_ID]},
    "ContentType": {"description": "What the file is.", "examples": ["application/pdf"]},
    "SizeBytes": {"description": "How large it is."},
    "Note": {"description": "What its reviewer says."},
    "Created": {"description": "When it was submitted."},
}

#: Where a field is something else than elsewhere, by schema and name.
EXCEPTIONS: Mapping[tuple[str, str], Schema] = {
    ("CheckoutAnswer", "ResponseCode"): {"description": "Always null, as the document has it."},
    ("InvoiceStatus", "Status"): {"description": "pending, completed, ordered, cancelled, expired or refunded."},
    ("Cycle", "Status"): {"description": f"One of {_STATUSES}"},
    ("PaidStatus", "Status"): {"description": "Paid, Unpaid or Refunded.", "enum": ["Paid", "Unpaid", "Refunded"]},
    ("FoundTransactions", "Data"): {"description": "The transactions found."},
    ("ReceiveMoney", "Token"): {"description": "Not used.", **_TEXT},
    ("Refund", "TransactionId"): {"description": "The payment, or the checkout that it paid.", "minLength": 1,
                                  "maxLength": 100, "examples": [_ID]},
    ("Merchant", "Channels"): {"description": "The channels that may be used; none named means all."},
    ("MerchantChange", "SweepChannel"): {"description": "The network of the wallet to which the money is paid out.",
                                         **_CHANNEL},
    ("Charges", "Amount"): _AMOUNT,
    ("CallbackData", "Amount"): _AMOUNT,
    ("CallbackData", "Status"): {"description": "Success, Ordered, Cancelled, Expired or Failed."},
    ("CheckoutCallback", "Status"): {"description": "Success or Failed.", "enum": ["Success", "Failed"]},
    ("CallbackPayment", "Channel"): {"description": "In the third generation: the channel."},
    ("TransactionData", "Amount"): _AMOUNT,
    ("PaidStatus", "Amount"): _AMOUNT,
}

#: What each status of a payment endpoint's error means.
ERROR_TEXTS: Mapping[int, str] = {
    400: "4000 and the fields at fault, or 4070: the amount is too small.",
    401: "4101: the credentials are missing or wrong.",
    402: "2001: the settlement balance does not cover it.",
    403: "0001 (3009 in the direct calls): the merchant account is not active; 4101: the token, or the state of the"
         " account's verification, does not allow it; 4103: this channel is not permitted; 4105: the merchant account"
         " belongs to another organisation.",
    404: "3900: no such merchant account; 4000: no such checkout or transaction.",
    413: "The body is too large.",
    500: "2001: the request failed on the server.",
}

#: Whole examples, where the fields' own do not go together.
EXAMPLES: Mapping[str, Schema] = {
    "InitiateCheckout": {
        "items": [{"name": "Harry Potter", "quantity": 1, "unitPrice": 50},
                  {"name": "Chinua Achebe", "quantity": 1, "unitPrice": 50}],
        "totalAmount": 100, "description": "Book Shop Checkout", "callbackUrl": "https://shop.example/callback",
        "returnUrl": "https://shop.example/paid", "merchantBusinessLogoUrl": "https://shop.example/logo.png",
        "merchantAccountNumber": "HM2511160001", "cancellationUrl": "https://shop.example/cancelled",
        "clientReference": "inv0012"},
}


def describe(schema_name: str, field_name: str) -> Schema:
    """Return what is to be said of a field of a payment schema, whatever the case in which its schema names it."""
    pascal = field_name[0].upper() + field_name[1:]
    return EXCEPTIONS.get((schema_name, pascal)) or FIELDS[pascal]
