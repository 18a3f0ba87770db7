"""Messaging by itself: an organisation with credit, an operator that does as it is told, and processes that die."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from makola.core.applications.types import AnswerCasing, Application, Caller
from makola.core.billing.service import PriceList, set_tariff, top_up
from makola.core.billing.types import MESSAGING_ACCOUNT, SMS
from makola.core.ledger.service import accounts_of
from makola.core.messaging.ports import OnUnknown, OutgoingMessage, Receipt, SubmitOutcome, Taken
from makola.core.messaging.reports import Reports
from makola.core.messaging.routing import RoutingTable, set_route
from makola.core.messaging.service.accept import AcceptLimits, AcceptQueue
from makola.core.messaging.service.accept import Dispatcher as Taker
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.dispatch import Dispatcher
from makola.core.messaging.service.events import MessageEvents
from makola.core.messaging.service.outcomes import record
from makola.core.messaging.service.prepare import Preparation
from makola.core.messaging.store import COLUMNS, message_of, outgoing_of
from makola.core.messaging.types import Accepted, Draft, Message, MessageStatus, SendRequest
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.connections import Connections
from makola.kit.database import Connection, Database
from makola.kit.ids import new_id

PRICE = 10_000
CREDIT = 1_000_000 * PRICE
#: Longer than any test: a lease ends when a test says so.
LEASE_S = 300.0
CONNECTOR = "operator"
_numbers = itertools.count(1_000_000)


@dataclass
class Operator:
    """A connector. It takes everything, under new ids or, for what it has seen, the same again."""

    on_unknown: OnUnknown = OnUnknown.RESEND
    answer: Callable[[OutgoingMessage], SubmitOutcome | None] = lambda _: None
    before_answering: Callable[[], None] = lambda: None
    got: list[UUID] = field(default_factory=list)
    taken: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    name: str = CONNECTOR

    async def submit(self, batch: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
        """Take messages."""
        outcomes: list[SubmitOutcome] = []
        for message in batch:
            self.got.append(message.message_id)
            if (other := self.answer(message)) is not None:
                outcomes.append(other)
                continue
            ids = self.taken.setdefault(message.message_id, tuple(
                f"{message.message_id.hex}-{segment}" for segment in range(message.units)))
            outcomes.append(Taken(message.message_id, ids))
        await asyncio.sleep(0)
        self.before_answering()
        return outcomes

    def receipts(self, message_id: UUID, status: MessageStatus, detail: str = "") -> list[Receipt]:
        """A report for each segment of a message."""
        return [Receipt(CONNECTOR, provider_id, status, now(), detail) for provider_id in self.taken[message_id]]


class DyingDatabase(Database):
    """A database that a process uses until it dies, after `lives` of the moments at which it may.

    Such a moment is before and after each transaction: in the middle of one, death is a rollback, and so like death
    before it.
    """

    def __init__(self, connections: Connections, url: str, lives: int) -> None:
        super().__init__(connections, url)
        self.lives = lives

    @property
    def is_dead(self) -> bool:
        return self.lives <= 0

    def live(self) -> None:
        """Survive one more moment, or end as a killed process ends: without a word to anybody."""
        self.lives -= 1
        if self.is_dead:
            raise asyncio.CancelledError("the process died")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.live()
        async with super().connection() as connection:
            yield connection
        self.live()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self.live()
        async with super().transaction() as connection:
            yield connection
        self.live()


@dataclass
class Process:
    """What one process runs of messaging."""

    queue: AcceptQueue
    dispatcher: Dispatcher
    background: Background
    events: MessageEvents
    wake: asyncio.Event


@dataclass
class World:
    """One organisation below the root, with credit, and the operator that its messages go to."""

    database: Database
    caller: Caller
    operator: Operator
    routing: RoutingTable
    prices: PriceList
    reports: Reports
    credit: int

    async def draft(self, content: str = "Hello", *, to: str = "", time: datetime | None = None, key: str = "",
                    reference: str = "", sha256: bytes = b"", report: bool = False) -> Draft:
        """Prepare a message."""
        preparation = Preparation(self.routing, self.prices, frozenset({CONNECTOR}), timedelta(days=366))
        return await preparation.draft(self.caller, SendRequest(
            "Makola", to or f"+23324{next(_numbers)}", content, time=time, idempotency_key=key,
            client_reference=reference, request_sha256=sha256, registered_delivery=report))

    def queue(self, dispatcher: Taker | None = None, *, database: Database | None = None, limit: int = 1_000,
              batch: int = 100, lease_s: float = LEASE_S) -> AcceptQueue:
        """Make a queue; the caller starts it."""
        return AcceptQueue(database or self.database, AcceptLimits(limit, batch, lease_s, 3_600.0), dispatcher)

    @asynccontextmanager
    async def process(self, database: Database | None = None, *, lease_s: float = LEASE_S) -> AsyncIterator[Process]:
        """Run a process until the block ends, or until its database says that it died."""
        own = database or self.database
        claims = Claims(own, {CONNECTOR: self.operator}, self.routing, self.prices, self.reports, lease_s=lease_s)
        dispatcher = Dispatcher(own, {CONNECTOR: self.operator}, claims, self.reports, lease_s=lease_s)
        background, wake = Background(), asyncio.Event()
        dispatcher.start(background, wake)
        queue = self.queue(dispatcher, database=own, lease_s=lease_s)
        queue.start()
        try:
            yield Process(queue, dispatcher, background, MessageEvents(own, self.reports), wake)
        finally:
            await asyncio.gather(queue.drain(), return_exceptions=True)
            await background.stop(grace_s=0.0 if isinstance(own, DyingDatabase) and own.is_dead else 3.0)

    async def stored(self) -> dict[UUID, Message]:
        """Return every message of this organisation."""
        rows = await self.database.fetch(
            f"SELECT {COLUMNS} FROM messaging.message WHERE organisation_id = $1", self.caller.actor.organisation_id)
        return {row["id"]: message_of(row) for row in rows}

    async def sent(self, content: str = "Hello") -> Message:
        """Store a message that wants a report, and record that the operator took it."""
        message = (await self.leaving(content))
        outcomes = await self.operator.submit([outgoing_of(message, now())])
        await record(self.database, self.reports, CONNECTOR, outcomes)
        return message

    async def leaving(self, content: str = "Hello") -> Message:
        """Store a message that wants a report, on its way to the operator."""
        (accepted,) = await self.accept(await self.draft(content, report=True))
        return (await self.stored())[accepted.message_id]

    async def report_count(self, message_id: UUID) -> int:
        """How many delivery reports were written."""
        return int(await self.database.fetchval(
            "SELECT count(*) FROM callbacks.delivery WHERE subject_id = $1", message_id))

    async def parked_count(self) -> int:
        """How many receipts wait for their submission."""
        return int(await self.database.fetchval("SELECT count(*) FROM messaging.parked_receipt"))

    async def accept(self, *drafts: Draft) -> list[Accepted]:
        """Store drafts that nobody sends yet."""
        queue = self.queue()
        queue.start()
        accepted = await asyncio.gather(*(queue.submit(draft) for draft in drafts))
        await queue.drain()
        return accepted

    async def end_leases(self) -> None:
        """Let the time pass after which what a process left is taken over."""
        await self.database.execute(
            "UPDATE messaging.message SET due_at = now() WHERE due_at IS NOT NULL AND organisation_id = $1"
            " AND status > 1", self.caller.actor.organisation_id)

    async def spent_units(self) -> tuple[int, int]:
        """What this organisation has paid, and what of its credit is held."""
        async with self.database.connection() as connection:
            (account,) = await accounts_of(connection, [self.caller.actor.organisation_id], MESSAGING_ACCOUNT)
        return self.credit - account.balance_units, account.held_units

    async def settled(self, process: Process, *, within_s: float = 30) -> dict[UUID, Message]:
        """Wait until nothing is left to do; return every message."""
        async with asyncio.timeout(within_s):
            while await self.database.fetchval(
                    "SELECT EXISTS (SELECT FROM messaging.message WHERE due_at IS NOT NULL AND organisation_id = $1)",
                    self.caller.actor.organisation_id):
                process.wake.set()
                await asyncio.sleep(0.01)
        return await self.stored()


def reports() -> Reports:
    """Delivery reports in some form."""
    return Reports(lambda message, status: (("MessageId", message.message_id.hex), ("Status", status.name)))


async def make_world(database: Database, operator: Operator | None = None, *, credit: int = CREDIT,
                     unique_reference: bool = False) -> World:
    """Make an organisation below the root, which is made where there is none."""
    async with database.transaction() as connection:
        root = await connection.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
        if root is None:
            root = (await create_organisation(connection, None, name="Root")).organisation_id
        made = await create_organisation(connection, root, name="Shop")
        await set_tariff(connection, made.organisation_id, SMS, "*", currency="CREDIT", price_units=PRICE)
        if credit:
            await top_up(connection, made.organisation_id, currency="CREDIT", amount_units=credit, reference=uuid4())
        await set_route(connection, "*", CONNECTOR)
        await connection.execute(
            "INSERT INTO organisations.account_settings (organisation_id, delivery_report_url) VALUES ($1, $2)",
            made.organisation_id, "http://127.0.0.1:9/reports")
    routing = RoutingTable(database)
    await routing.refresh()
    actor = Actor(made.organisation_id, made.chain, made.organisation_id, None, "GH", "GMT")
    application = Application(made.organisation_id, made.organisation_id, "Program", str(new_id()),
                              AnswerCasing.PASCAL, unique_reference)
    return World(database, Caller(actor, application), operator or Operator(), routing,
                 PriceList(database, remember_s=0), reports(), credit)
