"""How an operator writes its pushes and reads its answers: two descriptions come ready, and every name can be changed.

- `africas_talking`: a form with everything that was typed so far, joined by asterisks; the answer is text that begins
  with `CON` or `END` (https://developers.africastalking.com/docs/ussd/handle_sessions).
- `json`: a JSON object for each push, with a type and an id of its own; the answer is a JSON object.
"""

from typing import Literal

import msgspec

from makola.core.ussd.ports import PushKind


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the fields of a push and of its answer are called; an empty name means that there is no such field.

    Attributes:
        form: whether a push is a form, or a JSON object.
        session_id: the operator's id of the session.
        push_id: makes a repeated push recognisable; with `joined` the number of inputs does.
        kind: says what a push is; `kinds` reads its values, in lower case.
        text: what was typed; with `joined`, everything typed so far, with `separator` between.
        network: the subscriber's network; `networks` gives its name by MCC and MNC, or by whatever the operator sends.
        answer: `con_end` for text, `json` for an object with the fields `answer_…`.
    """

    form: bool
    session_id: str = "sessionId"
    push_id: str = ""
    kind: str = ""
    kinds: dict[str, PushKind] = {}
    mobile: str = "msisdn"
    dialled: str = "serviceCode"
    text: str = "text"
    joined: bool = False
    separator: str = "*"
    network: str = "operator"
    networks: dict[str, str] = {}
    answer: Literal["con_end", "json"] = "json"
    answer_session_id: str = "sessionId"
    answer_text: str = "text"
    answer_action: str = "action"
    answer_continue: str = "continue"
    answer_end: str = "end"


#: By MCC and MNC (ITU-T E.212): the names that the USSD API's documents use.
_NETWORKS = {
    "62001": "MTN", "62002": "Vodafone", "62003": "Tigo", "62006": "Airtel", "62007": "Glo",
    "63902": "Safaricom", "63903": "Airtel", "62120": "Airtel", "62130": "MTN", "62150": "Glo", "64004": "Vodafone",
    "64110": "MTN", "64101": "Airtel", "63510": "MTN",
}

_KINDS = {
    "begin": PushKind.DIAL, "initiation": PushKind.DIAL, "start": PushKind.DIAL,
    "continue": PushKind.INPUT, "response": PushKind.INPUT, "input": PushKind.INPUT,
    "end": PushKind.CANCEL, "release": PushKind.CANCEL, "cancel": PushKind.CANCEL, "timeout": PushKind.CANCEL,
}

DESCRIPTIONS = {
    "africas_talking": Description(form=True, mobile="phoneNumber", network="networkCode", networks=_NETWORKS,
                                   joined=True, answer="con_end"),
    "json": Description(form=False, push_id="requestId", kind="type", kinds=_KINDS, networks=_NETWORKS),
}
