"""The reference: a bare ASGI application that parses the same request and inserts one row, durably, for each."""

import asyncio
import os
from typing import Any

import asyncpg
import msgspec

_pools: list[Any] = []
_opening = asyncio.Lock()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Parse, insert, answer: no credentials, no segments, no price, no ledger."""
    if not _pools:
        async with _opening:
            if not _pools:
                _pools.append(await asyncpg.create_pool(os.environ["REFERENCE_DATABASE_URL"], min_size=16, max_size=16))
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    values = msgspec.json.decode(body)
    message_id = await _pools[0].fetchval(
        "INSERT INTO reference_message (sender, recipient, content) VALUES ($1, $2, $3) RETURNING id",
        values["From"], values["To"], values["Content"])
    answer = msgspec.json.encode({"Status": 0, "MessageId": str(message_id), "Rate": 1, "NetworkId": "62001"})
    await send({"type": "http.response.start", "status": 201,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]})
    await send({"type": "http.response.body", "body": answer})
