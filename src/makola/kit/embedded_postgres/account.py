"""Whose files these are: PostgreSQL refuses to run as root, so that root lends it an account of its own."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from makola.kit.embedded_postgres.errors import EmbeddedPostgresError, reason

_ACCOUNT = "makola-postgres"


class Identity(TypedDict, total=False):
    """As whom a program runs, in the words of `subprocess`; empty for whoever we are."""

    user: int
    group: int
    extra_groups: Sequence[int]


def choose_identity(directory: Path, programs: Path) -> Identity:
    """Return as whom the server runs: we are not root, or its cluster's owner, or an account of its own.

    Args:
        directory: the cluster, or where it will be; root lets the account pass through those above it.
        programs: PostgreSQL's, which root lets the account read.

    Raises:
        EmbeddedPostgresError: no account can be made.
    """
    if os.geteuid() != 0:
        return {}
    owner = directory.stat().st_uid if directory.exists() else 0
    account = pwd.getpwuid(owner) if owner else _own_account()
    _open_the_way(directory, programs)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def give(path: Path, identity: Identity) -> None:
    """Make `path` the server's own."""
    if identity:
        os.chown(path, identity["user"], identity["group"])


def _open_the_way(directory: Path, programs: Path) -> None:
    """Let the server's account pass through (not list) the directories above its programs and its files."""
    for place in (directory, programs):
        for parent in place.resolve().parents:
            _allow(parent, stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        package = programs.parents[1]
        for tree in (package, package.with_name(f"{package.name}.libs")):
            for path in (tree, *tree.rglob("*")):
                executable = path.is_dir() or path.parent == programs
                _allow(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))


def _own_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root and there is no `useradd` to make an account for it: run Makola as "
            "another user, or name a server of your own in database_url")
    made = subprocess.run(  # noqa: S603 - a fixed command
        [useradd, "--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", _ACCOUNT],
        capture_output=True, text=True, check=False)
    try:  # another process may have made it at the same moment
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root and `useradd {_ACCOUNT}` failed: {reason(made.stderr)}") from None


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        with suppress(PermissionError):
            path.chmod(stat.S_IMODE(mode) | bits)
