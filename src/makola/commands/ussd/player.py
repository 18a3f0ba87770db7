"""One session played against an application by the server's own state machine; nothing is stored or charged."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from msgspec.structs import replace

from makola.commands.ussd import transport
from makola.core.callbacks.signatures import signature_headers
from makola.core.ussd import codes, machine
from makola.core.ussd.machine import Session, Step
from makola.core.ussd.protocol import encode_request, judge_answer
from makola.core.ussd.types import (
    APPLICATION_TIMEOUT_S,
    CartItem,
    EndReason,
    ErrorCode,
    Failure,
    LongText,
    Screen,
    UssdAnswer,
    UssdRequest,
)
from makola.core.ussd.wording import Wording

_CURRENCY_PLACES = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """What is played against, and as whom.

    Attributes:
        url: of the application.
        mobile: of the subscriber, with or without the plus sign.
        operator: the network's name.
        service_code: what the application is told; None for the first number of the dialled code.
        timeout_s: that the application has for an answer.
        long_text: what becomes of a text longer than a screen.
        secret: `whsec_…` that signs the requests as the service's secret does; empty for no signature.
    """

    url: str
    mobile: str
    operator: str
    service_code: str | None = None
    timeout_s: float = APPLICATION_TIMEOUT_S
    long_text: LongText = LongText.PAGE
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, for whoever watches."""

    request: bytes
    answer: transport.HttpAnswer | None
    failure: Failure | None


def _nobody_watches(_exchange: Exchange) -> None:
    """Take an exchange and do nothing with it."""


class Player:
    """A subscriber's phone. Dial, then answer, cancel or time out while the screen is open.

    Args:
        target: what is played against.
        watch: is told of every exchange with the application.
        post: sends one request.
    """

    def __init__(self, target: Target, watch: Callable[[Exchange], None] = _nobody_watches,
                 post: Callable[..., transport.HttpAnswer] = transport.post) -> None:
        self._target = target
        self._watch = watch
        self._post = post
        self._session: Session | None = None
        self.screen: Screen | None = None
        self.failure: Failure | None = None
        self.steps = 0

    @property
    def is_open(self) -> bool:
        """Whether the application waits for the subscriber."""
        return self.screen is not None and not self.screen.ends

    @property
    def hides_input(self) -> bool:
        """Whether the subscriber's next input is masked."""
        return self.screen is not None and self.screen.hides_input

    def dial(self, code: str) -> Screen:
        """Begin a session, leaving an open one as a subscriber who hangs up does; `code` is a USSD code."""
        if self.is_open:
            self.cancel()
        self.failure, self.steps = None, 0
        service_code = self._target.service_code or codes.parts_of(code)[0]
        session = Session(uuid4(), self._target.mobile.lstrip("+"), self._target.operator, service_code,
                          self._target.long_text)
        return self._go_on(machine.dial(session, code))

    def answer(self, text: str) -> Screen:
        """Type an answer and send it."""
        return self._go_on(machine.take_input(self._open_session(), text))

    def cancel(self) -> None:
        """Hang up; the application is told."""
        self._leave(machine.release(self._open_session()))

    def time_out(self) -> Screen:
        """Say nothing for too long; the application is told, and the screen says so."""
        self._leave(machine.time_out(self._open_session()))
        failure = Failure(ErrorCode.ST, "The subscriber took too long.")
        self.failure, self.screen = failure, Wording().screen(failure)
        return self.screen

    def _open_session(self) -> Session:
        if self._session is None or not self.is_open:
            raise ValueError("no session is open")
        return self._session

    def _go_on(self, step: Step) -> Screen:
        if step.request is not None:
            outcome = self._ask(step.request)
            if isinstance(outcome, Failure):
                step = machine.fail(step.session, outcome)
            else:
                step = machine.take_answer(step.session, outcome)
        if step.payment is not None:
            step = machine.take_payment(step.session, _payment_text(step.payment))
        if step.screen is None:
            raise ValueError("a step without a screen")
        self._session, self.screen, self.failure = step.session, step.screen, step.failure
        return step.screen

    def _leave(self, step: Step) -> None:
        """End the session; what the application answers to Release and Timeout is shown to nobody."""
        if step.request is not None:
            self._ask(step.request)
        self._session = step.session
        if self.screen is not None:
            self.screen = replace(self.screen, ends=True)

    def _ask(self, request: UssdRequest) -> UssdAnswer | Failure:
        self.steps += 1
        sent, answer = encode_request(request), None
        secret = self._target.secret
        signature = signature_headers(secret, f"{request.session_id}-{request.sequence}", int(time.time()),
                                      sent) if secret else {}
        outcome: UssdAnswer | Failure
        try:
            answer = self._post(self._target.url, sent, timeout_s=self._target.timeout_s, headers=signature)
            outcome = judge_answer(answer.status, answer.body, cut=answer.cut)
        except transport.TooSlowError as error:
            outcome = Failure(ErrorCode.UUT, f"The application was too slow: {error}.")
        except transport.NoConnectionError as error:
            outcome = Failure(ErrorCode.URNF, f"The application cannot be reached: {error}.")
        except transport.NoHttpError as error:
            outcome = Failure(ErrorCode.UUE, f"The application was reached, but {error}.")
        self._watch(Exchange(sent, answer, outcome if isinstance(outcome, Failure) else None))
        return outcome

    @property
    def end_reason(self) -> EndReason | None:
        """Who ended the session; None while it is open."""
        return None if self._session is None else self._session.end_reason


def _payment_text(item: CartItem) -> str:
    """Say what would be paid: taking it is the server's part."""
    return (f"Payment of {item.quantity} x {item.price_units / _CURRENCY_PLACES:.2f} for {item.name}."
            " The online checkout goes on from here.")
