"""USSD on the virtual handsets: what a network does between a phone and the gateway.

The operator's own errors (seed, "USSD Error Codes") come from the switches that there are: the operator is down
(SERVICE UNAVAILABLE), what is dialled is no USSD code (REQUEST FAILS), the handset is throttled (ERROR WAP), its
memory is full (UNABLE TO DISPLAY USSD), its messages are refused, or the gateway does not answer (ERROR AT WASP E150).
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from makola.connectors.sandbox import ussd_store
from makola.connectors.sandbox.errors import HandsetCannotSendError, InvalidInputError, NoUssdSessionError
from makola.connectors.sandbox.handsets import Handsets
from makola.connectors.sandbox.networks import NETWORKS
from makola.connectors.sandbox.types import Handset, HandsetState
from makola.core.ussd import codes
from makola.core.ussd.ports import Gateway, Push, PushKind
from makola.core.ussd.types import OperatorError, Screen
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id

#: The name under which pushes come, and time-outs go.
NAME = "sandbox"
_ANSWER_WITHIN_S = 10.0
_LONGEST_INPUT = 182

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HandsetScreen:
    """What a handset shows.

    Attributes:
        session: the network's id of the session.
        session_id: the gateway's, as the application knows it; None where none came about.
        is_open: an answer can be typed.
        hides_input: it is a secret.
    """

    session: str
    session_id: UUID | None
    text: str = field(repr=False)
    is_open: bool
    hides_input: bool


class SandboxUssd:
    """The network side of every handset's USSD; also what the gateway tells of time-outs.

    Args:
        database: where the operator keeps its tables.
        handsets: of the operator.
        gateway: what a push goes to.
    """

    def __init__(self, database: Database, handsets: Handsets, gateway: Gateway) -> None:
        self._database = database
        self._handsets = handsets
        self._gateway = gateway

    @property
    def name(self) -> str:
        """The name of the operator's connection."""
        return NAME

    async def dial(self, number: str, text: str, *, push_id: str = "") -> HandsetScreen:
        """Dial a code; a session that is still open on the handset is cancelled first, as a phone would.

        Raises:
            HandsetNotFoundError: there is no handset with this number.
            HandsetCannotSendError: it is off or not known to the network.
            InvalidInputError: nothing was typed, or too much.
        """
        handset = await self._ready(number, text)
        session = new_id().hex
        error = await self._refusal(handset, text)
        if error is not None:
            await self._gateway.report(NAME, session, error, dialled=text)
            return HandsetScreen(session, None, error.value, is_open=False, hides_input=False)
        before = await ussd_store.fetch_session(self._database, handset.number)
        if before is not None:
            await self._push(handset, before, PushKind.CANCEL)
        opened = ussd_store.OpenSession(session, text.strip())
        await ussd_store.put_session(self._database, handset.number, opened, now())
        return await self._push(handset, opened, PushKind.DIAL, push_id=push_id or "dial")

    async def answer(self, number: str, session: str, text: str, *, push_id: str = "") -> HandsetScreen:
        """Type an answer.

        Raises:
            HandsetNotFoundError, HandsetCannotSendError, InvalidInputError: as for `dial`.
            NoUssdSessionError: the handset has another session, or none.
        """
        handset = await self._ready(number, text)
        opened = await ussd_store.fetch_session(self._database, handset.number)
        if opened is None or opened.session != session:
            raise NoUssdSessionError("the handset has no such session", field="session")
        if not (await self._handsets.operator()).available:
            await self._gateway.report(NAME, session, OperatorError.SERVICE_UNAVAILABLE)
            return HandsetScreen(session, None, OperatorError.SERVICE_UNAVAILABLE.value, is_open=False,
                                 hides_input=False)
        return await self._push(handset, opened, PushKind.INPUT, text=text, push_id=push_id)

    async def cancel(self, number: str) -> None:
        """End the session that the handset has, if it has one.

        Raises:
            HandsetNotFoundError: there is no handset with this number.
        """
        handset = await self._handsets.get(number)
        opened = await ussd_store.fetch_session(self._database, handset.number)
        if opened is not None:
            await self._push(handset, opened, PushKind.CANCEL)

    async def timed_out(self, operator_session_id: str, mobile: str, screen: Screen) -> None:
        """Show a last screen because the subscriber took too long."""
        await ussd_store.insert_event(self._database, mobile, operator_session_id, screen.text, now())

    async def _ready(self, number: str, text: str) -> Handset:
        if len(text) > _LONGEST_INPUT or "\0" in text:
            raise InvalidInputError(f"at most {_LONGEST_INPUT} characters can be typed", field="input")
        handset = await self._handsets.get(number)
        if handset.state in {HandsetState.OFF, HandsetState.UNKNOWN, HandsetState.BLOCKED}:
            raise HandsetCannotSendError(f"the handset cannot dial: its state is {handset.state}")
        return handset

    async def _refusal(self, handset: Handset, text: str) -> OperatorError | None:
        if not (await self._handsets.operator()).available:
            return OperatorError.SERVICE_UNAVAILABLE
        if not codes.parts_of(text):
            return OperatorError.REQUEST_FAILS
        return OperatorError.ERROR_WAP if handset.deferral else None

    async def _push(self, handset: Handset, opened: ussd_store.OpenSession, kind: PushKind, *, text: str = "",
                    push_id: str = "") -> HandsetScreen:
        network = NETWORKS.get(handset.network_id)
        push = Push(NAME, opened.session, push_id, kind, handset.number, network.name if network else "",
                    opened.dialled, text)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                reply = await self._gateway.push(push)
        except TimeoutError:
            _log.warning("sandbox_ussd_unanswered")
            return HandsetScreen(opened.session, None, OperatorError.ERROR_AT_WASP.value, is_open=False,
                                 hides_input=False)
        if kind is not PushKind.CANCEL and (error := _cannot_show(handset)) is not None:
            await self._gateway.report(NAME, opened.session, error)
            return HandsetScreen(opened.session, reply.session_id, error.value, is_open=False, hides_input=False)
        screen = reply.screen
        return HandsetScreen(opened.session, reply.session_id, screen.text, not screen.ends, screen.hides_input)


def _cannot_show(handset: Handset) -> OperatorError | None:
    if handset.state is HandsetState.FULL:
        return OperatorError.UNABLE_TO_DISPLAY
    return OperatorError.ERROR_AT_WASP if handset.refusal is not None else None
