"""A Makola of the benchmark's own, on a fresh data directory."""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The measured process runs on one core, the load on the other.
SERVER_CORE, LOAD_CORE = 0, (os.cpu_count() or 2) - 1


@dataclass(frozen=True, slots=True)
class World:
    """What `demo.json` says."""

    directory: Path
    base_url: str
    authorization: str
    handset: str
    client_id: str
    client_secret: str
    merchant_account_number: str = ""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, *, timeout_s: float = 30) -> None:
    """Wait until `url` answers."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def makola(mode: str, directory: Path, port: int, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `makola MODE` (serve, web, worker) pinned to its core until the block ends."""
    command = [sys.executable, "-m", "makola", mode, "--data", str(directory)]
    if mode != "worker":
        command += ["--port", str(port)]
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), *command], stdout=subprocess.DEVNULL,
        env={**os.environ, **{f"MAKOLA_{name.upper()}": value for name, value in environment.items()}})
    try:
        if mode != "worker":
            wait_for(f"http://127.0.0.1:{port}/health")
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def prepared_world() -> Iterator[World]:
    """Make a data directory with the demonstration world in it; nothing runs afterwards."""
    with tempfile.TemporaryDirectory(prefix="makola-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with makola("serve", directory, free_port()):
            pass
        world = json.loads((directory / "demo.json").read_text())
        client = world["clients"]["merchant"]
        pair = f"{client['client_id']}:{client['client_secret']}"
        yield World(directory, "", f"Basic {base64.b64encode(pair.encode()).decode()}", world["handsets"][0],
                    client["client_id"], client["client_secret"], world.get("merchant_account_number", ""))
