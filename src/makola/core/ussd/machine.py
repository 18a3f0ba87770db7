"""The state machine of one session: new, waiting for the application, waiting for the subscriber, ended.

Pure: it neither asks nor stores; it says what to ask, what to show, and what comes next. A session is a frozen value,
so that nothing of one subscriber can get into another's.

    step = dial(new_session(...), "*714#")           # step.request goes to the application
    step = take_answer(step.session, answer)         # step.screen goes to the subscriber
    step = take_input(step.session, "1")             # step.request, or the next page as step.screen
    step = release(step.session) / time_out(...)     # step.request tells the application, if it waits to be told
"""

from uuid import UUID

from msgspec.structs import replace

from makola.core.ussd import screens
from makola.core.ussd.errors import WrongStateError
from makola.core.ussd.screens import Encoding
from makola.core.ussd.types import (
    AnswerType,
    CartItem,
    EndReason,
    ErrorCode,
    Failure,
    LongText,
    RequestType,
    Screen,
    SessionState,
    StepKind,
    UssdAnswer,
    UssdRequest,
)
from makola.core.ussd.wording import Wording
from makola.kit.values import Value


class Session(Value, frozen=True):
    """One session at one moment.

    Attributes:
        mobile: international without the plus sign.
        sequence: of the last request to the application; 0 before the first.
        client_state: to be sent with the next request, and then dropped.
        hides_input: what the subscriber types next is masked.
        pages: what of the last text has not been shown yet.
        pages_masked: whether that text is masked.
        released: the application has ended the session; only `pages` are left.
        private: something masked has passed, so that no ClientState may be kept on disk from now on.
        cart: what the application wants to be paid for.
        end_reason: set once `state` is ENDED.
    """

    hidden = frozenset({"client_state", "pages"})

    session_id: UUID
    mobile: str
    operator: str
    service_code: str
    long_text: LongText = LongText.PAGE
    state: SessionState = SessionState.NEW
    sequence: int = 0
    client_state: str | None = None
    hides_input: bool = False
    pages: tuple[str, ...] = ()
    pages_masked: bool = False
    released: bool = False
    private: bool = False
    cart: CartItem | None = None
    end_reason: EndReason | None = None


class Step(Value, frozen=True):
    """What an event makes of a session: at most one request to send, and at most one screen to show.

    Attributes:
        kind: what the event is recorded as; None where it belongs to the step before (an answer, a failure).
        input_masked: what the subscriber typed must not be kept.
        failure: why the screen tells of an error.
        payment: what to take a payment for before anything is shown.
    """

    session: Session
    kind: StepKind | None = None
    request: UssdRequest | None = None
    screen: Screen | None = None
    input_masked: bool = False
    failure: Failure | None = None
    payment: CartItem | None = None


def dial(session: Session, dialled: str) -> Step:
    """Begin: the application is told what was dialled, whole."""
    _require(session, SessionState.NEW)
    return _ask(session, RequestType.INITIATION, dialled, StepKind.INITIATION)


def take_input(session: Session, text: str) -> Step:
    """Take what the subscriber typed: it turns a page, or goes to the application."""
    _require(session, SessionState.WAITING_FOR_SUBSCRIBER)
    if session.pages and (session.released or text.strip() == screens.MORE):
        return _turn_page(session)
    if not session.hides_input:
        return _ask(session, RequestType.RESPONSE, text, StepKind.RESPONSE)
    step = _ask(replace(session, private=True), RequestType.RESPONSE, text, StepKind.RESPONSE)
    return replace(step, input_masked=True)


def take_answer(session: Session, answer: UssdAnswer, wording: Wording | None = None) -> Step:
    """Take the application's answer: a screen, the end, or a payment to take first.

    A text that fits on no screen is cut into pages, or fails as UUE, as the service is set.
    """
    _require(session, SessionState.WAITING_FOR_APPLICATION)
    private = session.private or answer.mask
    if answer.type is AnswerType.ADD_TO_CART:
        session = replace(session, cart=answer.item, client_state=None, private=private)
        return Step(session, payment=answer.item)
    if session.long_text is LongText.REFUSE and not screens.fits(answer.message):
        return fail(session, _too_long(answer.message), wording)
    first, *rest = screens.pages(answer.message)
    released = answer.type is AnswerType.RELEASE
    ends = released and not rest
    session = replace(
        session, state=SessionState.ENDED if ends else SessionState.WAITING_FOR_SUBSCRIBER,
        client_state=None if released else answer.client_state,
        hides_input=answer.mask_next_route and not released, pages=tuple(rest), pages_masked=answer.mask,
        released=released, private=private, end_reason=EndReason.APPLICATION if ends else None)
    return Step(session, screen=Screen(first, ends, answer.mask, session.hides_input))


