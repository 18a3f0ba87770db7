"""Service codes: what is dialled, what is assigned, and which assignment is meant. Pure."""

import re
from collections.abc import Iterator

#: What an assigned code looks like: `711` or `711*23`.
_CODE = re.compile(r"[0-9]{1,16}(?:\*[0-9]{1,16}){0,7}", re.ASCII)
#: What is dialled: it begins with one or two of asterisk and hash, and ends with a hash (3GPP TS 22.090).
_DIALLED = re.compile(r"[*#]{1,3}([0-9][^#]*?)#*", re.DOTALL)

LONGEST_DIALLED = 182


def is_code(text: str) -> bool:
    """Say whether a text can be assigned as a service code."""
    return _CODE.fullmatch(text) is not None


def normalised(text: str) -> str:
    """Return a code without the asterisk and hash around it: `*711*23#` is `711*23`."""
    return text.strip().lstrip("*#").rstrip("#*")


def parts_of(dialled: str) -> tuple[str, ...]:
    """Return the parts of what was dialled, the service code first; none where it is no USSD string."""
    match = _DIALLED.fullmatch(dialled.strip()) if len(dialled) <= LONGEST_DIALLED else None
    return tuple(match[1].split("*")) if match else ()


def candidates(dialled: str) -> Iterator[str]:
    """Yield the codes that a dialled string may belong to, the longest first."""
    parts = parts_of(dialled)
    for count in range(len(parts), 0, -1):
        yield "*".join(parts[:count])


def above(code: str) -> list[str]:
    """Return the codes that a code is a sub-code of, the longest first."""
    parts = code.split("*")
    return ["*".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
