"""`makola` with an application of a few lines, for tests of the life of a process.

POST /accept keeps its body in memory until the process drains, as an accept queue would at worst; the drain
writes all of it to `drained.json`. GET /events is a stream that never ends and never looks at its client. What has
begun is told by empty files: `begun-accept` for a request to /accept, `begun-drain` for the drain.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import makola
from makola.kit.background import Background
from makola.kit.database import Database
from makola.settings import Settings

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class StubRuntime:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.accepted: list[str] = []
        self.background = Background()
        self.background.every("busy", self.be_busy, idle_s=0.1)

    def has_begun(self, what: str) -> None:
        (self.settings.data_directory / f"begun-{what}").touch()

    async def be_busy(self) -> bool:
        await asyncio.sleep(0.3)
        if (self.settings.data_directory / "fail").exists():
            raise RuntimeError("told to fail")
        return True

    async def stop(self) -> None:
        await self.background.stop()
        self.has_begun("drain")
        if (self.settings.data_directory / "hang").exists():
            await asyncio.sleep(60)
        (self.settings.data_directory / "drained.json").write_text(json.dumps(self.accepted))

    async def asgi(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.has_begun(scope["path"][1:])
        body, more = b"", scope["path"] == "/accept"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        if scope["path"] == "/events":
            await self.stream(send)
        if scope["path"] == "/slow":
            await asyncio.sleep(float(scope["query_string"]))
        if scope["path"] == "/block":
            time.sleep(float(scope["query_string"]))  # noqa: ASYNC251 - the worst a handler can do
        if body:
            self.accepted.append(body.decode())
        answer = json.dumps({"path": scope["path"], "bytes": len(body)}).encode()
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", str(len(answer)).encode())]})
        await send({"type": "http.response.body", "body": answer})

    async def stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-type", b"text/event-stream")]})
        while True:
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            await asyncio.sleep(0.1)


async def start_runtime(settings: Settings, *, web: bool, worker: bool) -> StubRuntime:
    return StubRuntime(settings)


async def create_demonstration_world(settings: Settings, database: Database) -> None:
    file = settings.data_directory / "demo.json"
    file.write_text(json.dumps({
        "base_url": settings.public_url, "handsets": ["+233240000001"],
        "clients": {"merchant": {"client_id": "stubid", "client_secret": "stubsecret", "organisation": 1}}}))
    file.chmod(0o600)


if __name__ == "__main__":
    stub = ModuleType("makola.app")
    vars(stub).update(start_runtime=start_runtime, create_demonstration_world=create_demonstration_world)
    sys.modules["makola.app"] = stub
    vars(makola)["app"] = stub
    from makola.cli import main

    main()
