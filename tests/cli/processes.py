"""Processes of `makola` for tests: started, watched, and never left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

STUB = Path(__file__).with_name("makola_with_stub.py")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables without the settings in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKOLA_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **(extra or {})}


@dataclass(frozen=True)
class Ended:
    """What a command that ran in the test's own process left behind."""

    code: object
    output: str
    errors: str


class Makola:
    """A running `makola`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.output = ""
        self.errors = ""
        self._readers = [Thread(target=self._read, args=(name,), daemon=True) for name in ("output", "errors")]
        for reader in self._readers:
            reader.start()

    @property
    def url(self) -> str:
        """The address it said that it answers at."""
        found = re.search(r"http://[0-9.]+:\d+", self.output)
        assert found is not None, self.output
        return found.group()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    def wait_until_ready(self, timeout_s: float = 60.0) -> "Makola":
        """Wait until it says that it runs."""
        deadline = time.monotonic() + timeout_s
        while not re.search(r"Ctrl-C|Makola answers at .*\n$|at work", self.output):
            assert self.process.poll() is None, self.errors
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.01)
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 30.0) -> tuple[int, float]:
        """Send a signal; return the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(how)
        return self.wait(timeout_s), time.monotonic() - started

    def wait(self, timeout_s: float = 30.0) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(timeout_s)
        for reader in self._readers:
            reader.join(timeout_s)
        return code

    def _read(self, name: str) -> None:
        stream = self.process.stdout if name == "output" else self.process.stderr
        assert stream is not None
        for line in stream:
            setattr(self, name, getattr(self, name) + line)


@contextmanager
def makola(*arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Iterator[Makola]:
    """Run `makola` with the stub application in `cwd`; kill it at the end if it still runs."""
    with subprocess.Popen(
            [sys.executable, str(STUB), *arguments], cwd=cwd, env=environment(variables), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        running = Makola(process)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            running.wait()


def run_makola(*arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Makola:
    """Run `makola` to its end."""
    with makola(*arguments, cwd=cwd, variables=variables) as done:
        done.wait(timeout_s=60)
    return done


def assert_one_line(done: "Makola | Ended", *words: str) -> None:
    """Check that it ended with exit code 2 and one line that says `words`."""
    code = done.code if isinstance(done, Ended) else done.process.returncode
    assert code == 2, done.errors
    lines = done.errors.splitlines()
    assert len(lines) == 1, done.errors
    for word in words:
        assert word in lines[0]
