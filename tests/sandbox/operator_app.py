"""An operator that runs: its loops, its HTTP control and, where asked, pages, on a real server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from litestar import Litestar, Router
from litestar.types import ControllerRouterHandler

from makola.connectors.sandbox import CHANNELS, OperatorDefaults
from makola.connectors.sandbox.http import create_sandbox_router
from makola.kit.background import Background
from makola.kit.database import Database, WakeUps
from tests.sandbox.operator_world import World, eventually, make_world


@dataclass
class RunningOperator:
    """A world that moves by itself, and a client for its HTTP control."""

    world: World
    url: str
    client: httpx.AsyncClient
    background: Background
    server: uvicorn.Server


@asynccontextmanager
async def running_operator(database: Database, defaults: OperatorDefaults | None = None,
                           routes: Sequence[ControllerRouterHandler] = (), *, heartbeat_s: float = 15.0,
                           port: int = 0) -> AsyncIterator[RunningOperator]:
    """Serve an operator, and `routes` beside it, on a free port or on `port`, until the block ends."""
    chosen = defaults or OperatorDefaults(delivery_delay_ms=20)
    background, wake_ups = Background(), WakeUps(database.url)
    world = make_world(database, chosen)
    world.delivery.start(background, wake_ups)
    wake_ups.start(CHANNELS)
    sandbox: Router = create_sandbox_router(database, wake_ups, background.stopping, chosen, heartbeat_s=heartbeat_s)
    app = Litestar([sandbox, *routes], openapi_config=None)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await eventually(lambda: _started(server))
            yield RunningOperator(world, url, client, background, server)
        await background.stop()
        server.should_exit = True
        await serving
        await wake_ups.stop()


async def _started(server: uvicorn.Server) -> bool:
    return server.started
