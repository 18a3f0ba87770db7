"""One step of a session: recorded, asked, recorded again, shown; and the end of a session, told to its application.

Whoever calls holds the session's lock. A step is recorded before the application is asked and again when it has
answered, so that after the death of the process no input is ever put to an application twice. Only the second record
waits for the disk, and takes the first with it; should the database itself die in between, the session ends with an
error (docs/decisions/0007-one-flush-a-step.md).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from makola.core.ledger.types import Leg
from makola.core.ussd import machine
from makola.core.ussd.asking import Applications, Asked
from makola.core.ussd.errors import HandoverUnavailableError
from makola.core.ussd.machine import Session, Step
from makola.core.ussd.ports import CartOrder, OperatorSide, PaymentHandover, Reply
from makola.core.ussd.recording import UNPAID, Recorder
from makola.core.ussd.service import keeping
from makola.core.ussd.service.live import Live, LiveSessions
from makola.core.ussd.store import writing
from makola.core.ussd.store.rows import Intent, LoneFailure, Opening, Stored
from makola.core.ussd.types import MASKED, EndReason, ErrorCode, Failure, Screen, Service, StepKind
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import Database

#: Releases and time-outs that are told to applications at once.
_TELLING_AT_ONCE = 256
_NOT_RECORDED = "The step could not be recorded."
_NO_CHECKOUT = "Payments inside a session need the online checkout, which is not set up."

NO_SCREEN = Screen("", ends=True)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What steps need. `handover` is None while there is no checkout."""

    database: Database
    applications: Applications
    wording: Wording
    handover: PaymentHandover | None = None


