"""Messages whose time comes while the server dies go out once; those whose cancellation was confirmed never do."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp

from tests.durability.load import Told
from tests.durability.stage import Stage
from tests.serving import Client

_ROUNDS = 3
_MESSAGES = 80
_CONNECTIONS = 8
_AHEAD_S = 2.0


class Planner:
    """A program that schedules messages, and cancels some of them at the last moment."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self.told = Told()
        self.asked: set[str] = set()
        self.cancelled: set[str] = set()
        self._stage = stage
        self._headers = {"Authorization": aiohttp.encode_basic_auth(*client.pair)}

    async def schedule(self, round_number: int, moment: datetime) -> list[str]:
        """Schedule messages for `moment`; return their ids."""
        ids: list[str] = []
        async with self._session() as session, asyncio.TaskGroup() as group:
            for connection in range(_CONNECTIONS):
                references = [f"s{round_number}-{number}" for number in range(connection, _MESSAGES, _CONNECTIONS)]
                group.create_task(self._schedule(session, references, moment, ids))
        return ids

    async def _schedule(self, session: aiohttp.ClientSession, references: list[str], moment: datetime,
                        ids: list[str]) -> None:
        for reference in references:
            async with session.post(f"{self._stage.server.url}/v1/messages", json={
                    "From": "Durable", "To": "+233241000000", "Content": reference, "ClientReference": reference,
                    "RegisteredDelivery": True, "Time": moment.isoformat()}) as response:
                answer = await response.json()
                assert response.status == 201
                assert answer["Rate"] == 0 or datetime.now(UTC) >= moment
            self.told.answered[reference] = answer["MessageId"]
            ids.append(answer["MessageId"])

    async def cancel(self, ids: list[str]) -> None:
        """Cancel messages one after another, until the server is gone."""
        async with self._session() as session:
            for message_id in ids:
                self.asked.add(message_id)
                try:
                    async with session.delete(f"{self._stage.server.url}/v1/messages/{message_id}") as response:
                        answer = await response.json()
                except aiohttp.ClientError:
                    return
                assert response.status in {200, 400}
                if response.status == 200:
                    assert answer == {"Status": 0}
                    self.cancelled.add(message_id)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers=self._headers)


async def test_what_is_due_when_the_server_dies_goes_out_once(stage: Stage) -> None:
    planner = Planner(stage, stage.server.world.merchant)
    for round_number in range(_ROUNDS):
        moment = datetime.now(UTC) + timedelta(seconds=_AHEAD_S)
        ids = await planner.schedule(round_number, moment)
        stage.chance.shuffle(ids)
        await _until(moment - timedelta(seconds=0.05))
        cancelling = asyncio.create_task(planner.cancel(ids[:_MESSAGES // 2]))
        await _until(moment + timedelta(seconds=stage.chance.uniform(0, 0.3)))
        await asyncio.to_thread(stage.server.kill)
        await cancelling
        await stage.start()
    assert planner.cancelled, "the run proves nothing: no cancellation came in time"
    await stage.check(planner.told, cancelled=frozenset(planner.cancelled), may_be_cancelled=frozenset(planner.asked))


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
