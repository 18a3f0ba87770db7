"""Where the server's socket is: in its cluster, unless that path is longer than the address of a socket may be."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from makola.kit.embedded_postgres.account import Identity, give
from makola.kit.embedded_postgres.errors import EmbeddedPostgresError

_NAME = ".s.PGSQL.5432"
_LONGEST_PATH = 103  # sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero


def socket_directory(cluster: Path) -> Path:
    """Return the directory of the socket of `cluster`."""
    if len(os.fsencode(cluster / _NAME)) <= _LONGEST_PATH:
        return cluster
    digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"makola-{os.geteuid()}-{digest}"


def prepare_socket_directory(cluster: Path, identity: Identity) -> None:
    """Make the directory if it is not the cluster, and remove the lock that a killed server left beside its socket.

    Args:
        cluster: whose.
        identity: as whom the server runs.

    Raises:
        EmbeddedPostgresError: somebody else was faster.
    """
    directory = socket_directory(cluster)
    (directory / f"{_NAME}.lock").unlink(missing_ok=True)  # guards nothing that the cluster's does not
    if directory == cluster:
        return
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        give(directory, identity)
    found = directory.lstat()  # the temporary directory is everybody's: somebody may have been faster
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != identity.get("user", os.geteuid()):
        raise EmbeddedPostgresError(f"{directory} belongs to somebody else; remove it or choose a data "
                                    "directory with a shorter path")
    directory.chmod(0o700)


def remove_socket_directory(cluster: Path) -> None:
    """Remove the directory that was made."""
    directory = socket_directory(cluster)
    if directory != cluster:
        with suppress(OSError):  # empty, unless the end was not an orderly one
            directory.rmdir()
