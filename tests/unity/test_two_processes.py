"""Two whole processes over one database: each message goes out once, whoever sends it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.unity.hub import CREDIT, Hub, ahead, eventually, running_hub

_COUNT = 150


@pytest.mark.parametrize("scheduled", [True, False])
async def test_each_message_leaves_once(module_database_url: str, hub: Hub, tmp_path: Path, scheduled: bool) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(hub.world))
    async with running_hub(module_database_url, tmp_path, world=False) as other:
        tenant = await hub.tenant()
        there = other.client(tenant.client.client_id, tenant.client.client_secret)
        time = {"Time": ahead(days=1)} if scheduled else {}

        async def send(number: int) -> str:
            client = (tenant.client, there)[number % 2]
            reply = await client.post("/v1/messages", From="Makola", To="+233241234567", Content=f"{number}", **time)
            assert reply.outcome == (201, 0)
            return str(reply.json["MessageId"])

        ids = await asyncio.gather(*map(send, range(_COUNT)))
        if scheduled:
            await hub.database.execute("UPDATE messaging.message SET due_at = $2 WHERE id = ANY($1::uuid[])",
                                       [UUID(message_id) for message_id in ids],
                                       datetime.now(UTC) + timedelta(seconds=0.2))

        async def all_delivered() -> bool:
            return bool(await hub.database.fetchval(
                "SELECT count(*) FROM messaging.message WHERE organisation_id = $1 AND status = 21",
                tenant.organisation_id) == _COUNT)

        await eventually(all_delivered, within_s=30)
        attempts = await hub.database.fetch(
            "SELECT attempt_count, count(*) AS n FROM messaging.message WHERE organisation_id = $1 GROUP BY 1",
            tenant.organisation_id)
        assert {row["attempt_count"]: row["n"] for row in attempts} == {1: _COUNT}
        assert sorted(await hub.on_handset("+233241234567")) == sorted(map(str, range(_COUNT)))
        await hub.handsets.clear("+233241234567")
        assert (await tenant.footprint()).balances == (((1_000 - _COUNT) * CREDIT, 0),)
