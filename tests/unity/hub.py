"""The real composition over a database of its own, and a world in it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from makola.app import Runtime, create_demonstration_world, start_runtime
from makola.connectors.sandbox import Handsets
from makola.core.applications.service import create_application
from makola.core.applications.types import AnswerCasing
from makola.core.billing.service import set_tariff, top_up
from makola.core.billing.types import MESSAGING_ACCOUNT, SMS
from makola.core.ledger.service import accounts_of
from makola.core.organisations.service import create_organisation
from makola.kit.database import Database
from makola.settings import Settings
from tests.unity.asgi_client import Client, Reply

CREDIT = 10_000
_CURRENCY = "CREDIT"
_Value = TypeVar("_Value")
_numbers = itertools.count(1_000_000)


def new_number() -> str:
    """An MTN number that no other test of this process has."""
    return f"+23324{next(_numbers)}"


def ahead(**later: float) -> str:
    """A time from now, as this API writes it, in GMT."""
    return f"{datetime.now(UTC) + timedelta(**later):%Y-%m-%d %H:%M:%S}"


async def eventually(condition: Callable[[], Awaitable[_Value]], *, within_s: float = 30) -> _Value:
    """Return the first true value of `condition`, asked again and again."""
    async with asyncio.timeout(within_s):
        while True:
            if value := await condition():
                return value
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Footprint:
    """Everything that a refused request must leave as it was."""

    messages: int
    keys: int
    holds: int
    transfers: int
    balances: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Tenant:
    """An organisation with a program, at the end of a chain of tiers."""

    database: Database
    client: Client
    chain: tuple[int, ...]
    application_id: int

    @property
    def organisation_id(self) -> int:
        return self.chain[-1]

    async def balances(self) -> dict[int, tuple[int, int]]:
        """What each tier has and what of it is held, by organisation, in 1/10,000 credits."""
        async with self.database.connection() as connection:
            return {account.owner_id: (account.balance_units, account.held_units)
                    for account in await accounts_of(connection, self.chain, MESSAGING_ACCOUNT)}

    async def footprint(self) -> Footprint:
        """Count what this tenant has left in the database; the root's balance moves with everybody's."""
        row = await self.database.fetchrow("""
            WITH own AS (SELECT id, owner_id, balance, held FROM ledger.account
                         WHERE owner_id = ANY($1::bigint[]) AND purpose = $4)
            SELECT (SELECT count(*) FROM messaging.message WHERE organisation_id = $2) AS messages,
                   (SELECT count(*) FROM messaging.request_key WHERE application_id = $3) AS keys,
                   (SELECT count(*) FROM ledger.hold WHERE debit_ids && array(SELECT id FROM own)) AS holds,
                   (SELECT count(*) FROM ledger.transfer WHERE debit_id IN (SELECT id FROM own)) AS transfers,
                   array(SELECT balance FROM own ORDER BY owner_id) AS balances,
                   array(SELECT held FROM own ORDER BY owner_id) AS held""",
            self.chain[1:], self.organisation_id, self.application_id, MESSAGING_ACCOUNT)
        assert row is not None
        return Footprint(row["messages"], row["keys"], row["holds"], row["transfers"],
                         tuple(zip(row["balances"], row["held"], strict=True)))

    async def send(self, content: str = "Hello", *, to: str | None = None, **values: object) -> Reply:
        """Send a message the usual way."""
        return await self.client.post(
            "/v1/messages", **{"From": "Makola", "To": to or new_number(), "Content": content} | values)

    async def sent(self, content: str = "Hello", **values: Any) -> str:
        """Send a message that must be accepted; return its id."""
        reply = await self.send(content, **values)
        assert reply.outcome == (201, 0), reply.body
        message_id: str = reply.json["MessageId"]
        return message_id

    async def message(self, message_id: str) -> dict[str, Any]:
        """Read a message back."""
        reply = await self.client.get(f"/v1/messages/{message_id}")
        assert reply.status == 200, reply.body
        message: dict[str, Any] = reply.json
        return message

    async def reaches(self, message_id: str, status: str, *, within_s: float = 30) -> dict[str, Any]:
        """Wait until a message has a status; return it."""
        seen: dict[str, Any] = {}

        async def there() -> bool:
            nonlocal seen
            seen = await self.message(message_id)
            return bool(seen["Status"] == status)

        try:
            await eventually(there, within_s=within_s)
        except TimeoutError:
            raise AssertionError(f"waited for {status}: {seen}") from None
        return seen


@dataclass
class Hub:
    """One process of the real program, called from inside."""

    settings: Settings
    runtime: Runtime
    world: dict[str, Any]
    handsets: Handsets
    platform_id: int
    _prepared: list[Tenant] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.runtime.database

    def client(self, client_id: str, client_secret: str, **options: Any) -> Client:
        assert self.runtime.asgi is not None
        return Client(self.runtime.asgi, client_id, client_secret, **options)

    def demo(self, name: str, **options: Any) -> Client:
        """A client of demo.json."""
        known = self.world["clients"][name]
        return self.client(known["client_id"], known["client_secret"], **options)

    async def tenant(self, *, credits_: float = 1_000, prices: Sequence[float] = (1,), network_id: str = "620",
                     casing: AnswerCasing = AnswerCasing.PASCAL, unique_client_reference: bool = False,
                     below: Tenant | None = None) -> Tenant:
        """Make a chain of organisations below the root (or below another tenant's), with a program at its end.

        Args:
            credits_: on the account of each tier that is made.
            prices: what each tier pays its parent for a message, from the root down: one tier for each.
        """
        chain = below.chain if below is not None else (self.platform_id,)
        async with self.database.transaction() as connection:
            for price in prices:
                made = await create_organisation(connection, chain[-1], name="Tenant")
                chain = made.chain
                await set_tariff(connection, chain[-1], SMS, network_id, currency=_CURRENCY,
                                 price_units=int(price * CREDIT))
                if credits_:
                    await top_up(connection, chain[-1], currency=_CURRENCY, amount_units=int(credits_ * CREDIT),
                                 reference=uuid4())
            new = await create_application(connection, chain[-1], name="Program", answer_casing=casing,
                                           unique_client_reference=unique_client_reference)
        client = self.client(new.application.client_id, new.client_secret)
        return Tenant(self.database, client, chain, new.application.application_id)

    async def on_handset(self, number: str) -> list[str]:
        """What a number's handset shows."""
        return [message.content for message in await self.handsets.messages(number, limit=1_000)]

    async def submitted(self, message_ids: Sequence[str]) -> set[str]:
        """Which messages the operator got."""
        rows = await self.database.fetch("SELECT message_id FROM sandbox.submission WHERE message_id = ANY($1::uuid[])",
                                         [UUID(message_id) for message_id in message_ids])
        return {row["message_id"].hex for row in rows}


@asynccontextmanager
async def running_hub(database_url: str, directory: Path, *, world: bool = True, worker: bool = True,
                      **settings: Any) -> AsyncIterator[Hub]:
    """Run one process until the block ends.

    Args:
        database_url: migrated.
        directory: for demo.json.
        world: make the demonstration world; otherwise the database and the directory have it.
        worker: send messages, and run the virtual operator.
        settings: others than these, which let nothing be remembered.
    """
    values: dict[str, Any] = {
        "data_directory": directory, "database_url": database_url, "database_pool_size": 8, "demo": True,
        "sandbox_delivery_delay_ms": 0, "actor_cache_s": 0.0, "public_url": "http://hub.test",
        "password_memory_kib": 64, "password_passes": 1} | settings
    chosen = Settings(**values)
    if world:
        opened = await Database.connect(database_url, min_size=1, max_size=2)
        await create_demonstration_world(chosen, opened)
        await opened.close()
    runtime = await start_runtime(chosen, web=True, worker=worker)
    platform_id = await runtime.database.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
    try:
        yield Hub(chosen, runtime, json.loads((directory / "demo.json").read_text()), Handsets(runtime.database),
                  platform_id)
    finally:
        await runtime.stop()
