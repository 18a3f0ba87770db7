"""A server whose files are under one directory, started, joined, revived and stopped.

Every process that uses one cluster holds a shared lock beside it: the last one to leave stops the server, and
a lock dies with its process, so a server whose users were all killed is recognised and taken over.
"""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO
from urllib.parse import quote

import psutil

from makola.kit.embedded_postgres import postmaster as postmasters
from makola.kit.embedded_postgres.account import choose_identity
from makola.kit.embedded_postgres.cluster import environment, find_programs, make_cluster
from makola.kit.embedded_postgres.errors import EmbeddedPostgresError, reason
from makola.kit.embedded_postgres.socket_place import (
    prepare_socket_directory,
    remove_socket_directory,
    socket_directory,
)

#: A server for one machine: durable, no network, a write-ahead log long enough that bursts meet no checkpoint.
DEFAULT_SETTINGS: Mapping[str, str] = MappingProxyType({
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "client_connection_check_interval": "2s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # no DETAIL and no statement: both can hold what people wrote
    "log_min_error_statement": "panic",
})

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.01
#: What it says while children of a killed server have not noticed yet, and for how long that is believed.
_ORPHANS, _ORPHANS_S = "is still in use", 5.0
_LOG_LIMIT_BYTES = 10_000_000

_not_ours_to_reap: list["subprocess.Popen[bytes]"] = []


class EmbeddedPostgres:
    """A PostgreSQL server whose files are under `directory`; runs as an account of its own when we are root."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        """Start the server, or join the one that another process started on the same directory.

        Args:
            directory: the cluster; made, with its parents, if there is none. `directory.log` and
                `directory.lock` appear beside it.
            settings: PostgreSQL settings on top of `DEFAULT_SETTINGS`.

        Raises:
            EmbeddedPostgresError: the server cannot run here; says why.
        """
        self.directory = directory.absolute()
        self._settings = {**DEFAULT_SETTINGS, **(settings or {})}
        self._programs = find_programs()
        self._log = self.directory.with_name(f"{self.directory.name}.log")
        self._users: BinaryIO | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self._identity = choose_identity(self.directory, self._programs)
            self._start()
        except OSError as error:
            self._leave()
            raise EmbeddedPostgresError(f"cannot run the embedded PostgreSQL in {directory}: {error}") from error
        except EmbeddedPostgresError:
            self._leave()
            raise

    def url(self, database: str = "postgres") -> str:
        """Return the `postgresql://` address of `database`."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(socket_directory(self.directory)))}"

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Stop the server, unless another process still uses it.

        Args:
            timeout_s: how long an orderly end may take; then the server is stopped at once, which costs
                nothing but a recovery at the next start.
        """
        if self._users is None:
            return
        with self._changing():
            if not _try_lock(self._users, fcntl.LOCK_EX):
                if self._process is not None:
                    _not_ours_to_reap.append(self._process)
            elif (postmaster := self._postmaster()) is not None:
                self._end(postmaster, timeout_s)
                remove_socket_directory(self.directory)
            self._leave()

    def revive(self) -> bool:
        """Start the server again if it has died, as when the system ran out of memory and killed it.

        Returns:
            Whether it had died, and runs again.

        Raises:
            EmbeddedPostgresError: it cannot be started.
        """
        if self._users is None or self._postmaster() is not None:
            return False
        with self._changing():  # another process that uses it may have been faster
            if self._postmaster() is not None:
                return False
            if self._process is not None:
                self._process.poll()
            try:
                self._launch()
                self._insist()
            except OSError as error:
                raise EmbeddedPostgresError(f"cannot start PostgreSQL again: {error}") from error
        return True

    def signal_stop(self) -> None:
        """Tell the server to stop and do not wait; for a process that is about to end by force."""
        if self._users is not None and _try_lock(self._users, fcntl.LOCK_EX):
            postmaster = self._postmaster()
            if postmaster is not None:
                postmaster.send_signal(signal.SIGINT)

    # -- starting ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        with self._changing():
            users = self.directory.with_name(f"{self.directory.name}.users").open("ab")
            self._users = users
            alone = _try_lock(users, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            postmaster = self._postmaster()
            if postmaster is not None and alone and postmaster.cmdline() != self._command():
                self._end(postmaster, _STOP_TIMEOUT_S)  # left by a killed process, with other settings
                postmaster = None
            if postmaster is None:
                make_cluster(self.directory, self._programs, self._identity)
                self._launch()
            self._insist()

    def _insist(self) -> None:
        """Wait until the server answers, starting it again while children of a killed one are still ending."""
        until = time.monotonic() + _ORPHANS_S
        while not self._comes_up():
            complaint = self._complaint()
            if _ORPHANS not in complaint or time.monotonic() > until:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {complaint} (see {self._log})")
            time.sleep(0.1)
            self._launch()

    def _command(self) -> list[str]:
        chosen = {**self._settings, "unix_socket_directories": str(socket_directory(self.directory))}
        return [str(self._programs / "postgres"), "-D", str(self.directory),
                *(word for name, value in chosen.items() for word in ("-c", f"{name}={value}"))]

    def _launch(self) -> None:
        postmasters.disown_stale_pid(self.directory)
        prepare_socket_directory(self.directory, self._identity)
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.unlink()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", umask=0o077,
                env=environment(), start_new_session=True, **self._identity)  # Ctrl-C is for us, not for it

    def _comes_up(self) -> bool:
        """Wait until the server answers; False if it ended instead."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not postmasters.is_ready(self.directory, self._process.pid if self._process is not None else None):
            if self._postmaster() is None and (self._process is None or self._process.poll() is not None):
                return False
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL was not ready after {_START_TIMEOUT_S:.0f} s "
                                            f"(see {self._log})")
            time.sleep(_POLL_S)
        return True

    def _complaint(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return reason("\n".join(lines[-10:]))

    # -- the running server -----------------------------------------------------------------------------------

    def _postmaster(self) -> psutil.Process | None:
        return postmasters.find_postmaster(self.directory)

    def _end(self, postmaster: psutil.Process, timeout_s: float) -> None:
        postmasters.end(postmaster, timeout_s)
        if self._process is not None:
            self._process.poll()

    # -- locks ------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process at a time start or stop this server."""
        with self.directory.with_name(f"{self.directory.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _leave(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None


def _try_lock(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
