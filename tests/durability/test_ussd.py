"""SIGKILL and USSD: the subscriber goes on or gets an error's screen; no input is put to an application twice."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from tests.serving import Serving, serving
from tests.ussd.application import Application, Request, answering

_KILLS = 3
_SUBSCRIBERS = 24
_SECRET = "a-secret-of-the-operator"
_PIN = "7391504826"
_STEPS = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A running server with an operator that numbers its pushes, and subscribers who are given two seconds."""
    file = tmp_path / "operators.toml"
    file.write_text(f'[operator]\nsecret = "{_SECRET}"\n')
    with serving(ussd_operators_file=str(file), ussd_subscriber_timeout_s="2", log_level="warning") as running:
        yield running


class Bank:
    """An application that tells every subscriber their own number, and notices what it should never be sent."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self.owners: dict[str, str] = {}

    async def answer(self, request: Request) -> dict[str, object]:
        """Answer one request, slowly enough that a kill finds some under way."""
        session, mobile = request["SessionId"], request["Mobile"]
        sequence, state = request["Sequence"], request["ClientState"]
        self.asked[session, sequence] += 1
        if self.owners.setdefault(session, mobile) != mobile:
            self.wrong.append(f"{session} is {self.owners[session]}'s and was used by {mobile}")
        if state is not None and state != f"{mobile}/{sequence - 1}":
            self.wrong.append(f"{mobile} came with the state {state} at {sequence}")
        if state is None and request["Type"] == "Response":
            self.wrong.append(f"{mobile} came without a state at {sequence}")
        await asyncio.sleep(0.005)
        if sequence == _STEPS:
            return {"Type": "Release", "Message": f"{mobile} done"}
        return {"Type": "Response", "Message": f"{mobile} at {sequence}", "ClientState": f"{mobile}/{sequence}",
                "MaskNextRoute": sequence == _STEPS - 1}


@dataclass
class Subscribers:
    """Phones that dial all the time, and what they saw."""

    server: Serving
    up: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False
    screens: int = 0
    finished: int = 0
    repeated: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def use(self, number: int, chance: random.Random) -> None:
        """Dial one session after another."""
        mobile = f"+23324400{number:04d}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            count = 0
            while not self.is_over:
                count += 1
                await self._session(http, mobile, f"{number}-{count}", chance)

    async def _session(self, http: aiohttp.ClientSession, mobile: str, session: str, chance: random.Random) -> None:
        for step in range(1, _STEPS + 1):
            answer = await self._push(http, {
                "sessionId": session, "requestId": step, "type": "begin" if step == 1 else "continue",
                "msisdn": mobile, "serviceCode": "*711#", "text": _PIN if step == _STEPS else "1", "operator": "MTN"})
            self.screens += 1
            text = answer["text"]
            if answer["action"] == "end":
                if text == f"{mobile[1:]} done":
                    self.finished += 1
                else:
                    self.errors[text.split(":")[0]] += 1
                return
            if not text.startswith(f"{mobile[1:]} at {step}"):
                self.wrong.append(f"{mobile} saw {text} at {step}")
            if chance.random() < 0.02:
                return  # hangs up without a word
            await asyncio.sleep(chance.uniform(0, 0.02))

    async def _push(self, http: aiohttp.ClientSession, push: dict[str, object]) -> dict[str, str]:
        """Push until it is answered, as an operator does."""
        while True:
            await self.up.wait()
            try:
                async with http.post(f"{self.server.url}/operators/ussd/operator/{_SECRET}", json=push) as response:
                    assert response.status == 200
                    answer: dict[str, str] = await response.json()
                    return answer
            except (aiohttp.ClientError, TimeoutError):
                self.repeated += 1
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def bank(server: Serving) -> AsyncIterator[tuple[Bank, Application]]:
    """The application, mapped to `*711#`."""
    bank = Bank()
    async with answering() as application:
        credentials = {"Authorization": aiohttp.encode_basic_auth(*server.world.merchant.pair)}
        async with aiohttp.ClientSession(headers=credentials) as owner:
            listed = await (await owner.get(f"{server.url}/v1/ussd/services")).json()
            (service,) = [each for each in listed["ServiceList"] if each["Code"] == "711"]
            changed = await owner.put(f"{server.url}/v1/ussd/services/{service['Id']}", json={"Url": application.url})
            assert changed.status == 200
        await application.until_asked(server.url, server.world.handsets[0], "*711#")
        application.script = bank.answer
        yield bank, application


async def test_kills_in_mid_session(server: Serving, bank: tuple[Bank, Application], chance: random.Random) -> None:
    async def kill(subscribers: Subscribers) -> None:
        subscribers.up.clear()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        subscribers.up.set()

    subscribers = await _go_through(server, bank, chance, kill)
    assert subscribers.repeated, "the run proves nothing: no push was under way when the server was killed"
    application = bank[1]
    recorded = await _check_database(server, application)
    asked = {(request["SessionId"], request["Sequence"]) for request in application.requests}
    assert asked <= recorded, "the application was asked what is not recorded"


async def test_the_database_dies_in_mid_session(server: Serving, bank: tuple[Bank, Application],
                                                chance: random.Random) -> None:
    """What was asked may not be on disk yet, but whoever saw an answer goes on, and nothing is asked twice."""
    killed_at: list[datetime] = []

    async def kill(subscribers: Subscribers) -> None:
        before = subscribers.errors.total()
        await asyncio.to_thread(server.kill_postgres)
        killed_at.append(datetime.now(UTC))
        async with asyncio.timeout(20):
            while subscribers.errors.total() == before:  # noqa: ASYNC110 - phones notice, and nobody tells
                await asyncio.sleep(0.05)

    await _go_through(server, bank, chance, kill)
    await _check_database(server, bank[1])
    database = await asyncpg.connect(server.database_url())
    try:
        doubted = await database.fetchval(
            "SELECT count(*) FROM ussd.step, ussd.continuity WHERE recorded_at > $1 AND recorded_at < since",
            killed_at[-1])
        assert doubted == 0, "what was recorded after the breakdown goes on in any process"
    finally:
        await database.close()


async def _go_through(server: Serving, bank: tuple[Bank, Application], chance: random.Random,
                      kill: Callable[["Subscribers"], Awaitable[None]]) -> Subscribers:
    """Let subscribers dial through several kills; check what they and the application saw."""
    played, _ = bank
    subscribers = Subscribers(server)
    subscribers.up.set()
    async with asyncio.TaskGroup() as group:
        for number in range(_SUBSCRIBERS):
            group.create_task(subscribers.use(number, random.Random(chance.random())))
        for _ in range(_KILLS):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            finished = subscribers.finished
            await kill(subscribers)
        async with asyncio.timeout(30):
            while subscribers.finished < finished + _SUBSCRIBERS:  # noqa: ASYNC110 - phones finish by themselves
                await asyncio.sleep(0.05)
        subscribers.is_over = True
    assert not subscribers.wrong
    assert not played.wrong
    twice = {key: count for key, count in played.asked.items() if count > 1}
    assert not twice, "an input was put to the application twice"
    assert set(subscribers.errors) <= {"ST", "CSP"}
    return subscribers


async def _check_database(server: Serving, application: Application) -> set[tuple[str, int]]:
    """Check the books; return the session and sequence of each recorded request."""
    database = await asyncpg.connect(server.database_url())
    try:
        async with asyncio.timeout(60):  # what nobody goes on with times out, and its application is told
            while await database.fetchval("SELECT count(*) FROM ussd.session WHERE ended_at IS NULL"):  # noqa: ASYNC110 - another process ends them
                await asyncio.sleep(0.2)
        assert application.of_type("Timeout")
        uncharged = await database.fetchval(
            "SELECT count(*) FROM ussd.session s WHERE 2 <> (SELECT count(*) FROM ledger.transfer t"
            " WHERE t.reference = s.id AND t.kind = 'ussd')")
        assert uncharged == 0, "a session is to be charged once at every tier"
        strays = await database.fetchval(
            "SELECT count(*) FROM ledger.transfer t WHERE t.kind = 'ussd'"
            " AND NOT EXISTS (SELECT FROM ussd.session s WHERE s.id = t.reference)")
        assert strays == 0
        assert await database.fetchval("SELECT sum(balance) FROM ledger.account") == 0
        recorded = {(row["id"].hex, row["sequence"]) for row in await database.fetch(
            "SELECT session_id AS id, sequence FROM ussd.step WHERE sequence > 0")}
        assert not await database.fetchval(
            "SELECT count(*) FROM ussd.step s WHERE s::text LIKE $1", f"%{_PIN}%"), "a PIN is on disk"
        return recorded
    finally:
        await database.close()
