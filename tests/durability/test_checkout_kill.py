"""SIGKILL while customers pay: no payment is lost, doubled or left undecided after the poller's first round."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg

from tests.serving import Serving, seed, serving

_KILLS = 3
_CUSTOMERS = 12
_OUTAGES = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass
class Load:
    """Customers who pay a direct call and give a part of it back, and repeat whatever was not answered."""

    server: Serving
    chance: random.Random
    handsets: list[str] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    ending: bool = False
    accepted: set[str] = field(default_factory=set)
    unanswered: int = 0

    async def customer(self, session: aiohttp.ClientSession, handset: str) -> None:
        """Pay again and again."""
        while not self.ending:
            reference = uuid4().hex
            answer = await self._until_answered(session, self._call("receive/mobilemoney"), {
                "CustomerMsisdn": handset, "Channel": "mtn-gh", "Amount": 10, "Description": "Book",
                "PrimaryCallbackUrl": "http://127.0.0.1:9/never", "ClientReference": reference})
            assert answer["ResponseCode"] in {"0001", "0000"}, answer
            self.accepted.add(reference)
            transaction_id = answer["Data"]["TransactionId"]
            # A prompt that was recorded and not asked for when the process died appears at the poller's first round.
            await self._until_answered(session, f"/sandbox/handsets/{handset}/prompts/{transaction_id}",
                                       {"pin": "1234"}, again_at=404)
            if self.chance.random() < 0.3:
                await self._until_answered(session, self._call("transactions/refund"), {
                    "TransactionId": transaction_id, "Amount": 1, "Reason": "Damaged",
                    "ClientReference": f"r{reference[:30]}"})

    def _call(self, what: str) -> str:
        return f"/v1/merchantaccount/merchants/{self.server.world.merchant_account_number}/{what}"

    async def _until_answered(self, session: aiohttp.ClientSession, path: str, body: object, *,
                              again_at: int = 0) -> dict[str, Any]:
        while True:
            await self.up.wait()
            try:
                async with session.post(f"{self.server.url}{path}", json=body, headers={
                        "Authorization": aiohttp.encode_basic_auth(*self.server.world.merchant.pair)}) as answer:
                    decoded: dict[str, Any] = json.loads(await answer.read())
                    if answer.status < 500 and answer.status != again_at:
                        return decoded
            except _OUTAGES:
                self.unanswered += 1
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _loading(server: Serving, chance: random.Random) -> AsyncIterator[Load]:
    load = Load(server, chance)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        for _ in range(_CUSTOMERS):
            async with session.post(f"{server.url}/sandbox/handsets", json={"network_id": "62001"}) as made:
                number = (await made.json())["number"]
            async with session.patch(f"{server.url}/sandbox/handsets/{number}/wallet", json={
                    "balance": 1_000_000, "limit_per_payment": 1_000_000, "limit_per_day": 1_000_000}) as changed:
                assert changed.status == 200
            load.handsets.append(number)
        load.up.set()
        customers = [asyncio.create_task(load.customer(session, number)) for number in load.handsets]
        yield load
        load.ending = True
        await asyncio.gather(*customers)


async def _rest(database: asyncpg.Connection) -> None:
    """Wait until nothing waits for a provider any more."""
    deadline = time.monotonic() + 60
    while await database.fetchval("SELECT count(*) FROM checkout.transaction WHERE state IN ('asking', 'pending')"):
        if time.monotonic() > deadline:
            left = await database.fetch("SELECT * FROM checkout.transaction WHERE state IN ('asking', 'pending')")
            raise AssertionError(f"payments are left undecided: {left}")
        await asyncio.sleep(0.1)


async def _check(database: asyncpg.Connection, load: Load) -> None:
    references = await database.fetch("SELECT client_reference, state FROM checkout.invoice")
    states = {row["client_reference"]: row["state"] for row in references}
    assert len(states) == len(references), "a checkout was made twice"
    assert load.accepted <= states.keys(), "an accepted payment is lost"
    assert {states[reference] for reference in load.accepted} == {"paid"}
    # What the wallets say and what the ledger says are the same, payment by payment.
    differing = await database.fetch("""
        SELECT o.transaction_id, o.kind, o.amount_units, t.state
        FROM sandbox.wallet_operation o FULL JOIN checkout.transaction t ON t.id = o.transaction_id
        WHERE t.id IS NULL OR o.transaction_id IS NULL OR o.amount_units <> t.amount_units
           OR (o.state = 'successful') <> (t.state = 'succeeded')""")
    assert differing == []
    moved = await database.fetchval("""
        SELECT sum(CASE kind WHEN 'payment' THEN amount_units ELSE -amount_units END) FROM checkout.transaction
        WHERE state = 'succeeded'""")
    accounts = await database.fetch("SELECT purpose, currency, balance, held FROM ledger.account")
    for currency in {row["currency"] for row in accounts}:
        assert sum(row["balance"] for row in accounts if row["currency"] == currency) == 0
    of_checkout = {row["purpose"]: row for row in accounts if row["currency"] == "GHS"}
    assert of_checkout["clearing sandbox"]["balance"] == -moved
    assert all(row["held"] == 0 for row in of_checkout.values())
    told = await database.fetch("""
        SELECT convert_from(body, 'UTF8')::jsonb->'Data'->>'TransactionId' AS id, count(*) AS times
        FROM callbacks.delivery WHERE event = 'payments.payment' GROUP BY 1""")
    assert {row["times"] for row in told} == {1}, "a merchant was told twice"
    paid = await database.fetch("SELECT id FROM checkout.transaction WHERE kind = 'payment' AND state = 'succeeded'")
    assert {row["id"] for row in told} == {row["id"].hex for row in paid}


async def test_kills_in_mid_load_lose_and_double_no_payment() -> None:
    chance = random.Random(seed())
    with serving(log_level="warning", payment_poll_delays_s="0.5,1,2", payment_ask_timeout_s="1",
                 actor_cache_s="5") as server:
        async with _loading(server, chance) as load, asyncio.timeout(240):
            for _ in range(_KILLS):
                enough = len(load.accepted) + 2 * _CUSTOMERS
                deadline = time.monotonic() + 60
                while len(load.accepted) < enough:
                    assert time.monotonic() < deadline, f"nothing passes: {server.errors}"
                    await asyncio.sleep(0.01)
                await asyncio.sleep(chance.uniform(0, 0.3))
                load.up.clear()
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                load.up.set()
        database = await asyncpg.connect(server.database_url())
        try:
            await _rest(database)
            await _check(database, load)
        finally:
            await database.close()
        assert load.unanswered, "the run proves nothing: no request was under way when the server was killed"
        print(f"{len(load.accepted)} payments accepted, {load.unanswered} requests unanswered")
