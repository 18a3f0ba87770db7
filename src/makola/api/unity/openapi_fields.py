"""What each field of the Unity API is, said once for every schema and parameter in which it stands.

Bounds are those of the canonical way to write a value; what else is read (names in any case, numbers as texts, texts
as booleans) is in the introduction of the document.
"""

from collections.abc import Mapping

from makola.api.unity import openapi_ussd_fields
from makola.api.unity.errors import TABLE
from makola.core.messaging.types import STATUS_NAMES, Direction

Schema = Mapping[str, object]

#: Ten segments: of GSM characters 1,530, of others 670, of binary content 2,680 hex digits.
_LONGEST_CONTENT = 2680
_LONGEST_REFERENCE = 255
_HEX = "^([0-9A-Fa-f]{2})*$"
_WRITTEN_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_A_TIME = "2030-01-31 23:59:59"
_AN_ID = "6f19395db2fb497ea4ebd1e218dd3e4c"
_A_URL = "https://shop.example/reports"

_FROM: Schema = {
    "description": "The sender: up to 11 letters, digits and the signs `! # & ' * + - . / _` with at least one letter"
                   " and no spaces, or a number of up to 16 digits.",
    "minLength": 1, "maxLength": 17, "examples": ["Makola"],
    "pattern": r"^(\+?[0-9]{1,16}|[0-9A-Za-z!#&'*+\-./_]{1,11})$"}
_TO: Schema = {
    "description": "The recipient's number: international with `+`, or as it is dialled in the account's country.",
    "minLength": 1, "maxLength": 64, "pattern": r"^[+0-9 ().\-]+$", "examples": ["+233244123456"]}
_CONTENT: Schema = {
    "description": "The text; of a binary message hex digits. It is sent in at most ten segments: 1,530 characters of"
                   " the GSM alphabet (160 in a single segment), 670 where another character is among them (70 in a"
                   " single segment), or 1,340 octets of binary content.",
    "minLength": 1, "maxLength": _LONGEST_CONTENT, "examples": ["Your order is on its way."]}
_TIME: Schema = {
    "description": "When to send, up to a year ahead; at once when it is left out. In the account's time zone unless"
                   " it names another (`2030-01-31T23:59:59+01:00`); minute precision is enough.",
    "maxLength": 40, "examples": [_A_TIME]}
_SET_BY_US: Schema = {"readOnly": True}

#: By the field's name in Pascal case.
FIELDS: Mapping[str, Schema] = {
    # sending
    "From": _FROM,
    "To": _TO,
    "Content": _CONTENT,
    "Type": {"description": "0 text, 1 binary, 2 Unicode. A text is sent as Unicode anyway where it has to be.",
             "enum": [0, 1, 2]},
    "Udh": {"description": "The User Data Header of a binary message, in hex digits, its length first.",
            "pattern": _HEX, "maxLength": 280, "examples": ["0605040B8423F0"]},
    "Time": _TIME,
    "ClientReference": {"description": "A reference of your own; it is in the message, in its delivery report and, if"
                                       " the application asks for that, unique.",
                        "maxLength": _LONGEST_REFERENCE, "examples": ["order-1234"]},
    "RegisteredDelivery": {"description": "Whether to send a delivery report to the account's"
                                          " `DeliveryReportNotificationUrl`."},
    "FlashMessage": {"description": "Whether to show the message at once, without storing it on the phone."},
    "BillingInfo": {"description": "A note for your own accounts; it is kept with the message.",
                    "maxLength": _LONGEST_REFERENCE},
    # messages
    "MessageId": {"description": "The message's id: 32 hex digits.", "pattern": "^[0-9a-f]{32}$",
                  "examples": [_AN_ID]},
    "NetworkId": {"description": "The network by country and network code: 62001 MTN, 62002 Vodafone, 62003 Tigo,"
                                 " 62004 Expresso, 62006 Airtel, 62007 Glo; the country's alone where there is no"
                                 " more to tell, and `0` for unknown.",
                  "pattern": "^[0-9]{1,6}$", "examples": ["62001"]},
    "Rate": {"description": "What the message costs the account; 0 while it waits for its time.", "minimum": 0,
             "examples": [1]},
    "Units": {"description": "How many segments the message takes.", "minimum": 1, "maximum": 10, "examples": [1]},
    "Direction": {"description": "`out` to a subscriber, `in` from one.", "enum": [str(word) for word in Direction]},
    "UpdateTime": {"description": "When the message's status changed last.", "pattern": _WRITTEN_TIME,
                   "examples": [_A_TIME]},
    "StatusDescription": {"description": "The status in words.", "examples": ["The message was accepted."]},
    "Detail": {"description": "Why, in words; empty where there is nothing to say."},
    # lists
    "Messages": {"description": "The page, oldest message first."},
    "Count": {"description": "How many messages there are in all.", "minimum": 0},
    "TotalPages": {"description": "How many pages of `Limit` messages there are.", "minimum": 0},
    "Index": {"description": "How many messages to skip.", "minimum": 0, "maximum": 2**31, "examples": [0]},
    "Limit": {"description": "How many messages to list at most.", "minimum": 1, "maximum": 1000, "examples": [100]},
    "Start": {"description": "List no earlier messages: a time, or a date for its midnight.", "maxLength": 40,
              "examples": ["2030-01-01"]},
    "End": {"description": "List no later messages: a time, or a date for its midnight.", "maxLength": 40,
            "examples": ["2030-01-31 23:59:59"]},
    "Pending": {"description": "True lists the scheduled messages, false those that have left or arrived."},
    # settings
    "AccountId": {"description": "The account.", "pattern": "^[0-9]+$", "examples": ["3"], **_SET_BY_US},
    "CountryCode": {"description": "The country whose national numbers are understood, ISO 3166-1 alpha-2.",
                    "pattern": "^[A-Z]{2}$", "examples": ["GH"]},
    "TimeZone": {"description": "The time zone of times that name none, as in the IANA database.", "maxLength": 64,
                 "examples": ["Africa/Accra"]},
    "DeliveryReportNotificationUrl": {
        "description": "Where delivery reports go, http or https; empty for nowhere.",
        "maxLength": 2048, "pattern": "^(https?://.+)?$", "examples": [_A_URL]},
    "DeliveryReportNotificationMethod": {"description": "How they go there.", "enum": ["GET", "POST"]},
    "EmailDailySummary": {"description": "Send a summary of the day by e-mail."},
    "EmailInvoiceReminders": {"description": "Send reminders of unpaid invoices by e-mail."},
    "EmailMaintenance": {"description": "Announce maintenance by e-mail."},
    "EmailNewInvoice": {"description": "Send new invoices by e-mail."},
    "SmsFortnightBalance": {"description": "Send the balance every two weeks by SMS."},
    "SmsLowBalanceNotification": {"description": "Warn of a low balance by SMS."},
    "SmsMaintenance": {"description": "Announce maintenance by SMS."},
    "SmsPromotionalMessages": {"description": "Send promotions by SMS."},
    "SmsTopUpNotification": {"description": "Confirm top-ups by SMS."},
}

