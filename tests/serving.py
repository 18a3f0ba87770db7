"""A real `makola serve`, in a process of its own on a data directory of its own, for tests of the whole program."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import msgspec
import psutil

from tests.cli.processes import Makola, environment
from tests.places import run_directory

START_TIMEOUT_S = 60.0
_POLL_S = 0.01
#: Passwords are hashed quickly: what makes the hashes slow is tested where they are made.
_SETTINGS = {"password_memory_kib": "64", "password_passes": "1"}


class Client(msgspec.Struct, frozen=True):
    """Credentials of the demonstration world."""

    client_id: str
    client_secret: str
    organisation: int

    @property
    def pair(self) -> tuple[str, str]:
        """What HTTP Basic takes."""
        return self.client_id, self.client_secret


class World(msgspec.Struct, frozen=True):
    """What `demo.json` says."""

    base_url: str
    clients: dict[str, Client]
    handsets: list[str]
    do_not_contact: str
    blocked_phrase: str
    merchant_account_number: str

    @property
    def merchant(self) -> Client:
        """An account with plenty of credit."""
        return self.clients["merchant"]

    @property
    def penniless(self) -> Client:
        """An account without credit."""
        return self.clients["penniless"]


class Serving:
    """`makola serve`, which may be killed and started again on the same data directory."""

    def __init__(self, data_directory: Path, **settings: str) -> None:
        """Start nothing yet.

        Args:
            data_directory: the server's; its parent becomes the working directory.
            settings: by their names, as they are written in the environment.
        """
        self.data_directory = data_directory
        self._variables = {f"MAKOLA_{name.upper()}": value for name, value in (_SETTINGS | settings).items()}
        self._makola: Makola | None = None

    @property
    def url(self) -> str:
        """The address of the present life: each has a port of its own."""
        return self._running.url

    @property
    def world(self) -> World:
        """The demonstration world."""
        return msgspec.json.decode((self.data_directory / "demo.json").read_bytes(), type=World)

    @property
    def errors(self) -> str:
        """What the present life has logged."""
        return self._running.errors

    def begin(self) -> None:
        """Start the program and do not wait until it answers."""
        self._makola = Makola(subprocess.Popen(
            [sys.executable, "-m", "makola", "serve", "--data", str(self.data_directory), "--port", "0"],
            cwd=self.data_directory.parent, env=environment(self._variables), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))

    def start(self) -> None:
        """Start the program and wait until it answers."""
        self.begin()
        self._running.wait_until_ready(START_TIMEOUT_S)

    def kill(self) -> None:
        """End it with SIGKILL; PostgreSQL, a process of its own, lives on. It must not have ended by itself."""
        self.check_well()
        self._running.process.kill()
        self._running.wait()

    def stop(self) -> tuple[int, float]:
        """End it with SIGTERM; return the exit code and the seconds it took."""
        return self._running.stop()

    def check_well(self) -> None:
        """Fail if it has ended by itself, or is about to."""
        assert self._running.process.poll() is None, self.errors
        assert "background_failed" not in self.errors, self.errors

    def database_url(self) -> str:
        """Return the address of the embedded PostgreSQL, which must be running."""
        return f"postgresql://postgres@/postgres?host={quote(self._postmaster_file()[4])}"

    def kill_postgres(self) -> None:
        """End PostgreSQL with SIGKILL, the postmaster first, so that it can tell its children nothing."""
        postmaster = psutil.Process(int(self._postmaster_file()[0]))
        assert str(self._cluster) in postmaster.cmdline(), "its number has passed to another program"
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        deadline = time.monotonic() + START_TIMEOUT_S
        while any(_lives(process) for process in family):
            assert time.monotonic() < deadline, "PostgreSQL survives SIGKILL"
            time.sleep(_POLL_S)

    @property
    def _running(self) -> Makola:
        assert self._makola is not None, "not started"
        return self._makola

    def _postmaster_file(self) -> list[str]:
        """Return its lines: the process first, the directory of the socket fifth."""
        return (self._cluster / "postmaster.pid").read_text().splitlines()

    @property
    def _cluster(self) -> Path:
        return self.data_directory / "postgres"

    def close(self) -> None:
        """Leave no process behind, however the test ended."""
        if self._makola is None:
            return
        if self._makola.process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self._makola.stop()
        if self._makola.process.poll() is None:
            self._makola.stop(signal.SIGKILL)
        with suppress(FileNotFoundError, psutil.NoSuchProcess, AssertionError):
            self.kill_postgres()


@contextmanager
def serving(**settings: str) -> Iterator[Serving]:
    """Run `makola serve`, started for the second time, which takes half as long as the first; see `Serving`.

    The data directory is not pytest's: another pytest that starts meanwhile closes the way to its directories, and
    PostgreSQL, which does not run as root, would no longer reach its files.
    """
    with TemporaryDirectory(prefix="makola-serve-", dir=run_directory()) as directory:
        data_directory = Path(directory) / "data"
        subprocess.run(["cp", "-a", _world(), data_directory], check=True)
        server = Serving(data_directory, **settings)
        try:
            server.start()
            yield server
        finally:
            server.close()


def _world() -> Path:
    """Return the data directory of a server that has been started and stopped once; made by the first who asks."""
    world = run_directory() / "world"
    with world.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not world.exists():
            first = Serving(world.with_suffix(".unfinished"))
            try:
                first.start()
                code, _ = first.stop()
                assert code == 0, first.errors
            finally:
                first.close()
            first.data_directory.rename(world)
    return world


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that its parent has not noticed to be dead does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def seed() -> int:
    """Return the seed of a test with chance in it: `MAKOLA_TEST_SEED`, or a new one."""
    given = os.environ.get("MAKOLA_TEST_SEED")
    return int(given) if given else int.from_bytes(os.urandom(4))
