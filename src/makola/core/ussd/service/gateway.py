"""The gateway: a push comes in, the application is asked at most once, and the subscriber sees what is on disk."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

import structlog
from msgspec.structs import replace

from makola.core.ledger.types import Leg
from makola.core.ussd import machine
from makola.core.ussd.machine import Session
from makola.core.ussd.ports import OperatorSide, Push, PushKind, Reply
from makola.core.ussd.service import keeping, resuming
from makola.core.ussd.service.charging import Charging, network_of
from makola.core.ussd.service.live import Live, LiveSessions
from makola.core.ussd.service.steps import NO_SCREEN, Steps, Surroundings
from makola.core.ussd.service_table import ServiceTable
from makola.core.ussd.store import reading, writing
from makola.core.ussd.store.rows import LoneFailure, Opening, SavedSession, Stored
from makola.core.ussd.types import (
    SUBSCRIBER_TIMEOUT_S,
    EndReason,
    ErrorCode,
    Failure,
    OperatorError,
    Service,
    SessionState,
)
from makola.kit.clock import now
from makola.kit.database import OUTAGE
from makola.kit.ids import new_id

_log = structlog.get_logger(__name__)

#: So long after its time an application that another process asked has answered, or never will.
_PATIENCE_S = 3.0
_LOOK_AGAIN_S = 0.2
#: A repeat comes soon; the same operator's id after so long is another session.
_REPEATED_WITHIN_S = 600.0
_DIALS_AT_MOST = 3
_LONGEST_INPUT = 182
#: In this process, those that have just ended counted too; some 1.2 kB each.
SESSIONS_AT_MOST = 200_000
_SHORT = 182

_CUT_OFF = Failure(ErrorCode.ST, "The gateway was stopped while it waited for the application.")
_LOST = Failure(ErrorCode.ST, "The gateway was started anew; what the session needed was masked and not kept.")
_BROKEN = Failure(ErrorCode.ST, "The database broke down; what the application was asked last is not known.")
_LATE = Failure(ErrorCode.ST, "The subscriber answered a session that had timed out.")
_REMOVED = Failure(ErrorCode.NOAPP, "The service was removed in mid-session.")
_CROWDED = Failure(ErrorCode.CSP, "This process has as many open sessions as it may.")
_NOT_BEGUN = "The operator reported this error when the code was dialled."
_NO_TARIFF = Failure(ErrorCode.URNF, "A tier of the organisation has no tariff for USSD.")


@dataclass(frozen=True, slots=True)
class Tables:
    """What decides about a session at its beginning."""

    services: ServiceTable
    charging: Charging


class UssdGateway:
    """Serves the pushes of every operator; implements `ports.Gateway`. Of each session one push at a time is served.

    Args:
        parts: what steps need.
        tables: services and prices.
        subscriber_timeout_s: from a screen to the answer.
        sessions_at_most: in this process at once; who dials beyond that is told that it cannot be now (CSP).
    """

    def __init__(self, parts: Surroundings, tables: Tables, *,
                 subscriber_timeout_s: float = SUBSCRIBER_TIMEOUT_S,
                 sessions_at_most: int = SESSIONS_AT_MOST) -> None:
        self._database = parts.database
        self._wording = parts.wording
        self._services = tables.services
        self._charging = tables.charging
        self._sessions_at_most = sessions_at_most
        self.patience_s = parts.applications.timeout_s + _PATIENCE_S
        self._silent = Failure(ErrorCode.ST, f"The subscriber did not answer within {subscriber_timeout_s:g} s.")
        self.sessions = LiveSessions(subscriber_timeout_s)
        self._steps = Steps(parts, self.sessions)

    def speak_through(self, operators: Mapping[str, OperatorSide]) -> None:
        """Let connectors show what nobody asked for (a time-out), by their names."""
        self._steps.speak_through(operators)

    async def push(self, push: Push) -> Reply:
        """Serve one push; see `ports.Gateway`."""
        push = _cleaned(push)
        while True:
            live = self.sessions.take((push.connector, push.operator_session_id))
            async with live.lock:
                if self.sessions.get(live.key) is not live:
                    continue  # it was forgotten while this push waited for it
                try:
                    return await self._serve(live, push)
                except OUTAGE as error:
                    _log.error("ussd_push_failed", connector=push.connector, kind=type(error).__name__)
                    self.sessions.forget(live)
                    return self._steps.refusal(ErrorCode.CSP)
                except BaseException:  # what is on disk is right, whatever this process made of it
                    self.sessions.forget(live)
                    raise
                finally:
                    if live.session is None:
                        self.sessions.forget(live)

    async def report(self, connector: str, operator_session_id: str, error: OperatorError, *,
                     dialled: str = "") -> None:
        """Take an operator's word that it could not go on; the application is told that the session is over.

        With `dialled`, no session has begun: the code's owner, or else the platform, sees the error.
        """
        if dialled:
            await self._note_turned_away(self._services.match(dialled), Failure(error, _NOT_BEGUN))
            return
        live = self.sessions.take((connector, operator_session_id))
        async with live.lock:
            if live.session is None:
                await self._load(live)
            failure = Failure(error, "The operator reported this error.")
            if live.session is None:
                self.sessions.forget(live)
            elif live.is_open:
                await self._steps.end(live, machine.release(live.session), EndReason.ERROR, failure)
            else:
                await self._steps.count(live, failure)

    async def expire(self, live: Live) -> None:
        """End a session if its subscriber took too long."""
        async with live.lock:
            if live.is_open and live.deadline <= monotonic():
                await self._steps.expire(live, self._silent)

    async def take_over(self, connector: str, operator_session_id: str) -> None:
        """End a session that nobody goes on with: its process has died."""
        live = self.sessions.take((connector, operator_session_id))
        async with live.lock:
            if live.session is None:
                await self._load(live)
            if live.session is None:
                self.sessions.forget(live)
            elif live.is_open and live.deadline <= monotonic():
                await self._steps.expire(live, self._silent)

    async def stop(self) -> None:
        """Finish telling applications, and store what is left."""
        await self._steps.stop()

    # -- one push ---------------------------------------------------------------------------------------------

    async def _serve(self, live: Live, push: Push) -> Reply:
        kind = push.kind
        if kind is PushKind.UNSAID:
            kind = PushKind.INPUT if live.session is not None or push.joined else PushKind.DIAL
        if live.session is not None and not live.is_open and kind is not PushKind.DIAL:
            await self._make_sure(live)
        if live.session is None and kind is not PushKind.DIAL and await self._load(live) is None \
                and push.kind is PushKind.UNSAID and await reading.find_session(self._database, *live.key) is None:
            # A session whose service was removed is not dialled anew: what was typed in it may hold a PIN.
            kind = PushKind.DIAL
        if live.session is not None and live.session.mobile != push.mobile.lstrip("+"):
            # An operator that mixes up its own ids: nobody gets into somebody else's session.
            if kind is not PushKind.DIAL:
                return self._steps.refusal(ErrorCode.ST)
            return await self._dial(live, push)
        if push.push_id and push.push_id in live.push_ids:
            return await self._repeat(live, push)
        if kind is PushKind.DIAL:
            return await self._dial(live, push)
        if kind is PushKind.CANCEL:
            return await self._cancel(live)
        return await self._input(live, push)

    async def _make_sure(self, live: Live) -> None:
        """Forget an ended session where the operator has used its id anew since, in another process."""
        saved = await reading.find_session(self._database, *live.key)
        if saved is None or live.session is None or saved.session_id != live.session.session_id \
                or saved.ended_at is None:
            self.sessions.clear(live)

    async def _repeat(self, live: Live, push: Push) -> Reply:
        """Answer what was asked before with what was answered then."""
        if push.push_id == live.push_ids[-1] and live.reply is not None:
            return live.reply
        saved = await reading.find_session(self._database, *live.key)
        step = None if saved is None else next(
            (step for step in reversed(saved.steps) if step.push_id == push.push_id), None)
        if step is not None and live.session is not None:
            reply = keeping.reply_again(live.session, step)
            if reply is not None:
                return reply
        return await self._steps.break_off(live, _LOST)

    async def _cancel(self, live: Live) -> Reply:
        if live.is_open and live.session is not None:
            await self._steps.end(live, machine.release(live.session), EndReason.SUBSCRIBER)
        return keeping.reply_of(live.session, NO_SCREEN)

    # -- beginning --------------------------------------------------------------------------------------------

    async def _dial(self, live: Live, push: Push, tries: int = _DIALS_AT_MOST) -> Reply:
        if live.is_open and live.session is not None:  # the operator uses its id anew
            await self._steps.end(live, machine.release(live.session), EndReason.SUBSCRIBER)
        if live.session is not None:
            await self._make_room(live)
        return await self._begin(live, push, tries)

    async def _make_room(self, live: Live) -> None:
        """Let another session begin under the same id of the operator's."""
        await writing.push_aside(self._database, *live.key)
        self.sessions.clear(live)

    async def _begin(self, live: Live, push: Push, tries: int, *, may_resume: bool = True) -> Reply:
        service = self._services.match(push.dialled)
        failure = self._obstacle(service, push)
        if failure is not None or service is None:
            return await self._turn_away(service, failure or Failure(ErrorCode.NOAPP, ""))
        live.network_id, live.mobile = network_of(push.operator, push.mobile), push.mobile
        legs = await self._charging.begin(service.chain, live.network_id)
        if legs is None:
            return await self._turn_away(service, _NO_TARIFF)
        if may_resume and service.resume_s:
            saved = await resuming.find_resumable(self._database, service, push)
            reply = None if saved is None else await resuming.offer(
                self._steps, self._database, self.sessions, live, service, push, saved)
            if reply is not None:
                return reply
        return await self._open(live, push, service, legs, tries)

    async def _open(self, live: Live, push: Push, service: Service, legs: tuple[Leg, ...], tries: int) -> Reply:
        session = Session(new_id(), push.mobile.lstrip("+"), push.operator, service.code, service.long_text)
        step = machine.dial(session, push.dialled)
        live.service = service
        stored = await self._steps.record(live, step, push.push_id, push.dialled, legs=legs, opening=Opening(
            service.service_id, service.organisation_id, service.code, push.connector, push.operator_session_id,
            session.mobile, push.operator))
        if stored is Stored.DONE:
            return await self._steps.ask(live, step)
        if stored is Stored.CONFLICT:
            return await self._known_already(live, push, tries)
        return await self._steps.not_recorded(live, step, stored)

    async def _known_already(self, live: Live, push: Push, tries: int) -> Reply:
        """Serve a dial whose session exists: a repeat, or an id that the operator uses anew."""
        saved = await self._load(live)
        if saved is None or live.session is None or tries <= 1:
            return self._steps.refusal(ErrorCode.CSP)
        same = saved.mobile == push.mobile.lstrip("+") and push.push_id in live.push_ids
        if same and (now() - saved.started_at).total_seconds() < _REPEATED_WITHIN_S:
            return await self._repeat(live, push)
        return await self._dial(live, push, tries - 1)

    def _obstacle(self, service: Service | None, push: Push) -> Failure | None:
        if service is None:
            return Failure(ErrorCode.NOAPP, f"No service has the code {push.dialled[:32]}.")
        if not service.enabled:
            return Failure(ErrorCode.NOAPP, "The service is switched off.")
        if not service.url:
            return Failure(ErrorCode.NOAPP, "No application is mapped to the service.")
        if service.operators and push.operator.lower() not in map(str.lower, service.operators):
            return Failure(ErrorCode.NOAPP, f"The service is not open to subscribers of {push.operator[:32]}.")
        if not service.chain:
            return Failure(ErrorCode.URNF, "The organisation, or one above it, is suspended.")
        if len(self.sessions) > self._sessions_at_most:
            return _CROWDED
        return None

    async def _turn_away(self, service: Service | None, failure: Failure) -> Reply:
        """Refuse what never becomes a session."""
        await self._note_turned_away(service, failure)
        return keeping.reply_of(None, self._wording.screen(failure))

    async def _note_turned_away(self, service: Service | None, failure: Failure) -> None:
        """Let the code's owner, or else the platform, see why something never became a session."""
        owner_id = service.organisation_id if service is not None else self._services.root_id
        if owner_id is not None:
            await writing.insert_failure(self._database, LoneFailure(
                owner_id, service.service_id if service is not None else None,
                service.code if service is not None else "", failure.code.value, failure.cause, now()))

    # -- going on ---------------------------------------------------------------------------------------------

    async def _input(self, live: Live, push: Push) -> Reply:
        if live.is_open and live.deadline <= monotonic():
            await self._steps.expire(live, self._silent)
        session, service = live.session, live.service
        if session is None or service is None:
            return self._steps.refusal(ErrorCode.ST)
        if session.state is SessionState.ENDED:
            if session.end_reason is EndReason.TIMEOUT:
                await self._steps.count(live, _LATE)
            return self._steps.refusal(ErrorCode.ST, session)
        if live.lost:
            return await self._steps.break_off(live, _LOST)
        if self._services.get(service.service_id) is None:
            return await self._steps.break_off(live, _REMOVED)
        if push.joined is not None and len(push.joined) < _inputs_known(live):
            # Sent before the last, and come after it: nothing is new.
            return live.reply if live.reply is not None else await self._steps.break_off(live, _LOST)
        text = _input_of(push, live)
        if live.offer is not None:
            return await self._choose(live, push, service, text)
        step = machine.take_input(session, text)
        legs = await self._charging.step(service.chain, live.network_id) if step.request is not None else ()
        stored = await self._steps.record(live, step, push.push_id, text, legs=legs)
        if stored is Stored.CONFLICT:  # another process went on with it
            self.sessions.forget(live)
            return await self._go_on_from_disk(push)
        if stored is not Stored.DONE:
            return await self._steps.not_recorded(live, step, stored)
        if step.request is None:
            return await self._steps.conclude(live, step)
        return await self._steps.ask(live, step)

    async def _choose(self, live: Live, push: Push, service: Service, text: str) -> Reply:
        """Go on with a session that timed out, or begin another."""
        dialled = live.offer or push.dialled
        if text.strip() == resuming.CONTINUE:
            legs = await self._charging.begin(service.chain, live.network_id)
            reply = await resuming.go_on(self._steps, self._database, live, push, legs or ())
            if reply is not None:
                return reply
        if live.session is not None:
            forgotten = replace(live.session, released=True)  # the application was told when it timed out
            await self._steps.end(live, machine.time_out(forgotten), EndReason.SUBSCRIBER)
        await self._make_room(live)
        return await self._begin(live, replace(push, dialled=dialled), _DIALS_AT_MOST, may_resume=False)

    # -- what another process, or an earlier life, has left ----------------------------------------------------

    async def _go_on_from_disk(self, push: Push) -> Reply:
        live = self.sessions.take((push.connector, push.operator_session_id))
        async with live.lock:
            await self._load(live)
            if live.session is not None:
                return await self._serve(live, push)
            self.sessions.forget(live)
            return self._steps.refusal(ErrorCode.ST)

    async def _load(self, live: Live) -> SavedSession | None:
        """Read a session back; where its application is still being asked elsewhere, wait for that."""
        saved = await reading.find_session(self._database, *live.key)
        while saved is not None and _is_being_asked(saved, self.patience_s):
            await asyncio.sleep(_LOOK_AGAIN_S)
            saved = await reading.find_session(self._database, *live.key)
        service = None if saved is None or not saved.steps else self._services.get(saved.service_id)
        if saved is None or service is None:
            return None
        live.network_id = network_of(saved.operator, f"+{saved.mobile}")
        resuming.restore(live, saved, service, self.sessions)
        if saved.ended_at is None and saved.steps[-1].answered_at is None:
            await self._steps.cut_off(live, _CUT_OFF)
        elif not saved.is_whole and live.is_open:
            await self._steps.break_off(live, _BROKEN)
        return saved


