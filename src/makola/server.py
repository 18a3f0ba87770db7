"""The life of a process: what it claims, how it starts, how it listens, and how it ends without losing anything."""

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import structlog
import uvicorn
import uvloop

from makola.http_protocol import HttpProtocol, http_protocol
from makola.kit.background import Background
from makola.settings import Settings

#: After the time to drain, what is left to stop the database and end, before the process ends by force.
_LAST_MOMENT_S = 1.5
#: Answers that have begun and do not end by themselves, such as streams of events, are ended after this.
_STREAM_GRACE_S = 0.5
_BACKLOG = 2048
_GARBAGE_THRESHOLDS = (10_000, 20, 50)

_log = structlog.get_logger(__name__)


class StartError(Exception):
    """The process cannot start; the message is one line for a person."""


class Runtime(Protocol):
    """What the composition of the application gives to a process."""

    @property
    def asgi(self) -> "Callable[..., Awaitable[None]] | None":
        """The application; None in a worker."""

    @property
    def background(self) -> Background:
        """The loops of this process."""

    async def stop(self) -> None:
        """Commit what was accepted, stop the loops, close the pools."""


StartRuntime = Callable[[], Awaitable[Runtime]]


class Stopping:
    """SIGTERM and SIGINT. The first asks the process to drain; a second ends it at once."""

    def __init__(self, drain_timeout_s: float) -> None:
        """Take nothing over yet.

        Args:
            drain_timeout_s: how long an orderly end may take; a little later the process ends by force.
        """
        self._patience_s = drain_timeout_s + _LAST_MOMENT_S
        self.requested = False
        self.drained = False
        #: Called when the process ends by force, with no time left to wait for anything.
        self.last_words: Callable[[], None] = _nothing
        self._deadline = float("inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self._lock = threading.Lock()

    def install(self) -> None:
        """Take over both signals; in the main thread, before anything is started that must be stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    async def wait(self) -> None:
        """Wait until the process is asked to stop."""
        self._loop = asyncio.get_running_loop()
        if not self.requested:
            await self._event.wait()

    def begin(self) -> None:
        """Start the clock: the process ends in time, if need be by force."""
        with self._lock:
            if self._deadline != float("inf"):
                return
            self._deadline = time.monotonic() + self._patience_s
        last_resort = threading.Timer(self._patience_s, self._force)
        last_resort.daemon = True
        last_resort.start()

    def time_left_s(self) -> float:
        """Return the seconds until the process ends by force."""
        return max(0.0, self._deadline - time.monotonic())

    def _received(self, number: int, _frame: FrameType | None) -> None:
        if self.requested:
            self.last_words()
            os._exit(128 + number)
        self.requested = True
        self.begin()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._event.set)

    def _force(self) -> None:
        sys.stderr.write("makola: something did not end in time; ending by force\n")
        self.last_words()
        os._exit(0 if self.drained else 1)


def _nothing() -> None:
    """Do nothing."""


# -- claims ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def claim(data_directory: Path) -> Iterator[None]:
    """Keep `data_directory` for this process; the kernel gives it back when the process ends, however it ends.

    Raises:
        StartError: another process has it, or it cannot be written.
    """
    try:
        data_directory.mkdir(parents=True, exist_ok=True)
        lock = (data_directory / "serve.lock").open("a+")
    except OSError as error:
        raise StartError(f"cannot use the data directory {data_directory}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StartError(f"the data directory {data_directory} is in use by another `makola serve` "
                             f"(process {holder}): stop it, or choose another with --data") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; whoever connects now waits until the server is up.

    Raises:
        StartError: the address is taken, not ours, or not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {host!r}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}; stop what "
                         "uses it, or choose another with --port") from error
    listener.setblocking(False)
    return listener


# -- running --------------------------------------------------------------------------------------------------


class HttpServer(uvicorn.Server):
    """uvicorn, with signals left to `Stopping`, slow clients timed, and streams ended when the server ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.listening.set()

    async def on_tick(self, counter: int) -> bool:
        """Look once a second for clients that take too long to send a request."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, HttpProtocol):
                    connection.check_time(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection and let the requests that are under way finish."""
        asyncio.get_running_loop().call_later(_STREAM_GRACE_S, self._end_streams)
        await super().shutdown(sockets)

    def _end_streams(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpProtocol):
                connection.end_stream()


def http_server(settings: Settings, application: Callable[..., Awaitable[None]]) -> HttpServer:
    """Return a server of `application` within the limits that `settings` name; `serve` runs it."""
    return HttpServer(uvicorn.Config(
        application, interface="asgi3", lifespan="off", ws="none", workers=1,
        http=http_protocol(settings.max_header_bytes, settings.request_read_timeout_s),
        log_config=None, access_log=False, server_header=False,
        proxy_headers=bool(settings.trusted_proxies), forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=_BACKLOG, timeout_keep_alive=settings.keep_alive_timeout_s,
        timeout_graceful_shutdown=max(1, int(settings.drain_timeout_s / 2))))


def run(settings: Settings, start_runtime: StartRuntime, stopping: Stopping, *,
        listener: socket.socket | None = None, ready: Callable[[], None] = _nothing) -> int:
    """Run the process until it is told to stop, or a background service fails.

    Args:
        settings: of this process.
        start_runtime: makes the application.
        stopping: the signals, already installed.
        listener: where to serve HTTP; None in a worker.
        ready: called once everything runs.

    Returns:
        The exit code: 0 after an orderly end.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, start_runtime, stopping, listener, ready))


async def _run(settings: Settings, start_runtime: StartRuntime, stopping: Stopping,
               listener: socket.socket | None, ready: Callable[[], None]) -> int:
    if stopping.requested:
        return 0
    runtime = await start_runtime()
    server: HttpServer | None = None
    serving: asyncio.Task[Any] | None = None
    if listener is not None and runtime.asgi is not None:
        server = http_server(settings, runtime.asgi)
        serving = asyncio.create_task(server.serve([listener]), name="http")
        await _first(server.listening.wait(), serving)
    gc.collect()
    gc.freeze()  # what the start made lives as long as the process: no need to walk it again
    # Next to nothing here is part of a cycle; Python's own threshold (700) looks for one several times a request.
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    ready()
    await _first(stopping.wait(), runtime.background.failed.wait(), *([serving] if serving else []))
    failed = runtime.background.failed.is_set() or (serving is not None and serving.done())
    stopping.begin()
    await _drain(settings, runtime, server, serving, stopping)
    return 1 if failed or not stopping.drained else 0


async def _drain(settings: Settings, runtime: Runtime, server: HttpServer | None,
                 serving: "asyncio.Task[Any] | None", stopping: Stopping) -> None:
    """Finish the requests first, because they wait for the queue; then the queue and the loops."""
    until = asyncio.get_running_loop().time() + settings.drain_timeout_s
    if server is not None and serving is not None:
        server.should_exit = True
        await serving
    try:
        async with asyncio.timeout_at(until):
            await runtime.stop()
    except TimeoutError:
        _log.error("drain_incomplete", after_s=settings.drain_timeout_s)
    else:
        stopping.drained = True


async def _first(*what: "Awaitable[Any]") -> None:
    """Wait for the first of `what`; what is no task is cancelled afterwards."""
    tasks = [asyncio.ensure_future(each) for each in what]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, each in zip(tasks, what, strict=True):
        if task is not each:
            task.cancel()
