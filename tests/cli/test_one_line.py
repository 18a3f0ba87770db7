"""What a person can put right is said in one line, with exit code 2 and never a traceback."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import pytest

from makola import migrations
from makola.kit import database
from tests.cli.conftest import RunHere
from tests.cli.processes import assert_one_line


def test_a_taken_port(tmp_path: Path, run_here: RunHere) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_here("serve", "--port", port)

    assert_one_line(done, f"cannot listen on port {port} of 127.0.0.1: Address already in use", "--port")
    assert not (tmp_path / "data" / "postgres").exists(), "the port is claimed before the database is started"


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours(run_here: RunHere, host: str) -> None:
    assert_one_line(run_here("serve", "--host", host), host)


def test_a_data_directory_that_cannot_be_made(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "file").touch()
    assert_one_line(run_here("serve", "--data", "file/data"), "data directory file/data")


@pytest.mark.parametrize("command", ["serve", "web", "worker", "migrate"])
def test_a_database_that_is_down(run_here: RunHere, command: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://makola:secret@127.0.0.1:{unused.getsockname()[1]}/makola"
        done = run_here(command, "--port", "0", variables={"MAKOLA_DATABASE_URL": url})

    assert_one_line(done, "cannot connect to the database")
    assert "secret" not in done.errors


def test_a_database_that_does_not_exist(run_here: RunHere, server_url: str) -> None:
    url = server_url.replace("/postgres?", "/nothing_here?")
    assert_one_line(run_here("migrate", variables={"MAKOLA_DATABASE_URL": url}), "nothing_here")


@pytest.mark.parametrize("command", ["serve", "web", "worker", "migrate"])
def test_a_database_that_is_too_old(run_here: RunHere, bare_database_url: str, command: str,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MINIMUM_SERVER_VERSION", 990000)
    monkeypatch.setattr(database, "MINIMUM_SERVER_NAME", "99")
    done = run_here(command, "--port", "0", variables={"MAKOLA_DATABASE_URL": bare_database_url})

    assert_one_line(done, "the database is PostgreSQL 18; Makola needs 99 or newer")


def test_a_database_at_another_revision(run_here: RunHere, bare_database_url: str) -> None:
    named = {"MAKOLA_DATABASE_URL": bare_database_url}
    for command in ("web", "worker"):
        assert_one_line(run_here(command, "--port", "0", variables=named), "run `makola migrate`")

    migrated = run_here("migrate", variables=named)
    assert (migrated.code, migrated.output) == (0, f"The database is at revision {migrations.head()}.\n")

    async def pretend() -> None:
        connection = await asyncpg.connect(bare_database_url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    asyncio.run(pretend())
    assert_one_line(run_here("web", "--port", "0", variables=named), "revision 9999")
    assert_one_line(run_here("serve", "--port", "0", variables=named), "newer Makola", "9999")


def test_a_data_directory_of_another_postgresql(tmp_path: Path, run_here: RunHere) -> None:
    cluster = tmp_path / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    assert_one_line(run_here("serve", "--port", "0"), "PostgreSQL 16")


def test_a_data_directory_with_other_things_in_it(tmp_path: Path, run_here: RunHere) -> None:
    cluster = tmp_path / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "thesis.txt").touch()
    assert_one_line(run_here("serve", "--port", "0"), "neither empty nor a PostgreSQL cluster")


def test_wrong_settings(run_here: RunHere) -> None:
    assert_one_line(run_here("settings", "--port", "x"),
                    "setting port (option --port): expected a whole number")
    assert_one_line(run_here("serve", "--set", "prot=1"), "there is no setting 'prot'")
    assert_one_line(run_here("serve", "--set", "port"), "expected NAME=VALUE")
    assert_one_line(run_here("serve", "--config", "no.toml"), "no.toml")