_DONE: Schema = {"description": "0: done.", "const": 0}
_SUB_CODE: Schema = {
    "description": "The sub-code; where the documents have none, the HTTP status.",
    "enum": sorted({sub_code for _, sub_code in TABLE.values()})}
_STATUS_NAME: Schema = {"description": "The name of the message's state.",
                        "enum": sorted(STATUS_NAMES.values()), "examples": ["Delivered"]}
_STORED_TIME: Schema = {"description": "When the message was accepted, is to be sent, or came in.",
                        "pattern": _WRITTEN_TIME, "examples": [_A_TIME]}
_REASON: Schema = {"description": "What is wrong, in words, after the name of the field at fault.",
                   "examples": ["To: '123' is not a valid telephone number."]}

#: Where a field is something else than elsewhere, by schema and name.
EXCEPTIONS: Mapping[tuple[str, str], Schema] = {
    ("SendAnswer", "Status"): _DONE,
    ("SendAnswerCamel", "Status"): _DONE,
    ("StatusAnswer", "Status"): _DONE,
    ("ErrorAnswer", "Status"): _SUB_CODE,
    ("ErrorAnswer", "Detail"): _REASON,
    ("ErrorAnswerCamel", "Status"): _SUB_CODE,
    ("ErrorAnswerCamel", "StatusDescription"): _REASON,
    ("MessageAnswer", "From"): {"description": "The sender.", "examples": ["Makola"]},
    ("MessageAnswer", "To"): {"description": "The recipient.", "examples": ["+233244123456"]},
    ("MessageAnswer", "Content"): {"description": "As it was sent.", "examples": ["Your order is on its way."]},
    ("MessageAnswer", "Status"): _STATUS_NAME,
    ("MessageAnswer", "Time"): _STORED_TIME,
    ("MessageList", "Index"): {"description": "How many messages were skipped.", "minimum": 0},
    ("MessageList", "Limit"): {"description": "How many messages a page has at most.", "minimum": 1, "maximum": 1000},
    ("MessageQuery", "Direction"): {"description": "Only messages to subscribers (`out`), or only those from them"
                                                   " (`in`); both when it is left out.",
                                    "enum": [str(word) for word in Direction]},
    ("DeliveryReport", "From"): {"description": "The message's sender.", "examples": ["Makola"]},
    ("DeliveryReport", "To"): {"description": "The recipient.", "examples": ["+233244123456"]},
    ("DeliveryReport", "ClientReference"): {"description": "Yours; empty if you gave none.",
                                            "examples": ["order-1234"]},
    ("DeliveryReport", "Status"): {**_STATUS_NAME, "description": "The name of the state in which the message ended."},
    ("Reschedule", "Time"): {**_TIME, "description": "When to send instead; a time that has just come means at once."},
}

#: Whole examples, where the fields' own do not go together.
EXAMPLES: Mapping[str, Schema] = {
    "SendMessage": {"From": "Makola", "To": "+233244123456", "Content": "Your order is on its way.",
                    "RegisteredDelivery": True, "ClientReference": "order-1234"},
    "SettingsChange": {"DeliveryReportNotificationUrl": _A_URL, "TimeZone": "Africa/Accra"},
}

#: The parts of a path that vary.
PATH_PARTS: Mapping[str, Schema] = {
    **openapi_ussd_fields.PATH_PARTS,
    "message_id": {"description": "The message's id, with or without dashes.", "type": "string",
                   "pattern": "^[0-9A-Fa-f]{32}$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
                   "examples": [_AN_ID]},
    "account_id": {"description": "The account's own id.", "type": "string", "pattern": "^[0-9]+$",
                   "examples": ["3"]},
    "account_number": {"description": "The merchant account.", "type": "string", "pattern": "^HM[0-9]{1,20}$",
                       "examples": ["HM2511160001"]},
    "token": {"description": "The invoice's token.", "type": "string", "pattern": "^[0-9A-Fa-f]{32}$",
              "examples": [_AN_ID]},
}


def describe(schema_name: str, field_name: str) -> Schema:
    """Return what is to be said of a field, whatever the case in which its schema names it."""
    pascal = field_name[0].upper() + field_name[1:]
    if openapi_ussd_fields.describes(schema_name):
        return openapi_ussd_fields.describe(schema_name, pascal)
    return EXCEPTIONS.get((schema_name, pascal)) or FIELDS[pascal]
