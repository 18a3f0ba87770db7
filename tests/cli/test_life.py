"""The life of a process: what it claims, how it starts, and how it ends."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from makola.kit.embedded_postgres import EmbeddedPostgres
from tests.cli.processes import Makola, assert_one_line, makola, run_makola

_PATIENCE_S = 30.0


@contextmanager
def serve(directory: Path, database_url: str, *arguments: str) -> Iterator[Makola]:
    """Run `makola serve` on a free port over a database that exists."""
    with makola("serve", "--port", "0", "--demo", *arguments, cwd=directory,
                variables={"MAKOLA_DATABASE_URL": database_url}) as running:
        yield running.wait_until_ready()


def post(running: Makola, body: str) -> None:
    with urlopen(Request(f"{running.url}/accept", data=body.encode(), method="POST"), timeout=30) as answer:
        assert answer.status == 200


def connect(running: Makola, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=30)
    connection.sendall(request)
    return connection


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def wait_until_begun(directory: Path, *what: str) -> None:
    """Wait until the stub says that it has begun with all of these."""
    wait_for(lambda: all((directory / "data" / f"begun-{each}").exists() for each in what))


def drained(directory: Path) -> list[str]:
    accepted: list[str] = json.loads((directory / "data" / "drained.json").read_text())
    return accepted


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was closed while this connection waited to be taken: the next one is refused
        return False
    return False


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


def test_serve_says_what_to_do_next(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as running:
        assert "curl -u stubid:stubsecret " in running.output
        assert f"{running.url}/v1/messages" in running.output
        assert '"To":"+233240000001"' in running.output
        assert f"{running.url}/handset" in running.output
        assert f"{running.url}/docs" in running.output
        assert "Ctrl-C" in running.output
        assert running.stop()[0] == 0
        assert running.errors == ""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_committed_before_the_end(
        tmp_path: Path, database_url: str, how: signal.Signals) -> None:
    with serve(tmp_path, database_url) as running:
        for number in range(20):
            post(running, str(number))
        code, took_s = running.stop(how)

    assert (code, drained(tmp_path)) == (0, [str(number) for number in range(20)])
    assert took_s < 8
    assert "Traceback" not in running.errors


def test_a_request_under_way_is_answered_and_no_new_one_is_taken(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as running:
        idle = connect(running, b"")
        half = connect(running, b"POST /accept HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12")
        slow = connect(running, b"GET /slow?1 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until_begun(tmp_path, "accept", "slow")
        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: refuses(running.port))
        half.sendall(b"34")
        assert read_all(half).startswith(b"HTTP/1.1 200")
        assert read_all(slow).startswith(b"HTTP/1.1 200")
        assert read_all(idle) == b""
        assert running.wait() == 0

    assert drained(tmp_path) == ["1234"]


def test_open_streams_and_requests_that_never_end_do_not_hold_it(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url, "--set", "drain_timeout_s=4") as running:
        streams = [connect(running, b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(5)]
        unread = connect(running, b"GET /slow?60 HTTP/1.1\r\nHost: x\r\n\r\n")
        for stream in streams:
            assert stream.recv(100).startswith(b"HTTP/1.1 200")
        code, took_s = running.stop()
        unread.close()

    assert code == 0
    assert took_s < 20
    assert "Traceback" not in running.errors
    assert drained(tmp_path) == []


def test_a_handler_that_blocks_the_process_does_not_hold_it(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url, "--set", "drain_timeout_s=1") as running:
        connect(running, b"GET /block?60 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until_begun(tmp_path, "block")
        code, took_s = running.stop()

    assert code == 1, "what was accepted could not be committed"
    assert took_s < 20


def test_a_drain_that_hangs_is_given_up(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url, "--set", "drain_timeout_s=1") as running:
        (tmp_path / "data" / "hang").touch()
        code, took_s = running.stop()

    assert code == 1
    assert took_s < 20
    assert "drain_incomplete" in running.errors


def test_a_second_signal_ends_it_at_once(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as running:
        (tmp_path / "data" / "hang").touch()
        running.process.send_signal(signal.SIGTERM)
        wait_until_begun(tmp_path, "drain")
        code, _ = running.stop(signal.SIGINT)

    assert code == 128 + signal.SIGINT, "it would be 0 after an orderly end, and 1 after one that was given up"


def test_a_background_service_that_fails_ends_it(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as running:
        post(running, "kept")
        (tmp_path / "data" / "fail").touch()
        assert running.wait() == 1

    assert "background_failed" in running.errors
    assert drained(tmp_path) == ["kept"]


def test_a_second_serve_on_the_same_data_directory_is_one_line(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as running:
        done = run_makola("serve", "--port", "0", cwd=tmp_path)
        post(running, "still here")

    assert_one_line(done, "data", f"process {running.process.pid}", "--data")


async def test_web_and_worker_run_on_a_migrated_database(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "data").mkdir()
    for command in ("web", "worker"):
        with makola(command, "--port", "0", cwd=tmp_path,
                    variables={"MAKOLA_DATABASE_URL": database_url}) as running:
            assert running.wait_until_ready().stop()[0] == 0
        assert drained(tmp_path) == []


def test_the_embedded_database_survives_kill_and_ends_with_its_process(own_directory: Path) -> None:
    arguments = ("serve", "--port", "0", "--no-demo")
    with makola(*arguments, cwd=own_directory) as running:
        running.wait_until_ready()
        running.stop(signal.SIGKILL)
        assert postmaster_runs(own_directory), "it is left behind, for the next start to find"
    with makola(*arguments, cwd=own_directory) as running:
        running.wait_until_ready()
        code, _ = running.stop()

    assert (code, running.errors) == (0, ""), "it would be 1 if it had not ended in time"
    assert not postmaster_runs(own_directory)


def test_a_signal_during_the_start_ends_it_in_order(own_directory: Path) -> None:
    EmbeddedPostgres(own_directory / "data" / "postgres").stop()  # to make one can take longer than an end may
    users = own_directory / "data" / "postgres.users"
    users.unlink()
    with makola("serve", "--port", "0", "--no-demo", cwd=own_directory) as running:
        wait_for(users.exists)
        code, _ = running.stop()

    assert (code, running.output, running.errors) == (0, "", "")
    assert not postmaster_runs(own_directory)


def test_it_stops_under_load_without_losing_what_it_answered(tmp_path: Path, database_url: str) -> None:
    answered: list[str] = []

    def send(running: Makola, name: str) -> None:
        for number in range(100_000):
            try:
                post(running, f"{name}-{number}")
            except OSError:
                return
            answered.append(f"{name}-{number}")

    with serve(tmp_path, database_url) as running:
        senders = [threading.Thread(target=send, args=(running, str(name))) for name in range(4)]
        for sender in senders:
            sender.start()
        wait_for(lambda: len(answered) > 100)
        assert running.stop()[0] == 0
        for sender in senders:
            sender.join()

    assert set(answered) <= set(drained(tmp_path))


def postmaster_runs(directory: Path) -> bool:
    found = subprocess.run(["pgrep", "-f", str(directory / "data" / "postgres")],
                           capture_output=True, check=False)
    return found.returncode == 0
