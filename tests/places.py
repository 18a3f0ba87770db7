"""Where tests keep databases: in memory if there is room, because to make one is to make a thousand files."""

import os
import shutil
from pathlib import Path

#: Names a directory of this run's own, which is removed at its end.
DIRECTORY = "MAKOLA_TEST_DIRECTORY"
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 * 1024**3


def is_memory_roomy() -> bool:
    """Say whether there is a file system in memory with room for what tests keep."""
    return _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES


def above() -> Path | None:
    """Return the directory in which a run makes its own; None for the system's temporary one."""
    return _MEMORY if is_memory_roomy() else None


def run_directory() -> Path:
    """Return the directory of this run."""
    return Path(os.environ[DIRECTORY])
