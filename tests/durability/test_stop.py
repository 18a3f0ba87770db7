"""SIGTERM finishes what is under way, and what PostgreSQL has committed survives its own sudden end."""

import asyncio

from tests.durability.load import loading
from tests.durability.stage import Stage

#: Ten seconds are what an orderly end may take before it becomes another, with another exit code.
_STOP_WITHIN_S = 12.0


async def test_sigterm_in_mid_load_ends_in_order_and_loses_nothing(stage: Stage) -> None:
    async with loading(stage.server, stage.chance, programs=16, pause_s=0.01) as load:
        for _ in range(2):
            await stage.in_mid_load(load)
            code, took_s = await asyncio.to_thread(stage.server.stop)  # the programs do not know, and go on
            load.up.clear()
            assert (code, stage.server.errors) == (0, "")
            assert took_s < _STOP_WITHIN_S
            await stage.start()
        await stage.in_mid_load(load)
    await stage.check(load.told)


async def test_sudden_end_of_postgres_loses_nothing(stage: Stage) -> None:
    async with loading(stage.server, stage.chance, programs=16, pause_s=0.02) as load:
        await stage.in_mid_load(load)
        await _kill_postgres(stage)
        await stage.in_mid_load(load)  # the server starts PostgreSQL again, and goes on
        await _kill_postgres(stage)
        load.up.clear()
        _, took_s = await asyncio.to_thread(stage.server.stop)
        assert took_s < _STOP_WITHIN_S
        await stage.start()
        await stage.in_mid_load(load)
    await stage.check(load.told)
    assert load.told.unanswered, "the run proves nothing: PostgreSQL was not needed while it was away"


async def _kill_postgres(stage: Stage) -> None:
    await asyncio.to_thread(stage.server.kill_postgres)
    await asyncio.sleep(stage.chance.uniform(0, 0.5))
