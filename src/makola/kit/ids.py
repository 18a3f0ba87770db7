"""Identifiers: random UUIDs, written as 32 hex digits without dashes."""

import os
import re
from uuid import UUID

_HEX = re.compile(r"[0-9a-fA-F]{32}\Z")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def new_id() -> UUID:
    """Return a random (version 4) UUID, RFC 9562 section 5.4."""
    number = int.from_bytes(os.urandom(16))
    number = number & ~(0xF000 << 64) | (4 << 76)
    number = number & ~(0xC000 << 48) | (0x8000 << 48)
    return UUID(int=number)


def parse_id(text: str) -> UUID | None:
    """Read a UUID written with or without dashes; None for anything else."""
    if _HEX.match(text) or _DASHED.match(text):
        return UUID(text)
    return None