def _is_being_asked(saved: SavedSession, patience_s: float) -> bool:
    if saved.ended_at is not None or not saved.steps or saved.steps[-1].answered_at is not None:
        return False
    return (now() - saved.steps[-1].asked_at).total_seconds() < patience_s


def _cleaned(push: Push) -> Push:
    """Return a push whose texts PostgreSQL can hold, and no longer than a screen takes."""
    whole = f"{push.operator_session_id}{push.push_id}{push.mobile}{push.operator}{push.dialled}{push.text}"
    if push.joined is None and len(whole) <= _SHORT and whole.isascii() and "\0" not in whole \
            and len(push.mobile) <= 32 and len(push.operator) <= 64:
        return push  # as nearly all are
    joined = None if push.joined is None else tuple(_clean(text, _LONGEST_INPUT) for text in push.joined)
    return replace(push, operator_session_id=_clean(push.operator_session_id, 200), push_id=_clean(push.push_id, 200),
                   mobile=_clean(push.mobile, 32), operator=_clean(push.operator, 64),
                   dialled=_clean(push.dialled, _LONGEST_INPUT), text=_clean(push.text, _LONGEST_INPUT), joined=joined)


def _clean(text: str, most: int) -> str:
    if text.isascii() and "\0" not in text:
        return text[:most]
    return text[:most].replace("\0", "").encode("utf-8", "replace").decode()


def _input_of(push: Push, live: Live) -> str:
    """Return what was typed last; of an operator that sends all of it joined, what is new."""
    if push.joined is None:
        return push.text
    return push.separator.join(push.joined[_inputs_known(live):])[:_LONGEST_INPUT]


def _inputs_known(live: Live) -> int:
    """Return how many inputs an operator that sends all of them joined has sent before."""
    known = live.push_ids[-1] if live.push_ids else ""
    return int(known) if known.isdigit() else 0
