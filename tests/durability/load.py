"""Programs that send messages all the time, whatever happens to the server, and write down what they were told."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.serving import Client, Serving

#: How long a program waits for an answer; a server that was killed does not answer at all.
_PATIENCE_S = 30.0
_AFTER_FAILURE_S = 0.05
#: What the server says when the answer to its commit was lost: as good as no answer.
_IN_DOUBT = "not known whether"
_NUMBERS = [f"+23324{number:07d}" for number in range(1_000_000, 1_000_200)]
_LONG = " and so on" * 20


@dataclass
class Told:
    """What the programs were told, by the reference that they gave their messages.

    Attributes:
        answered: 2xx: the message's id.
        refused: another status; the message must not exist.
        unanswered: the connection broke; the message may exist.
    """

    answered: dict[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


class Load:
    """The programs. Half of them repeat what was not answered, under the same Idempotency-Key."""

    def __init__(self, server: Serving, client: Client, chance: random.Random) -> None:
        self.told = Told()
        self.up = asyncio.Event()
        self._server = server
        self._client = client
        self._chance = chance
        self._ended = False

    async def run(self, name: str, *, patient: bool, pause_s: float) -> None:
        """Send one message after another until `end`."""
        number = 0
        async with self.session() as session:
            while not self._ended:
                await self.up.wait()
                number += 1
                reference = f"{name}-{number}"
                await self._send(session, reference, self._message(reference), patient=patient)
                await asyncio.sleep(self._chance.uniform(0, 2 * pause_s))

    @property
    def answers(self) -> int:
        """How many messages have been answered 2xx."""
        return len(self.told.answered)

    def end(self) -> None:
        """Let every program finish its present message."""
        self._ended = True
        self.up.set()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Lend a session with the client's credentials; a program has one connection."""
        async with aiohttp.ClientSession(
                headers={"Authorization": aiohttp.encode_basic_auth(*self._client.pair)},
                timeout=aiohttp.ClientTimeout(total=_PATIENCE_S),
                connector=aiohttp.TCPConnector(limit=1)) as session:
            yield session

    def _message(self, reference: str) -> dict[str, object]:
        long = self._chance.random() < 0.1
        return {"From": "Durable", "To": self._chance.choice(_NUMBERS), "ClientReference": reference,
                "Content": reference + (_LONG if long else ""), "RegisteredDelivery": True}

    async def _send(self, session: aiohttp.ClientSession, reference: str, message: Mapping[str, object], *,
                    patient: bool) -> None:
        """Send one message; a patient program goes on until it is told what became of it."""
        while True:
            outcome = await self._try(session, message, key=reference if patient else None)
            if isinstance(outcome, str):
                self.told.answered[reference] = outcome
                return
            await asyncio.sleep(_AFTER_FAILURE_S)
            await self.up.wait()
            if patient:
                continue
            if outcome is None:
                self.told.unanswered.add(reference)
            else:
                self.told.refused[reference] = outcome
            return

    async def _try(self, session: aiohttp.ClientSession, message: Mapping[str, object], *,
                   key: str | None) -> str | int | None:
        """Return the message's id, or the status of a refusal, or None when there was no clear answer."""
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            async with session.post(f"{self._server.url}/v1/messages", json=message, headers=headers) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return None
        if response.status != 201:
            return None if _IN_DOUBT in answer["Detail"] else response.status
        assert answer["Status"] == 0
        return str(answer["MessageId"])


@asynccontextmanager
async def loading(server: Serving, chance: random.Random, *, programs: int, pause_s: float) -> AsyncIterator[Load]:
    """Run `programs` programs; at the end each finishes its present message, so the server must then be up."""
    load = Load(server, server.world.merchant, chance)
    async with asyncio.TaskGroup() as group:
        for number in range(programs):
            group.create_task(load.run(f"p{number}", patient=number % 2 == 0, pause_s=pause_s))
        try:
            yield load
        finally:
            load.end()
