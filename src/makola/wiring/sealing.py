"""The key that encrypts secrets in the database."""

from functools import cache
from pathlib import Path

from makola.kit.sealing import Sealer, SealingError, key_from_file, read_key
from makola.settings import Settings

_FILE = "sealing.key"


def sealer(settings: Settings) -> Sealer:
    """Return what encrypts with the installation's key; a key is made in the data directory where there is none.

    Raises:
        SealingError: the setting or the file holds no key, or there can be no file.
    """
    return _sealer(settings.sealing_key, settings.data_directory)


@cache
def _sealer(key: str, directory: Path) -> Sealer:
    if key:
        return Sealer(read_key(key))
    try:
        return Sealer(key_from_file(directory / _FILE))
    except OSError as error:
        raise SealingError(f"the key in {directory / _FILE} can be neither read nor made ({error.strerror});"
                           " set sealing_key") from error
