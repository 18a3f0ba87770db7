"""A 2xx answer means that the message is on disk: SIGKILL at any moment loses nothing and repeats nothing."""

import asyncio

from tests.durability.load import loading
from tests.durability.stage import Stage

_KILLS = 10


async def test_ten_kills_in_mid_load_lose_nothing_and_repeat_nothing(stage: Stage) -> None:
    async with loading(stage.server, stage.chance, programs=16, pause_s=0.02) as load:
        for kill in range(_KILLS):
            await stage.in_mid_load(load)
            await stage.kill(load)
            if kill % 4 == 1:  # and once more, before it has come up
                stage.server.begin()
                await asyncio.sleep(stage.chance.uniform(0, 3))
                await asyncio.to_thread(stage.server.kill)
            await stage.start()
        await stage.in_mid_load(load)
    await stage.check(load.told)
    assert load.told.unanswered, "the run proves nothing: no request was under way when the server was killed"
