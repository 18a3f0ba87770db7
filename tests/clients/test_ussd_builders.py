"""`ussd-menu-builder` and `ussd-builder` from npm: applications written with them run behind Makola unchanged."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.processes import environment
from tests.serving import Serving

pytestmark = pytest.mark.skipif(
    os.environ.get("MAKOLA_TEST_SKIP_NODE") == "1", reason="MAKOLA_TEST_SKIP_NODE is set: there is no Node.js")

_APPLICATION = Path(__file__).with_name("node") / "ussd_application.js"
_EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "ussd"
_WELCOME = "Welcome. Choose option:\n1. Show Balance\n2. Buy Airtime"
_NUMBER = "+233501234567"
_CODES = {"ussd-menu-builder": "741", "ussd-builder": "742"}


@pytest.fixture(scope="module", params=["ussd-menu-builder", "ussd-builder"])
def application(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """An application written with one of the packages: the package, and the application's URL."""
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None, "Node.js is missing; ./dev test installs it, or says that these tests are skipped"
    with subprocess.Popen([node, str(_APPLICATION), request.param], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield request.param, f"http://localhost:{port}/ussd"
        process.kill()


@pytest.fixture(scope="module")
def handset(server: Serving, application: tuple[str, str]) -> Iterator[httpx.Client]:
    """A handset that may dial the application's code."""
    package, url = application
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.post("/ussd/services", json={"code": _CODES[package], "url": url}).status_code == 200
        made = client.post("/sandbox/handsets", json={"number": _NUMBER, "network_id": "62002"})
        assert made.status_code in {201, 409}, made.text
        yield client


def _play(handset: httpx.Client, code: str, *answers: str) -> list[str]:
    """Return the screens of a session; the application must have ended it with the last."""
    path = f"/sandbox/handsets/{_NUMBER}/ussd"
    screen = handset.post(path, json={"input": code}).json()
    screens = [str(screen["text"])]
    for answer in answers:
        assert screen["open"], screen
        screen = handset.post(path, json={"session": screen["session"], "input": answer}).json()
        screens.append(str(screen["text"]))
    assert not screen["open"], screen
    return screens


def test_an_application_runs_behind_the_gateway(handset: httpx.Client, application: tuple[str, str]) -> None:
    package, _ = application
    code = f"*{_CODES[package]}#"
    operator = "Vodafone" if package == "ussd-builder" else "a network"  # the older package does not hand it on
    balance = f"{_NUMBER} of {operator}: your balance is GHC 20"

    assert _play(handset, code, "1") == [_WELCOME, balance]
    assert _play(handset, code, "2", "15") == [_WELCOME, "Enter amount:", "Airtime for GHC 15 bought successfully."]
    # An input that no rule matches shows the same menu again, as the package defines it.
    assert _play(handset, code, "7", "1")[:2] == [_WELCOME, _WELCOME]


def test_a_long_code_reaches_the_application_whole(handset: httpx.Client, application: tuple[str, str]) -> None:
    package, _ = application
    code = f"*{_CODES[package]}*2*40#"
    if package == "ussd-builder":
        assert _play(handset, code) == ["Airtime for GHC 40 bought successfully."]
    else:  # it does not look at what was dialled
        assert _play(handset, code, "1")[0] == _WELCOME


def test_the_kit_plays_against_it_without_a_server(application: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "airtime.ussd").write_text(
        "dial *741#\ncontains 2. Buy Airtime\nsend 2\nexpect Enter amount:\nsend 15\n"
        "expect Airtime for GHC 15 bought successfully.\nended\n")
    done = subprocess.run(
        [sys.executable, "-m", "makola", "ussd", "play", "airtime.ussd", "--url", application[1]], cwd=tmp_path,
        env=environment(), text=True, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_guides_first_application(tmp_path: Path) -> None:
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([node, str(_EXAMPLES / "hello.js")], env=environment({"PORT": str(port)})) as process:
        _wait_until_it_listens(port)
        done = subprocess.run(
            [sys.executable, "-m", "makola", "ussd", "dial", "*714#", "--url", f"http://localhost:{port}/ussd"],
            cwd=tmp_path, env=environment(), input="Ama\n", text=True, capture_output=True, timeout=30, check=False)
        process.kill()
    assert (done.returncode, done.stdout) == (0, "What is your name?\n> Ama\nHello Ama!\n"), done.stderr


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
