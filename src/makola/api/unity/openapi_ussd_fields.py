"""What each field of the USSD calls is, said once for every schema and parameter in which it stands."""

from collections.abc import Mapping

from makola.core.ussd.types import ErrorCode, LongText, OperatorError, StepKind

Schema = Mapping[str, object]

_A_TIME = "2030-01-31 23:59:59"
_WRITTEN_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_AN_ID = "6f19395db2fb497ea4ebd1e218dd3e4c"
_A_URL = "https://bank.example/ussd"
_HTTP_STATUS: Schema = {"description": "The application's HTTP status; null where it gave none.",
                        "examples": [200, None]}
_ID: Schema = {"minimum": 1, "examples": [7]}
_ERRORS = sorted({*(code.value for code in ErrorCode), *(error.value for error in OperatorError)})
_KINDS = ["".join(word.capitalize() for word in kind.name.split("_")) for kind in StepKind]

#: By the field's name in Pascal case.
FIELDS: Mapping[str, Schema] = {
    "Id": {**_ID, "description": "Its id."},
    "AccountId": {**_ID, "description": "The account that the service belongs to; your own where it is left out."},
    "Code": {"description": "The service code, with sub-codes after asterisks; of what is dialled, the longest code"
                            " that matches counts.", "maxLength": 160, "examples": ["714*23"]},
    "Name": {"description": "What you call the service.", "maxLength": 200, "examples": ["Bank"]},
    "Url": {"description": "The application, http or https; empty while there is none.", "maxLength": 2048,
            "pattern": "^(https?://.+)?$", "examples": [_A_URL]},
    "FulfilmentUrl": {"description": "Where the callback after a payment goes; empty for nowhere.", "maxLength": 2048,
                      "pattern": "^(https?://.+)?$", "examples": [_A_URL]},
    "Operators": {"description": "Names of the networks that the service is open to; empty for all.",
                  "examples": [["MTN", "Vodafone"]]},
    "LongText": {"description": "What becomes of a text that fits on no screen: cut into pages, or refused as UUE.",
                 "enum": [each.value for each in LongText]},
    "ResumeSeconds": {"description": "How long after a time-out a session can be resumed; 0 for never.",
                      "minimum": 0, "maximum": 86_400, "examples": [0]},
    "Secret": {"description": "`whsec_…`, with which requests are signed (Standard Webhooks); empty for no signature.",
               "pattern": "^(whsec_[A-Za-z0-9+/]{32,}=*)?$", "examples": [""]},
    "SignsRequests": {"description": "Whether requests are signed."},
    "Enabled": {"description": "Whether the service can be dialled."},
    "ServiceList": {"description": "The services."},
    "Count": {"description": "How many are listed here.", "minimum": 0},
    "TotalPages": {"description": "Always 1.", "minimum": 1},
    "SessionId": {"description": "As the application knows it: 32 hex digits.", "examples": [_AN_ID]},
    "ServiceId": {"description": "The service.", "examples": [7]},
    "ServiceCode": {"description": "The service's code.", "examples": ["714"]},
    "Mobile": {"description": "The subscriber, international without the plus sign.", "maxLength": 32,
               "examples": ["233244123456"]},
    "Operator": {"description": "The subscriber's network.", "examples": ["MTN"]},
    "Started": {"description": "When it began.", "pattern": _WRITTEN_TIME, "examples": [_A_TIME]},
    "Ended": {"description": "When it ended; null while it is open.", "examples": [_A_TIME]},
    "EndedBy": {"description": "Who or what ended it; null while it is open.",
                "examples": ["Application", "Subscriber", "Timeout", "Error"]},
    "Error": {"description": "The code of the error that it ended with; empty for none.", "maxLength": 64,
              "examples": [""]},
    "Steps": {"description": "How many steps it has.", "minimum": 0},
    "Session": {"description": "The session."},
    "SessionList": {"description": "The sessions."},
    "StepList": {"description": "Its steps, the first one first."},
    "Position": {"description": "The step's place in the session.", "minimum": 1},
    "Sequence": {"description": "The request's Sequence; 0 where the application was not asked.", "minimum": 0},
    "Kind": {"description": "What the step was.", "enum": _KINDS},
    "Message": {"description": "What was dialled or typed; `****` where it was masked.", "examples": ["*714#"]},
    "Masked": {"description": "Whether the message was masked."},
    "Time": {"description": "When.", "pattern": _WRITTEN_TIME, "examples": [_A_TIME]},
    "Screen": {"description": "What the subscriber saw; `****` where it was masked, null where there is nothing yet.",
               "examples": ["Enter your PIN"]},
    "ScreenMasked": {"description": "Whether the screen was masked."},
    "Ends": {"description": "Whether the session ended with it."},
    "HttpStatus": _HTTP_STATUS,
    "Duration": {"description": "How long the application took, in milliseconds; null where it was not asked.",
                 "examples": [12]},
    "Cause": {"description": "Why, in words; empty where there is nothing to say.",
              "examples": ["The answer has no Type."]},
    "Answer": {"description": "The beginning of what the application answered instead; empty where something masked"
                              " may be in it.", "examples": ["<html>"]},
    "FailureList": {"description": "The errors."},
    "LastDay": {"description": "How often each error was shown in the last 24 hours.", "examples": [{"UUE": 3}]},
    "Next": {"description": "Give it as `Before` for the next page; null on the last one.", "examples": [None]},
    "Before": {"description": "Only those before this one: `Next` of the page before.", "examples": [None]},
    "Limit": {"description": "How many to list at most.", "minimum": 1, "maximum": 1000, "examples": [100]},
}

#: Where a field is something else than elsewhere, by schema and name.
EXCEPTIONS: Mapping[tuple[str, str], Schema] = {
    ("UssdFailure", "Code"): {"description": "The error's code.", "enum": _ERRORS},
    ("UssdFailureQuery", "Code"): {"description": "Only this error.", "maxLength": 64, "examples": ["UUE"]},
    ("UssdFailure", "SessionId"): {"description": "The session; null where there was none yet.", "examples": [_AN_ID]},
    ("UssdSessionQuery", "Before"): {"description": "Only those before this one: `Next` of the page before.",
                                     "maxLength": 36, "examples": [""]},
}

#: The parts of a path that vary.
PATH_PARTS: Mapping[str, Schema] = {
    "service_id": {"description": "The service's id.", "type": "string", "pattern": "^[0-9]{1,18}$", "examples": ["7"]},
    "session_id": {"description": "The session's id, with or without dashes.", "type": "string",
                   "pattern": "^[0-9A-Fa-f]{32}$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
                   "examples": [_AN_ID]},
}


def describes(schema_name: str) -> bool:
    """Say whether a schema belongs to the USSD calls."""
    return "Ussd" in schema_name


def describe(schema_name: str, field_name: str) -> Schema:
    """Return what is to be said of a field."""
    return EXCEPTIONS.get((schema_name, field_name)) or FIELDS[field_name]