def take_payment(session: Session, text: str) -> Step:
    """End a session whose payment was handed over, showing how it goes on."""
    _require(session, SessionState.WAITING_FOR_APPLICATION)
    session = replace(session, state=SessionState.ENDED, end_reason=EndReason.APPLICATION, client_state=None)
    return Step(session, screen=Screen(screens.shortened(text), ends=True))


def fail(session: Session, failure: Failure, wording: Wording | None = None) -> Step:
    """End a session with an error's screen, in whatever state it is."""
    ended = replace(session, state=SessionState.ENDED, end_reason=EndReason.ERROR, client_state=None, pages=(),
                    hides_input=False)
    return Step(ended, screen=(wording or Wording()).screen(failure), failure=failure)


def release(session: Session) -> Step:
    """End a session because the subscriber cancelled it."""
    return _end(session, EndReason.SUBSCRIBER, RequestType.RELEASE, StepKind.RELEASE)


def time_out(session: Session) -> Step:
    """End a session because the subscriber did not answer in time."""
    return _end(session, EndReason.TIMEOUT, RequestType.TIMEOUT, StepKind.TIMEOUT)


def reopen(session: Session, *, client_state: str | None, hides_input: bool, pages: tuple[str, ...]) -> Session:
    """Let a session that timed out wait for its subscriber again, with what it had when it timed out."""
    if session.end_reason is not EndReason.TIMEOUT or session.released:
        raise WrongStateError("Only a session that timed out can be resumed.")
    return replace(session, state=SessionState.WAITING_FOR_SUBSCRIBER, end_reason=None, client_state=client_state,
                   hides_input=hides_input, pages=pages)


def _require(session: Session, state: SessionState) -> None:
    if session.state is not state:
        raise WrongStateError(f"The session is {session.state}.")


def _ask(session: Session, request_type: RequestType, message: str, kind: StepKind) -> Step:
    """Send one request; it takes the ClientState with it."""
    sequence = session.sequence + 1
    request = UssdRequest(session.mobile, session.session_id.hex, session.service_code, request_type, message,
                          session.operator, sequence, session.client_state)
    asked = replace(session, state=SessionState.WAITING_FOR_APPLICATION, sequence=sequence, client_state=None,
                    hides_input=False, pages=())
    return Step(asked, kind, request)


def _turn_page(session: Session) -> Step:
    page, *rest = session.pages
    ends = session.released and not rest
    turned = replace(session, pages=tuple(rest),
                     state=SessionState.ENDED if ends else SessionState.WAITING_FOR_SUBSCRIBER,
                     end_reason=EndReason.APPLICATION if ends else None)
    return Step(turned, StepKind.PAGE,
                screen=Screen(page, ends, session.pages_masked, turned.hides_input))


def _end(session: Session, reason: EndReason, request_type: RequestType, kind: StepKind) -> Step:
    """End a session; the application is told unless it has ended the session itself."""
    if session.state is SessionState.ENDED:
        raise WrongStateError("The session has ended.")
    step = Step(session, kind) if session.released else _ask(session, request_type, "", kind)
    return replace(step, session=replace(step.session, state=SessionState.ENDED, end_reason=reason, pages=()))


def _too_long(text: str) -> Failure:
    encoding = screens.encoding_of(text)
    most, unit = (screens.MOST_SEPTETS, "septets") if encoding is Encoding.GSM7 else (screens.MOST_UCS2, "UCS-2 units")
    return Failure(ErrorCode.UUE, f"The answer's Message takes {screens.length_of(text, encoding)} {unit} and this"
                                  f" service refuses more than {most}.", 200)
