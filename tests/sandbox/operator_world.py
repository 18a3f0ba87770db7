"""An operator with a core that only remembers what it was told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from makola.connectors.sandbox import Delivery, Handsets, OperatorDefaults, SandboxConnector
from makola.core.messaging.ports import InboundMessage, OutgoingMessage, Receipt, SubmitOutcome, Taken
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id

_Value = TypeVar("_Value")


@dataclass
class FakeCore:
    """Keeps what it is told; dies as often as `deaths` says, after it was told and before it returns."""

    told: list[Receipt] = field(default_factory=list)
    received: list[InboundMessage] = field(default_factory=list)
    deaths: int = 0

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        self.told += batch
        self._die()

    async def inbound(self, batch: Sequence[InboundMessage]) -> None:
        self.received += batch
        self._die()

    def _die(self) -> None:
        if self.deaths:
            self.deaths -= 1
            raise ConnectionResetError("the process died here")

    def statuses(self, provider_id: str) -> list[MessageStatus]:
        return [receipt.status for receipt in self.told if receipt.provider_id == provider_id]


def outgoing(recipient: str, content: str = "Hello", *, units: int = 1, sender: str = "Makola",
             kind: MessageKind = MessageKind.TEXT, flash: bool = False, valid_s: float = 3600) -> OutgoingMessage:
    """A message as the core would submit it."""
    return OutgoingMessage(
        message_id=new_id(), sender=sender, recipient=recipient, network_id="62001", kind=kind, content=content,
        udh="", units=units, flash=flash, registered_delivery=True, valid_until=now() + timedelta(seconds=valid_s))


async def eventually(condition: Callable[[], Awaitable[_Value]]) -> _Value:
    """Return the first true value of `condition`, asked again and again for at most half a minute."""
    async with asyncio.timeout(30):
        while True:
            if value := await condition():
                return value
            await asyncio.sleep(0.02)


@dataclass
class World:
    """The parts of one operator, worked by hand: nothing happens until `step`."""

    database: Database
    core: FakeCore
    connector: SandboxConnector
    delivery: Delivery
    handsets: Handsets

    async def submit(self, *batch: OutgoingMessage) -> list[SubmitOutcome]:
        outcomes = {outcome.message_id: outcome for outcome in await self.connector.submit(batch)}
        return [outcomes[message.message_id] for message in batch]

    async def take(self, message: OutgoingMessage) -> tuple[str, ...]:
        """Submit one message that must be taken; return its provider ids."""
        (outcome,) = await self.submit(message)
        assert isinstance(outcome, Taken), outcome
        return outcome.provider_ids

    async def step(self) -> None:
        """Let the operator do everything that is due."""
        while await self.delivery.deliver_due():
            pass

    async def texts(self, number: str) -> list[str]:
        return [message.content for message in await self.handsets.messages(number)]


def make_world(database: Database, defaults: OperatorDefaults, *, lease_s: float = 10.0) -> World:
    """Put an operator together."""
    core = FakeCore()
    return World(database, core, SandboxConnector(database, defaults),
                 Delivery(database, core, defaults, lease_s=lease_s), Handsets(database, defaults))
