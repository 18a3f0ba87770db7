"""Names that are in a JSON object twice: readers differ in which of the values counts (RFC 8259 section 4)."""

import json
from collections.abc import Sequence, Sized


class _RepeatedError(Exception):
    """A name is there twice."""


def repeated_name(raw: bytes, outermost: Sized | None = None) -> str | None:
    """Return the first name that an object in `raw` has twice; None where there is none.

    It reads the text a second time (some 10 microseconds for each kilobyte), if need be.

    Args:
        raw: JSON that has been read before, and is valid.
        outermost: the object that it is, if it is one: often its names show that there is no need.

    Raises:
        RecursionError: its arrays and objects are too deep in each other.
    """
    if outermost is not None and raw.count(b":") == len(outermost):
        return None  # every name has a colon after it, so none is left for a second one
    try:
        json.loads(raw, object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
    except _RepeatedError as error:
        return str(error)
    return None


def _refuse_repeated(pairs: Sequence[tuple[str, object]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RepeatedError(name)
            seen.add(name)
