"""Sessions read back from disk, and sessions that timed out and are resumed."""

from datetime import timedelta

import asyncpg
from msgspec.structs import replace

from makola.core.ledger.types import Leg
from makola.core.ussd import machine
from makola.core.ussd.machine import Session, Step
from makola.core.ussd.ports import Push, Reply
from makola.core.ussd.service import keeping
from makola.core.ussd.service.live import Live, LiveSessions
from makola.core.ussd.service.steps import Steps
from makola.core.ussd.store import reading, writing
from makola.core.ussd.store.rows import SavedSession, StepFlag, Stored
from makola.core.ussd.types import Screen, Service, SessionState, StepKind
from makola.kit.clock import now
from makola.kit.database import Database

#: What the subscriber is asked, and types to go on; anything else starts again.
OFFER = "Continue where you left off?\n1. Continue\n2. Start again"
CONTINUE = "1"


def restore(live: Live, saved: SavedSession, service: Service, sessions: LiveSessions) -> None:
    """Fill a session's place in this process from what is on disk."""
    last, shown = saved.steps[-1], keeping.last_shown(saved)
    live.session = keeping.session_of(saved, service.long_text)
    live.service = service
    live.mobile = f"+{saved.mobile}"
    live.position = last.position
    live.push_ids = keeping.push_ids_of(saved)
    live.reply = keeping.reply_again(live.session, last)
    live.lost = shown is not None and not keeping.can_go_on(shown)
    live.offer = last.input if last.kind is StepKind.RESUME_OFFER else None
    if live.offer is not None:  # what is typed now is a choice
        live.session = replace(live.session, hides_input=False)
    if not live.is_open:
        sessions.end(live)
    elif last.answered_at is not None:
        sessions.wait(live, already_s=max(0.0, (now() - last.answered_at).total_seconds()))


async def find_resumable(database: Database, service: Service, push: Push) -> SavedSession | None:
    """Return the subscriber's session of this service that timed out and can go on; None when there is none."""
    saved = await reading.find_resumable(database, service.service_id, push.mobile.lstrip("+"),
                                         now() - timedelta(seconds=service.resume_s))
    if saved is None:
        return None
    shown = keeping.last_shown(saved)
    if shown is None or shown.screen is None or StepFlag.SCREEN_MASKED in shown.flags \
            or StepFlag.RELEASED in shown.flags or not keeping.can_go_on(shown):
        return None
    return saved


async def offer(steps: Steps, database: Database, sessions: LiveSessions, live: Live, service: Service, push: Push,
                saved: SavedSession) -> Reply | None:
    """Ask the subscriber whether to go on with `saved`; None where another dial was first."""
    try:
        if not await writing.reopen(database, saved.session_id, *live.key):
            return None
    except asyncpg.UniqueViolationError:  # this dial is a repeat, and its session exists
        return None
    restore(live, saved, service, sessions)
    if live.session is None:
        return None
    live.push_ids = ()  # the operator has begun to count anew
    session = _reopened(saved, live.session)
    step = Step(session, StepKind.RESUME_OFFER, screen=Screen(OFFER, ends=False))
    stored = await steps.record(live, step, push.push_id, push.dialled)
    if stored is not Stored.DONE:
        return await steps.not_recorded(live, step, stored)
    reply = await steps.conclude(live, replace(step, session=replace(session, hides_input=False)))
    live.session, live.offer = session, push.dialled
    return reply


async def go_on(steps: Steps, database: Database, live: Live, push: Push, legs: tuple[Leg, ...]) -> Reply | None:
    """Show the last screen of a resumed session again; None where that cannot be."""
    saved = await reading.find_session(database, *live.key)
    shown = None if saved is None else keeping.last_shown(saved)
    if live.session is None or saved is None or shown is None or shown.screen is None:
        return None
    session = replace(live.session, client_state=shown.client_state, pages=keeping.pages_of(shown),
                      hides_input=StepFlag.HIDES_INPUT in shown.flags)
    step = Step(session, StepKind.RESUMED, screen=Screen(shown.screen, False, hides_input=session.hides_input))
    live.offer = None
    stored = await steps.record(live, step, push.push_id, CONTINUE, legs=legs)
    if stored is not Stored.DONE:
        return await steps.not_recorded(live, step, stored)
    return await steps.conclude(live, step)


def _reopened(saved: SavedSession, session: Session) -> Session:
    shown = keeping.last_shown(saved)
    if session.state is not SessionState.ENDED:
        return session
    return machine.reopen(session, client_state=shown.client_state if shown else None,
                          hides_input=shown is not None and StepFlag.HIDES_INPUT in shown.flags,
                          pages=keeping.pages_of(shown))
