"""The kit as it is used: a program of its own, its standard input and output."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.cli.processes import environment
from tests.ussd_kit.applications import Application, application, banking

Kit: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="package")
def bank() -> Iterator[Application]:
    """The document's banking application."""
    with application(banking) as running:
        yield running


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """Run `makola ussd …` in an empty directory, with lines on its standard input."""

    def run(*arguments: str, answers: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-m", "makola", "ussd", *arguments], cwd=tmp_path, input=answers,
                              env=environment(), text=True, capture_output=True, timeout=30, check=False)

    return run
