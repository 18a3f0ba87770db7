"""Putting a recorded session to the application again, step by step, under a new SessionId.

Nothing of it is recorded and nothing is charged: whoever replays sees what comes of it, and the request says of which
session it is a replay. What was masked is not on disk, so it must be typed again, and stays masked in what comes back.
"""

from dataclasses import dataclass, field
from uuid import UUID

from makola.core.ussd.asking import Applications, Asked
from makola.core.ussd.errors import InputNeededError, UnknownStepError
from makola.core.ussd.types import (
    AnswerType,
    RequestType,
    Service,
    SessionHistory,
    StepKind,
    StepRecord,
    UssdAnswer,
    UssdRequest,
)
from makola.kit.ids import new_id

_TYPES = {StepKind.INITIATION: RequestType.INITIATION, StepKind.RESPONSE: RequestType.RESPONSE,
          StepKind.RELEASE: RequestType.RELEASE, StepKind.TIMEOUT: RequestType.TIMEOUT}


@dataclass(frozen=True, slots=True)
class ReplayState:
    """What a replay carries from one step to the next.

    Attributes:
        session_id: its own.
        sequence: of its last request.
        client_state: that the last answer gave.
        private: something masked has passed.
    """

    session_id: UUID
    sequence: int = 0
    client_state: str | None = field(default=None, repr=False)
    private: bool = False


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """What came of one step.

    Attributes:
        request: as it was sent.
        input_masked: its Message must not be shown.
        state: for the next step.
        ends: the application has ended the session, or failed: there is no next step.
    """

    request: UssdRequest
    input_masked: bool
    asked: Asked
    state: ReplayState
    ends: bool


def replayable(history: SessionHistory) -> tuple[StepRecord, ...]:
    """Return the steps of a session that the application was asked, in their order."""
    return tuple(step for step in history.steps if step.kind in _TYPES and step.sequence > 0)


async def replay_step(applications: Applications, service: Service, history: SessionHistory, position: int, *,
                      state: ReplayState | None = None, typed: str | None = None) -> ReplayedStep:
    """Put one recorded step to the application again.

    Args:
        applications: asks it.
        service: whose application; it may have moved since the session.
        history: the recorded session.
        position: of the recorded step.
        state: what the step before left; None for the first.
        typed: what to send instead of what was recorded; needed where that was masked.

    Raises:
        UnknownStepError: the application was not asked in this step.
        InputNeededError: what was typed was masked, and `typed` is None.
    """
    step = next((each for each in replayable(history) if each.position == position), None)
    if step is None:
        raise UnknownStepError("The application was not asked in this step.", field="position")
    if step.input_masked and typed is None:
        raise InputNeededError("What was typed here was masked: type it again.", field="typed")
    state = state or ReplayState(new_id())
    session = history.session
    request = UssdRequest(session.mobile.lstrip("+"), state.session_id.hex, session.service_code, _TYPES[step.kind],
                          step.input if typed is None else typed, session.operator, state.sequence + 1,
                          state.client_state)
    private = state.private or step.input_masked
    asked = await applications.ask(service, request, private=private, replay_of=session.session_id)
    answer = asked.result if isinstance(asked.result, UssdAnswer) else None
    after = ReplayState(state.session_id, request.sequence, answer.client_state if answer else None,
                        private or (answer is not None and answer.mask))
    ends = answer is None or answer.type is not AnswerType.RESPONSE or step.kind in {StepKind.RELEASE, StepKind.TIMEOUT}
    return ReplayedStep(request, step.input_masked, asked, after, ends)
