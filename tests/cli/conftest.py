"""The command line in the test's own process: a tenth of the time of a process of its own."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from makola import cli, logs
from tests.cli.processes import Ended
from tests.places import run_directory

RunHere = Callable[..., Ended]


@pytest.fixture
def own_directory() -> Iterator[Path]:
    """A temporary directory that is not pytest's, for an embedded PostgreSQL.

    Each start of pytest closes the directory above `tmp_path` to other accounts, also for the tests of another
    pytest that runs at the time, and as root PostgreSQL has an account of its own.
    """
    with tempfile.TemporaryDirectory(prefix="makola-test-", dir=run_directory()) as directory:
        yield Path(directory)


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
             capsys: pytest.CaptureFixture[str]) -> Iterator[RunHere]:
    """Run `makola` with arguments and variables in `tmp_path`; for commands that end by themselves."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(logs, "configure", lambda _settings: None)
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("MAKOLA_"):
            monkeypatch.delenv(name)

    def run(*arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        with monkeypatch.context() as context:
            context.setattr(sys, "argv", ["makola", *arguments])
            for name, value in (variables or {}).items():
                context.setenv(name, value)
            with pytest.raises(SystemExit) as caught:
                cli.main()
        written = capsys.readouterr()
        return Ended(caught.value.code, written.out, written.err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
