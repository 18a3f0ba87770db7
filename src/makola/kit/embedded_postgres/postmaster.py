"""The running server as its `postmaster.pid` names it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

_READY_LINE = 7  # of postmaster.pid, counted from 0
_POLL_S = 0.01
_AT_ONCE_S = 5.0


def find_postmaster(directory: Path) -> psutil.Process | None:
    """Return the server that runs on `directory`; None if the pid is nobody's, or somebody else's."""
    lines = _lines(directory)
    if not lines or not lines[0].isdecimal():
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(lines[0]))
        if _lives(process) and str(directory) in process.cmdline():
            return process
    return None


def is_ready(directory: Path, pid: int | None) -> bool:
    """Say whether the server on `directory` takes connections.

    Args:
        directory: the cluster.
        pid: of the server that it must be; None for any.
    """
    lines = _lines(directory)
    if len(lines) <= _READY_LINE or lines[_READY_LINE].strip() != "ready":
        return False
    return pid is None or lines[0] == str(pid)


def disown_stale_pid(directory: Path) -> None:
    """Make PostgreSQL accept a lock file whose pid has passed to another program, or is not reaped yet.

    PostgreSQL refuses to start while the process named there lives. The file in the cluster is not removed,
    because its shared-memory line lets PostgreSQL see orphaned backends; the pid is replaced by that of its
    parent, which is us and which it ignores.
    """
    lines = _lines(directory)
    if lines and lines[0].isdecimal() and psutil.pid_exists(int(lines[0])):
        (directory / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


def end(postmaster: psutil.Process, timeout_s: float) -> None:
    """End a server.

    Args:
        postmaster: which.
        timeout_s: how long an orderly end may take; then it is ended at once.
    """
    for how, patience_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, _AT_ONCE_S), (signal.SIGKILL, _AT_ONCE_S)):
        with suppress(psutil.NoSuchProcess):
            postmaster.send_signal(how)
        deadline = time.monotonic() + patience_s
        while _lives(postmaster):
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        else:
            return


def _lines(directory: Path) -> list[str]:
    try:
        return (directory / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _lives(process: psutil.Process) -> bool:
    """Tell whether `process` still runs; one that ended counts as gone even before its parent has noticed."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
