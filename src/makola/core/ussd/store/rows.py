"""What is written in one piece, and what is read back of a session."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from makola.core.ledger.types import Leg
from makola.core.ussd.types import EndReason, StepKind
from makola.kit.values import Value

#: Between the pages of a text that are still to be shown.
PAGE_SEPARATOR = "\x1e"


class StepFlag(enum.IntFlag):
    """What is remembered of a step beside its texts. The numbers are stored; they never change."""

    NONE = 0
    INPUT_MASKED = 1
    SCREEN_MASKED = 2
    HIDES_INPUT = 4
    ENDS = 8
    #: The application has ended the session; only pages are left.
    RELEASED = 16
    #: Something that the session needs to go on is not on disk, because it is masked.
    WITHHELD = 32
    #: Something masked has passed: no ClientState is written any more.
    PRIVATE = 64


class Opening(Value, frozen=True):
    """A session that begins."""

    service_id: int
    organisation_id: int
    service_code: str
    connector: str
    operator_session_id: str
    mobile: str
    operator: str


class Intent(Value, frozen=True):
    """A step before its consequences: on disk before the application is asked.

    Attributes:
        input: what was typed; already masked.
        opening: with the first step of a session.
        legs: what the step costs along the chain of tiers.
        end_reason: where the step ends the session by itself (Release, Timeout), with `error` and its `cause` if there
            was one: that is counted with the end.
    """

    hidden = frozenset({"input"})

    session_id: UUID
    position: int
    sequence: int
    kind: StepKind
    push_id: str
    input: str
    input_masked: bool
    asked_at: datetime
    opening: Opening | None = None
    legs: tuple[Leg, ...] = ()
    end_reason: EndReason | None = None
    error: str = ""
    cause: str = ""


class Stored(enum.Enum):
    """What became of an intent."""

    DONE = "done"
    #: Another process, or an earlier push, was first; nothing was written.
    CONFLICT = "conflict"
    #: An account cannot cover the step; once the recorder has said so, the session is recorded as ended by NOCR.
    NO_CREDIT = "no credit"
    #: The database did not take it.
    FAILED = "failed"


class Outcome(Value, frozen=True):
    """What became of a step: the screen, or why there is none. Texts are already masked.

    With an `end_reason` it ends the session, and its `error` is counted; an error without one was counted when the step
    itself ended the session, and what the application answered to that is added to it.
    """

    hidden = frozenset({"screen", "pages", "client_state", "body"})

    session_id: UUID
    position: int
    answered_at: datetime
    duration_ms: int | None
    status: int | None
    flags: StepFlag
    screen: str | None
    pages: str | None
    client_state: str | None
    end_reason: EndReason | None = None
    error: str = ""
    cause: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class LoneFailure:
    """An error before there was a session."""

    organisation_id: int
    service_id: int | None
    service_code: str
    code: str
    cause: str
    at: datetime
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SavedStep:
    """A step as it is on disk."""

    position: int
    sequence: int
    kind: StepKind
    flags: StepFlag
    push_id: str
    asked_at: datetime
    answered_at: datetime | None
    input: str = field(repr=False)
    screen: str | None = field(repr=False)
    pages: str | None = field(repr=False)
    client_state: str | None = field(repr=False)
    error: str = ""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session as it is on disk, with its steps in their order.

    Attributes:
        is_whole: False where the database has broken down since the last step, and may have lost one after it.
    """

    session_id: UUID
    service_id: int
    connector: str
    operator_session_id: str
    mobile: str
    operator: str
    service_code: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    steps: tuple[SavedStep, ...]
    is_whole: bool = True
