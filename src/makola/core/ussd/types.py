"""What a USSD service, session, request and answer are (seed, "USSD Push Request")."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from makola.kit.values import Value

#: Times that the document fixes (seed, "USSD Error Codes": UUT and ST).
APPLICATION_TIMEOUT_S = 7.0
SUBSCRIBER_TIMEOUT_S = 60.0

#: The tariffs of billing: what each tier pays its parent for a session, and for a step (a request to the application).
SESSION_TARIFF = "ussd_session"
STEP_TARIFF = "ussd_step"
#: What the ledger calls the transfers of both; their reference is the session's id.
TRANSFER_KIND = "ussd"

#: What stands in a log, a page or a table where a text is masked: always the same, whatever its length.
MASKED = "****"


class RequestType(enum.StrEnum):
    """Why the application is asked; written exactly so."""

    INITIATION = "Initiation"
    RESPONSE = "Response"
    RELEASE = "Release"
    TIMEOUT = "Timeout"


class AnswerType(enum.StrEnum):
    """What the application wants: an input, the end, or a payment."""

    RESPONSE = "Response"
    RELEASE = "Release"
    ADD_TO_CART = "AddToCart"


class UssdRequest(Value, frozen=True):
    """What the application is asked: its eight fields in their order.

    Attributes:
        mobile: the subscriber, international without the plus sign.
        session_id: 32 hex digits.
        service_code: of the service, without asterisk and hash: `711` or `711*23`.
        message: what was dialled or typed; empty for Release and Timeout.
        operator: the network's name, as in `Vodafone`.
        sequence: the position of this request in the session, from 1.
        client_state: what the last answer asked to be sent back.
    """

    hidden = frozenset({"message", "client_state"})

    mobile: str
    session_id: str
    service_code: str
    type: RequestType
    message: str
    operator: str
    sequence: int
    client_state: str | None


@dataclass(frozen=True, slots=True)
class CartItem:
    """What is to be paid for. `price_units` is for one, in 1/10,000 of the currency's unit."""

    name: str
    quantity: int
    price_units: int


class UssdAnswer(Value, frozen=True):
    """What the application answered.

    Attributes:
        message: the text to show; not yet measured.
        client_state: to be sent with the next request only.
        mask: the text must not be kept anywhere.
        mask_next_route: nor what the subscriber types next.
        item: with `AnswerType.ADD_TO_CART`.
    """

    hidden = frozenset({"message", "client_state"})

    type: AnswerType
    message: str
    client_state: str | None = None
    mask: bool = False
    mask_next_route: bool = False
    item: CartItem | None = None


class ErrorCode(enum.StrEnum):
    """The document's error codes (seed, "USSD Error Codes")."""

    URNF = "URNF"
    UUT = "UUT"
    ST = "ST"
    UUE = "UUE"
    NOCR = "NOCR"
    NOAPP = "NOAPP"
    CSP = "CSP"


class OperatorError(enum.StrEnum):
    """Errors that come from the operator's side; the value is what it shows."""

    SERVICE_UNAVAILABLE = "SERVICE UNAVAILABLE"
    UNABLE_TO_DISPLAY = "UNABLE TO DISPLAY USSD"
    ERROR_AT_WASP = "ERROR AT WASP E150"
    REQUEST_FAILS = "REQUEST FAILS"
    ERROR_WAP = "ERROR WAP"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed, for the service's owner.

    Attributes:
        code: what is shown to the subscriber.
        cause: one sentence; never holds what was masked.
        status: the application's HTTP status; None when it gave none.
        body: the beginning of its answer; empty where it was masked.
    """

    code: ErrorCode | OperatorError
    cause: str
    status: int | None = None
    body: str = ""


class Screen(Value, frozen=True):
    """What the subscriber sees.

    Attributes:
        text: fits on one screen.
        ends: the session is over; otherwise an input is awaited.
        masked: the text must not be kept.
        hides_input: what the subscriber types now must not be kept.
        error: set when this screen tells of an error.
    """

    hidden = frozenset({"text"})

    text: str
    ends: bool
    masked: bool = False
    hides_input: bool = False
    error: ErrorCode | OperatorError | None = None


class SessionState(enum.StrEnum):
    """Where a session stands."""

    NEW = "new"
    WAITING_FOR_APPLICATION = "waiting for the application"
    WAITING_FOR_SUBSCRIBER = "waiting for the subscriber"
    ENDED = "ended"


class EndReason(enum.IntEnum):
    """Who or what ended a session. The numbers are stored; they never change."""

    APPLICATION = 1
    SUBSCRIBER = 2
    TIMEOUT = 3
    ERROR = 4


class StepKind(enum.IntEnum):
    """What a recorded step was. The numbers are stored; they never change."""

    INITIATION = 1
    RESPONSE = 2
    RELEASE = 3
    TIMEOUT = 4
    PAGE = 5
    RESUME_OFFER = 6
    RESUMED = 7


class LongText(enum.StrEnum):
    """What becomes of a text that does not fit on one screen."""

    PAGE = "page"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Service:
    """A service code and the application behind it.

    Attributes:
        code: digits, with sub-codes after asterisks: `711*23`.
        url: of the application; empty while none is mapped.
        fulfilment_url: is told of payments; empty for nobody.
        operators: names of the networks that it is open to; empty for all.
        resume_s: how long after a time-out a session can be resumed; 0 for never.
        secret: `whsec_…` that signs requests; empty for no signature.
        chain: of the owner, from the root of the tree.
    """

    service_id: int
    code: str
    organisation_id: int
    name: str
    url: str
    fulfilment_url: str = ""
    operators: tuple[str, ...] = ()
    long_text: LongText = LongText.PAGE
    resume_s: int = 0
    secret: str = field(default="", repr=False)
    enabled: bool = True
    chain: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A recorded session, as its owner may see it."""

    session_id: UUID
    service_id: int
    organisation_id: int
    service_code: str
    mobile: str
    operator: str
    connector: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    error: str
    step_count: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A recorded step. Masked texts are `MASKED`: the hub does not have them.

    Attributes:
        position: in the session, page turns and resumption included.
        sequence: as the application saw it; 0 where it was not asked.
        duration_ms: that the application took; None where it was not asked, or has not answered.
        client_state: that the application's answer gave; None where it gave none or it is not kept (`private`).
        hides_input: the answer asked to mask the subscriber's next input.
        private: something masked has passed in the session, so that no ClientState is kept from here on.
    """

    session_id: UUID
    position: int
    sequence: int
    kind: StepKind
    input: str
    input_masked: bool
    asked_at: datetime
    answered_at: datetime | None
    duration_ms: int | None
    status: int | None
    screen: str | None
    screen_masked: bool
    ends: bool
    error: str
    cause: str
    body: str = field(repr=False)
    client_state: str | None = field(default=None, repr=False)
    hides_input: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class SessionHistory:
    """A recorded session with its steps in their order."""

    session: SessionRecord
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True)
class ServiceCounts:
    """What became of the sessions of one service in a while.

    Attributes:
        errors: how often each error was shown, by its code.
    """

    service_id: int
    sessions: int
    open: int
    ended_by_application: int
    ended_by_subscriber: int
    timed_out: int
    errors: dict[str, int]


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """An error that a subscriber saw, with its cause. `session_id` is None where there was none yet."""

    failure_id: int
    organisation_id: int
    service_id: int | None
    session_id: UUID | None
    service_code: str
    code: str
    cause: str
    status: int | None
    body: str
    at: datetime
