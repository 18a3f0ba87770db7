"""The embedded PostgreSQL: shared, taken over, and started where that is not obvious."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from makola.database_start import database_url
from makola.kit.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from makola.settings import Given, load
from tests.places import run_directory

FAST = {"fsync": "off"}


def ask(server: EmbeddedPostgres, question: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(server.url())
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(run())


def postmaster_pid(directory: Path) -> int:
    return int((directory / "postmaster.pid").read_text().splitlines()[0])


def leave_running(directory: Path, settings: dict[str, str]) -> int:
    """Start the server in a process that is then killed; return the server's pid."""
    subprocess.run([sys.executable, "-c", f"""
import os, signal
from pathlib import Path
from makola.kit.embedded_postgres import EmbeddedPostgres
EmbeddedPostgres(Path({str(directory)!r}), {settings!r})
os.kill(os.getpid(), signal.SIGKILL)
"""], check=False, stderr=subprocess.DEVNULL)
    return postmaster_pid(directory)


def kill(pid: int) -> None:
    """Kill a process and wait until it is gone, or waits for a parent that does not look."""
    process = psutil.Process(pid)
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A directory with a cluster in it that nobody runs."""
    with tempfile.TemporaryDirectory(prefix="makola test ", dir=run_directory()) as directory:
        EmbeddedPostgres(Path(directory) / "postgres", FAST).stop()
        yield Path(directory) / "postgres"


@pytest.fixture(autouse=True)
def nothing_is_left_behind(cluster: Path) -> Iterator[None]:
    yield
    if (cluster / "postmaster.pid").exists():
        EmbeddedPostgres(cluster, FAST).stop()
        pytest.fail("the test left the server running")


def test_the_settings_are_in_force(cluster: Path) -> None:
    server = EmbeddedPostgres(cluster, {**FAST, "work_mem": "5MB"})
    try:
        for name, value in (("synchronous_commit", "on"), ("full_page_writes", "on"), ("fsync", "off"),
                            ("work_mem", "5MB"), ("max_connections", "200"), ("server_encoding", "UTF8"),
                            ("data_checksums", "on"), ("listen_addresses", "")):
            assert ask(server, f"SELECT current_setting('{name}')") == value
    finally:
        server.stop()


def test_the_last_user_stops_it(cluster: Path) -> None:
    one = EmbeddedPostgres(cluster, FAST)
    pid = postmaster_pid(cluster)
    two = EmbeddedPostgres(cluster, FAST)
    one.stop()
    one.stop()
    assert ask(two, "SELECT 1") == 1
    assert postmaster_pid(cluster) == pid
    two.stop()
    assert not (cluster / "postmaster.pid").exists()


def test_a_server_left_by_a_killed_process_is_used_and_stopped(cluster: Path) -> None:
    pid = leave_running(cluster, FAST)
    server = EmbeddedPostgres(cluster, FAST)
    assert postmaster_pid(cluster) == pid
    server.stop()
    assert not (cluster / "postmaster.pid").exists()


def test_a_server_left_with_other_settings_is_started_again(cluster: Path) -> None:
    pid = leave_running(cluster, {**FAST, "work_mem": "6MB"})
    server = EmbeddedPostgres(cluster, FAST)
    try:
        assert postmaster_pid(cluster) != pid
        assert ask(server, "SHOW work_mem") == "4MB"
    finally:
        server.stop()


def test_a_server_that_was_killed_recovers(cluster: Path) -> None:
    kill(leave_running(cluster, FAST))
    server = EmbeddedPostgres(cluster, FAST)
    assert ask(server, "SELECT 1") == 1
    server.stop()


def test_a_server_that_dies_while_it_is_used_is_revived(cluster: Path) -> None:
    server = EmbeddedPostgres(cluster, FAST)
    try:
        assert not server.revive()
        kill(postmaster_pid(cluster))
        assert server.revive()
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert not server.revive(), "what was stopped stays so"
    assert not (cluster / "postmaster.pid").exists()


def test_a_pid_that_has_passed_to_another_program_is_not_in_the_way(cluster: Path) -> None:
    kill(leave_running(cluster, FAST))
    file = cluster / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        file.write_text("\n".join([str(stranger.pid), *file.read_text().splitlines()[1:]]) + "\n")
        server = EmbeddedPostgres(cluster, FAST)
        try:
            assert ask(server, "SELECT 1") == 1
        finally:
            server.stop()
            assert stranger.poll() is None
            stranger.kill()


def test_an_interrupted_beginning_is_begun_again_and_a_long_path_is_no_obstacle(own_directory: Path) -> None:
    directory = own_directory / ("long" * 30) / "postgres"
    unfinished = directory.with_name("postgres.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "half").touch()

    server = EmbeddedPostgres(directory, FAST)
    socket_directory = Path(server.url().partition("?host=")[2])
    try:
        assert ask(server, "SELECT 1") == 1
        assert socket_directory != directory
        assert socket_directory.stat().st_mode & 0o077 == 0
        assert not unfinished.exists()
    finally:
        server.stop()
    assert not socket_directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends it an account")
def test_root_does_not_make_directories_readable(own_directory: Path) -> None:
    closed = own_directory / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres", FAST)
    server.stop()
    assert closed.stat().st_mode & 0o777 == 0o701
    assert (closed / "postgres").stat().st_mode & 0o777 == 0o700
    assert (closed / "postgres").stat().st_uid != 0


def test_a_server_that_does_not_start_says_why(cluster: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"did not start: .*no_such_setting"):
        EmbeddedPostgres(cluster, {"no_such_setting": "1"})


def test_what_takes_long_is_done_while_it_starts(own_directory: Path) -> None:
    settings = load([Given("data_directory", str(own_directory), "the test")], {}).settings
    ready = own_directory / "postgres" / "postmaster.pid"

    def meanwhile() -> None:
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert time.monotonic() < deadline, "it waits for us"
            time.sleep(0.01)

    with database_url(settings, meanwhile=meanwhile) as url:
        assert "/postgres?" in url
        pid = postmaster_pid(own_directory / "postgres")
    assert not psutil.pid_exists(pid)


def test_it_is_stopped_when_what_is_done_meanwhile_fails(own_directory: Path) -> None:
    settings = load([Given("data_directory", str(own_directory), "the test")], {}).settings

    def meanwhile() -> None:
        raise ImportError("makola.app")

    with pytest.raises(ImportError), database_url(settings, meanwhile=meanwhile):
        pass
    assert (own_directory / "postgres" / "PG_VERSION").exists()
    assert not (own_directory / "postgres" / "postmaster.pid").exists()
