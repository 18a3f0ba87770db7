"""The style sheets and scripts, kept in memory under an address that changes when any of them changes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_MEDIA_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    content: bytes
    media_type: str


class StaticFiles:
    """Every file below the package's `static` folder.

    Scripts import one another by relative path, so all of them share one version: the hash of everything.
    """

    def __init__(self) -> None:
        self._files = dict(_walk(files("makola.web") / "static", ""))
        digest = hashlib.sha256()
        for path, file in sorted(self._files.items()):
            digest.update(path.encode() + b"\0" + hashlib.sha256(file.content).digest())
        self.version = digest.hexdigest()[:16]

    def address(self, path: str) -> str:
        """Return the address of a file.

        Raises:
            KeyError: there is no such file.
        """
        if path not in self._files:
            raise KeyError(path)
        return f"/static/{self.version}/{path}"

    def find(self, path: str) -> StaticFile | None:
        """Return a file by its path below the folder."""
        return self._files.get(path)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, StaticFile]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif (media_type := _MEDIA_TYPES.get(entry.name.rpartition(".")[2])) is not None:
            yield prefix + entry.name, StaticFile(entry.read_bytes(), media_type)
