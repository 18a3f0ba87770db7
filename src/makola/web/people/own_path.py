"""Where a browser may be sent after signing in: to paths of our own, nowhere else."""

import re
from urllib.parse import unquote, urlsplit

HOME = "/"
_MOST_CHARACTERS = 8192
#: Printable ASCII without what browsers drop, or read as a slash.
_HARMLESS = re.compile(r"/[!-\[\]-~]*\Z")
#: Ending at these would be a circle.
_NOT_THESE = frozenset({"/sign-in", "/sign-out"})


def own_path(given: str) -> str:
    """Return a path of ours with its query as it was given; `/` for anything else.

    What a browser, a proxy or a framework might read as another site's address is refused in every spelling: two
    slashes, backslashes, control characters, and these encoded, however often.
    """
    if len(given) > _MOST_CHARACTERS or not _HARMLESS.match(given):
        return HOME
    try:
        parts = urlsplit(given)
    except ValueError:
        return HOME
    path = given.partition("#")[0].partition("?")[0]  # as it stands: the parser takes three slashes for one
    if parts.scheme or parts.netloc or not _is_plain(path) or path.rstrip("/") in _NOT_THESE:
        return HOME
    return given


def _is_plain(path: str) -> bool:
    before = None
    while path != before:
        if "//" in path or "\\" in path or any(character < " " for character in path):
            return False
        before, path = path, unquote(path)
    return True
