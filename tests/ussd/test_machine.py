"""Properties of the state machine: what one subscriber's session does never shows in another's."""

from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from makola.core.ussd import machine, screens
from makola.core.ussd.errors import WrongStateError
from makola.core.ussd.machine import Session, Step
from makola.core.ussd.types import (
    AnswerType,
    CartItem,
    EndReason,
    ErrorCode,
    Failure,
    LongText,
    RequestType,
    SessionState,
    UssdAnswer,
)

_TEXTS = st.text(st.sampled_from("ab €\nжñ"), max_size=400)
_STATES = st.one_of(st.none(), st.text("xyz", max_size=100))
_ANSWERS = st.builds(UssdAnswer, st.sampled_from([AnswerType.RESPONSE, AnswerType.RESPONSE, AnswerType.RELEASE]),
                     _TEXTS, _STATES, st.booleans(), st.booleans())


class _Model:
    """What a session must be, by the words of the document."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sequence = 0
        self.waiting_state: str | None = None
        self.masks_next = False
        self.seen: list[str] = []


class Sessions(RuleBasedStateMachine):
    """Several subscribers at once; every text carries the number of its subscriber."""

    subscribers = Bundle("subscribers")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.models: list[_Model] = []

    def _mark(self, model: _Model, text: str) -> str:
        return f"<{model.session.mobile}>{text}"

    def _asked(self, model: _Model, step: Step, kind: RequestType, message: str) -> None:
        request = step.request
        assert request is not None
        assert (request.type, request.message) == (kind, message)
        assert request.sequence == model.sequence + 1
        assert request.client_state == model.waiting_state, "a ClientState lives for exactly one hop"
        assert (request.mobile, request.session_id) == (model.session.mobile, model.session.session_id.hex)
        model.sequence, model.waiting_state, model.session = request.sequence, None, step.session

    @rule(target=subscribers, long_text=st.sampled_from(LongText))
    def dials(self, long_text: LongText) -> _Model:
        self.count += 1
        model = _Model(Session(UUID(int=self.count), f"23324{self.count:07d}", "MTN", "714", long_text))
        self.models.append(model)
        self._asked(model, machine.dial(model.session, "*714#"), RequestType.INITIATION, "*714#")
        return model

    @rule(model=subscribers, answer=_ANSWERS)
    def application_answers(self, model: _Model, answer: UssdAnswer) -> None:
        message = self._mark(model, answer.message)
        state = None if answer.client_state is None else self._mark(model, answer.client_state)
        given = UssdAnswer(answer.type, message, state, answer.mask, answer.mask_next_route)
        if model.session.state is not SessionState.WAITING_FOR_APPLICATION:
            with pytest.raises(WrongStateError):
                machine.take_answer(model.session, given)
            return
        step = machine.take_answer(model.session, given)
        assert step.request is None
        screen = step.screen
        assert screen is not None
        model.session = step.session
        if screen.error is not None:
            assert not screens.fits(message)
            assert model.session.long_text is LongText.REFUSE
            assert screen.error == ErrorCode.UUE
            return
        model.seen = [screen.text]
        ends = answer.type is AnswerType.RELEASE
        assert screen.ends == (ends and not model.session.pages)
        assert screen.masked == answer.mask
        model.waiting_state = None if ends else state
        model.masks_next = answer.mask_next_route and not ends
        assert screen.hides_input == model.masks_next

    @rule(model=subscribers, text=st.one_of(st.just(screens.MORE), st.text("123", max_size=3)))
    def subscriber_types(self, model: _Model, text: str) -> None:
        session = model.session
        if session.state is not SessionState.WAITING_FOR_SUBSCRIBER:
            with pytest.raises(WrongStateError):
                machine.take_input(session, text)
            return
        step = machine.take_input(session, text)
        if session.pages and (text == screens.MORE or session.released):
            assert step.request is None
            assert step.screen is not None
            assert step.screen.masked == session.pages_masked
            assert step.screen.text == session.pages[0]
            model.seen.append(step.screen.text)
            model.session = step.session
            return
        assert step.input_masked == model.masks_next
        assert step.session.private or not step.input_masked
        model.masks_next = False
        self._asked(model, step, RequestType.RESPONSE, text)

    @rule(model=subscribers, silent=st.booleans())
    def subscriber_leaves(self, model: _Model, silent: bool) -> None:
        session = model.session
        leave = machine.time_out if silent else machine.release
        if session.state is SessionState.ENDED:
            with pytest.raises(WrongStateError):
                leave(session)
            return
        step = leave(session)
        assert step.session.end_reason is (EndReason.TIMEOUT if silent else EndReason.SUBSCRIBER)
        if session.released:
            assert step.request is None, "the application has ended this session itself"
            model.session = step.session
        else:
            self._asked(model, step, RequestType.TIMEOUT if silent else RequestType.RELEASE, "")

    @rule(model=subscribers)
    def gateway_fails(self, model: _Model) -> None:
        step = machine.fail(model.session, Failure(ErrorCode.UUT, "slow"))
        assert step.screen is not None
        assert step.screen.ends
        assert not step.screen.masked
        model.session = step.session

    @invariant()
    def nobody_has_what_is_somebody_elses(self) -> None:
        for model in self.models:
            mine = f"<{model.session.mobile}>"
            held = [model.session.client_state or "", *model.session.pages, *model.seen]
            assert all("<" not in text.replace(mine, "") for text in held)
            assert model.seen == [] or mine in model.seen[0] or model.seen[0].startswith("UUE")

    @invariant()
    def every_screen_fits(self) -> None:
        assert all(screens.fits(text) for model in self.models for text in (*model.seen, *model.session.pages))

    @invariant()
    def an_ended_session_holds_nothing(self) -> None:
        for model in self.models:
            if model.session.state is SessionState.ENDED:
                assert model.session.end_reason is not None
                assert model.session.client_state is None
                assert model.session.pages == ()


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_payment_comes_before_the_screen() -> None:
    session = machine.dial(Session(UUID(int=1), "233", "MTN", "714"), "*714#").session
    item = CartItem("Bag", 1, 10_000)
    step = machine.take_answer(session, UssdAnswer(AnswerType.ADD_TO_CART, "Pay", item=item))
    assert (step.payment, step.screen) == (item, None)
    paid = machine.take_payment(step.session, "Approve it.")
    assert paid.screen is not None
    assert (paid.screen.text, paid.screen.ends, paid.session.state) == ("Approve it.", True, SessionState.ENDED)
