"""From a step to what is kept of it, and back. What is masked is never kept."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from makola.core.ussd import screens
from makola.core.ussd.machine import Session, Step
from makola.core.ussd.ports import Reply
from makola.core.ussd.store.rows import PAGE_SEPARATOR, Outcome, SavedSession, SavedStep, StepFlag
from makola.core.ussd.types import MASKED, ErrorCode, LongText, Screen, SessionState, StepKind

#: A masked input this short may well be part of an innocent text, and is not looked for in others.
_SECRET_CHARACTERS = 3

_KEPT_FLAGS = (StepFlag.SCREEN_MASKED, StepFlag.ENDS, StepFlag.HIDES_INPUT, StepFlag.RELEASED, StepFlag.PRIVATE,
               StepFlag.WITHHELD)
_SHOWN = frozenset({StepKind.INITIATION, StepKind.RESPONSE, StepKind.PAGE, StepKind.RESUMED})


def reply_of(session: Session | None, screen: Screen) -> Reply:
    """Return what goes to the operator."""
    return Reply(session.session_id if session else None, screen, screens.encoding_of(screen.text))


def is_secret(text: str) -> bool:
    """Say whether a masked input is to be looked for wherever else something is kept."""
    return len(text.strip()) >= _SECRET_CHARACTERS


def scrubbed(text: str, secrets: Sequence[str]) -> str:
    """Return a text without what was typed masked in this session, should the application repeat it."""
    for secret in secrets:
        text = text.replace(secret, MASKED)
    return text


def outcome_of(step: Step, *, position: int, at: datetime, secrets: Sequence[str], status: int | None = None,
               duration_ms: int | None = None) -> Outcome:
    """Return what is kept of a step that has its screen."""
    session, screen, failure = step.session, step.screen, step.failure
    text: str | None = None
    if screen is not None:
        text = MASKED if screen.masked else scrubbed(screen.text, secrets)
    # Once something masked has passed, a ClientState may hold it in any disguise.
    withheld = session.private and (bool(session.pages) or session.client_state is not None)
    return Outcome(
        session.session_id, position, at, duration_ms, status, _flags(session, screen, withheld=withheld), text,
        None if withheld else _joined(session.pages),
        None if withheld else session.client_state, session.end_reason,
        failure.code.value if failure else "", scrubbed(failure.cause, secrets) if failure else "",
        scrubbed(failure.body, secrets) if failure else "")


def session_of(saved: SavedSession, long_text: LongText) -> Session:
    """Return a session as its last answered step left it.

    Of a step that has no answer yet, only the sequence counts.
    """
    shown = last_shown(saved)
    answered = bool(saved.steps) and saved.steps[-1].answered_at is not None
    ended = saved.ended_at is not None
    flags = shown.flags if shown is not None else StepFlag.NONE
    return Session(
        saved.session_id, saved.mobile, saved.operator, saved.service_code, long_text,
        SessionState.ENDED if ended else SessionState.WAITING_FOR_SUBSCRIBER,
        max((step.sequence for step in saved.steps), default=0),
        shown.client_state if shown is not None and answered else None,
        StepFlag.HIDES_INPUT in flags, pages_of(shown), StepFlag.SCREEN_MASKED in flags, StepFlag.RELEASED in flags,
        any(step.flags & (StepFlag.INPUT_MASKED | StepFlag.PRIVATE) for step in saved.steps),
        end_reason=saved.end_reason)


def last_shown(saved: SavedSession) -> SavedStep | None:
    """Return the last step whose screen the subscriber has seen and may answer."""
    return next((step for step in reversed(saved.steps) if step.kind in _SHOWN and step.answered_at is not None), None)


def _joined(pages: Sequence[str]) -> str | None:
    """Return pages as one text; an application may have the separator in its own."""
    return PAGE_SEPARATOR.join(page.replace(PAGE_SEPARATOR, " ") for page in pages) or None


def push_ids_of(saved: SavedSession) -> tuple[str, ...]:
    """Return what the pushes of a session were numbered by; where it was resumed, since then.

    To the operator a resumed session is another one, whose pushes may have the same numbers.
    """
    begun = max((place for place, step in enumerate(saved.steps) if step.kind is StepKind.RESUME_OFFER), default=0)
    return tuple(step.push_id for step in saved.steps[begun:])


def pages_of(step: SavedStep | None) -> tuple[str, ...]:
    """Return the pages that were still to be shown after a step."""
    return tuple(step.pages.split(PAGE_SEPARATOR)) if step is not None and step.pages else ()


def reply_again(session: Session, step: SavedStep) -> Reply | None:
    """Return the stored answer to a push; None where it is not there, or was masked."""
    if step.answered_at is None or step.screen is None or StepFlag.SCREEN_MASKED in step.flags:
        return None
    error = ErrorCode(step.error) if step.error in ErrorCode.__members__ else None
    return reply_of(session, Screen(step.screen, StepFlag.ENDS in step.flags,
                                    hides_input=StepFlag.HIDES_INPUT in step.flags, error=error))


def can_go_on(step: SavedStep) -> bool:
    """Say whether everything that a session needs to go on after a step is on disk."""
    return StepFlag.WITHHELD not in step.flags


@lru_cache
def _flags_of(*conditions: bool) -> StepFlag:
    return StepFlag(sum(flag for flag, condition in zip(_KEPT_FLAGS, conditions, strict=True) if condition))


def _flags(session: Session, screen: Screen | None, *, withheld: bool) -> StepFlag:
    return _flags_of(screen is not None and screen.masked, screen is not None and screen.ends, session.hides_input,
                     session.released, session.private, withheld)