class Steps:
    """Takes sessions through their steps."""

    def __init__(self, parts: Surroundings, sessions: LiveSessions) -> None:
        self._database = parts.database
        self._applications = parts.applications
        self._wording = parts.wording
        self._handover = parts.handover
        self._sessions = sessions
        self._recorder = Recorder(parts.database, parts.wording)
        self._operators: dict[str, OperatorSide] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._telling_slots = asyncio.Semaphore(_TELLING_AT_ONCE)

    def speak_through(self, operators: Mapping[str, OperatorSide]) -> None:
        """Let connectors show what nobody asked for (a time-out), by their names."""
        self._operators.update(operators)

    async def stop(self) -> None:
        """Finish telling applications, and store what is left."""
        while self._telling:
            await asyncio.wait(self._telling)
        await self._recorder.drain()

    # -- going on ---------------------------------------------------------------------------------------------

    async def record(self, live: Live, step: Step, push_id: str, text: str, *, legs: tuple[Leg, ...] = (),
                     opening: Opening | None = None) -> Stored:
        """Record that a step begins; `text` is what was typed, and is kept only where it may be."""
        if step.kind is None:
            raise ValueError("only an event is recorded")
        if step.input_masked and keeping.is_secret(text):
            live.secrets = (*live.secrets, text.strip())  # an application repeats it trimmed
        stored = await self._recorder.intend(Intent(
            step.session.session_id, live.position + 1, step.request.sequence if step.request else 0, step.kind,
            push_id, MASKED if step.input_masked else keeping.scrubbed(text, live.secrets), step.input_masked, now(),
            opening, legs))
        if stored is not Stored.CONFLICT:
            live.position += 1
            live.push_ids = (*live.push_ids, push_id)
            live.session, live.reply = step.session, None
        return stored

    async def ask(self, live: Live, step: Step) -> Reply:
        """Put a recorded step to the application; return what the subscriber is to see."""
        if live.service is None or step.request is None:
            raise ValueError("only a session with a service asks")
        self._sessions.busy(live)
        asked = await self._applications.ask(live.service, step.request, private=step.session.private)
        if isinstance(asked.result, Failure):
            after = machine.fail(step.session, asked.result, self._wording)
        else:
            after = machine.take_answer(step.session, asked.result, self._wording)
        if after.payment is not None:
            after = await self._pay(live, after, live.service)
        return await self.conclude(live, after, asked)

    async def conclude(self, live: Live, step: Step, asked: Asked | None = None) -> Reply:
        """Record what the subscriber is to see, then let them see it."""
        on_disk = await self._recorder.conclude(keeping.outcome_of(
            step, position=live.position, at=now(), secrets=live.secrets,
            status=asked.status if asked else None, duration_ms=asked.duration_ms if asked else None))
        if not on_disk:
            self._sessions.forget(live)
            return self.refusal(ErrorCode.CSP, step.session)
        return self._show(live, step)

    async def not_recorded(self, live: Live, step: Step, stored: Stored) -> Reply:
        """End a session whose step the books, or the database, did not take."""
        code, cause = (ErrorCode.NOCR, UNPAID) if stored is Stored.NO_CREDIT else (ErrorCode.CSP, _NOT_RECORDED)
        after = machine.fail(step.session, Failure(code, cause), self._wording)
        reply = self._show(live, after)
        if stored is not Stored.NO_CREDIT:
            self._sessions.forget(live)
        elif live.position > 1 and live.service is not None and step.request is not None:
            # The application knows the session, and waits for what it was not asked.
            waiting = replace(step.session, sequence=step.request.sequence - 1,
                              client_state=step.request.client_state)
            await self._note_over(live, waiting, after, live.service)
        return reply

    def refusal(self, code: ErrorCode, session: Session | None = None) -> Reply:
        """Return the screen of an error that is recorded elsewhere, or nowhere."""
        return keeping.reply_of(session, self._wording.screen(Failure(code, "")))

    def _show(self, live: Live, step: Step) -> Reply:
        live.session = step.session
        live.reply = keeping.reply_of(step.session, step.screen or NO_SCREEN)
        if live.is_open:
            self._sessions.wait(live)
        else:
            live.secrets = ()
            self._sessions.end(live)
        return live.reply

    async def _pay(self, live: Live, step: Step, service: Service) -> Step:
        if step.payment is None:
            raise ValueError("there is nothing to pay")
        if self._handover is None:
            return self._unpayable(step, _NO_CHECKOUT)
        try:
            handed = await self._handover.hand_over(CartOrder(
                step.session.session_id, service.organisation_id, service.service_id, live.mobile,
                step.session.operator, step.payment, service.fulfilment_url))
        except HandoverUnavailableError as error:
            return self._unpayable(step, error.detail)
        return machine.take_payment(step.session, handed.text)

    def _unpayable(self, step: Step, cause: str) -> Step:
        return machine.fail(step.session, Failure(ErrorCode.CSP, cause), self._wording)

    # -- ending -----------------------------------------------------------------------------------------------

    async def end(self, live: Live, step: Step, reason: EndReason, failure: Failure | None = None) -> bool:
        """Record the end of an open session, and tell the application in the background.

        Args:
            live: the session.
            step: `machine.release` or `machine.time_out` of it.
            reason: what is recorded.
            failure: what is counted with it, at once; the application's answer is added to it.

        Returns:
            False when the session went on elsewhere, or could not be recorded; this process then forgets it.
        """
        if step.kind is None or live.service is None:
            raise ValueError("only an end of a session that has a service")
        session = replace(step.session, end_reason=reason)
        stored = await self._recorder.intend(Intent(
            session.session_id, live.position + 1, step.request.sequence if step.request else 0, step.kind, "", "",
            False, now(), end_reason=reason, error=failure.code.value if failure else "",
            cause=keeping.scrubbed(failure.cause, live.secrets) if failure else ""))
        if stored is not Stored.DONE:
            self._sessions.forget(live)
            return False
        live.position += 1
        live.push_ids = (*live.push_ids, "")
        live.session, live.reply, live.offer = session, keeping.reply_of(session, NO_SCREEN), None
        self._sessions.end(live)
        self._tell_later(live, replace(step, session=session), live.service, failure)
        return True

    async def expire(self, live: Live, failure: Failure) -> None:
        """End a session whose subscriber took too long, and show them so where the operator can."""
        if live.session is None or not live.is_open:
            return
        if not await self.end(live, machine.time_out(live.session), EndReason.TIMEOUT, failure):
            return
        side = self._operators.get(live.key[0])
        if side is not None:
            await side.timed_out(live.key[1], live.mobile, self._wording.screen(failure))

    async def break_off(self, live: Live, failure: Failure) -> Reply:
        """End an open session with an error that no step of its own stands for."""
        if live.session is None or live.service is None or not live.is_open:
            return keeping.reply_of(live.session, self._wording.screen(failure))
        await self.end(live, machine.time_out(live.session), EndReason.ERROR, failure)
        return keeping.reply_of(live.session, self._wording.screen(failure))

    async def cut_off(self, live: Live, failure: Failure) -> None:
        """End a session whose last step was under way when its process died."""
        if live.session is None or live.service is None:
            return
        unanswered = live.session
        after = machine.fail(unanswered, failure, self._wording)
        if not await self._recorder.conclude(keeping.outcome_of(after, position=live.position, at=now(), secrets=())):
            self._sessions.clear(live)  # answered after all, in this moment, by whoever asked
            return
        self._show(live, after)
        await self._note_over(live, unanswered, after, live.service)

    async def _note_over(self, live: Live, before: Session, after: Step, service: Service) -> None:
        """Record that a session that has ended is told to its application as a time-out, and tell it."""
        told = machine.time_out(before)
        stored = await self._recorder.intend(Intent(
            before.session_id, live.position + 1, told.request.sequence if told.request else 0,
            StepKind.TIMEOUT, "", "", False, now()))
        if stored is Stored.DONE:
            live.position += 1
            self._tell_later(live, replace(told, session=after.session), service, None)

    async def count(self, live: Live, failure: Failure) -> None:
        """Count an error of a session that is over."""
        if live.service is not None and live.session is not None:
            await writing.insert_failure(self._database, LoneFailure(
                live.service.organisation_id, live.service.service_id, live.service.code, failure.code.value,
                failure.cause, now(), live.session.session_id))

    def _tell_later(self, live: Live, step: Step, service: Service, failure: Failure | None) -> None:
        task = asyncio.create_task(self._tell(step, service, live.position, live.secrets, failure))
        live.secrets = ()
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, step: Step, service: Service, position: int, secrets: tuple[str, ...],
                    failure: Failure | None) -> None:
        """Tell the application that a session is over, once; its answer is logged and not shown."""
        asked: Asked | None = None
        if step.request is not None:
            async with self._telling_slots:
                asked = await self._applications.ask(service, step.request, private=step.session.private)
        outcome = keeping.outcome_of(replace(step, failure=failure), position=position, at=now(), secrets=secrets,
                                     status=asked.status if asked else None,
                                     duration_ms=asked.duration_ms if asked else None)
        if asked is not None and isinstance(asked.result, Failure):
            # What it says is shown to nobody, so it may say anything; but it has to be there.
            if asked.status is None or not 200 <= asked.status < 300:
                outcome = replace(outcome, cause=f"{outcome.cause} {asked.result.cause}".strip(),
                                  body=asked.result.body)
        elif asked is not None and not isinstance(asked.result, Failure):
            masked = asked.result.mask or step.session.private
            outcome = replace(outcome, screen=MASKED if masked else asked.result.message)
        await self._recorder.conclude(replace(outcome, end_reason=None))
