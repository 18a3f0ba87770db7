"""The people who do not want to be written to: one list for each account, and the root's for the platform."""

from collections.abc import Collection, Sequence

from makola.kit.database import Connection

_FIND = "SELECT number, organisation_id FROM messaging.do_not_contact WHERE number = ANY($1::text[])"


async def add_to_list(connection: Connection, organisation_id: int, number: str, *, reason: str = "") -> None:
    """Put an E.164 number on an account's list."""
    await connection.execute(
        "INSERT INTO messaging.do_not_contact (organisation_id, number, reason) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING", organisation_id, number, reason)


async def remove_from_list(connection: Connection, organisation_id: int, number: str) -> None:
    """Take an E.164 number off an account's list."""
    await connection.execute(
        "DELETE FROM messaging.do_not_contact WHERE organisation_id = $1 AND number = $2", organisation_id, number)


class Listed:
    """Which of some numbers are on somebody's list."""

    def __init__(self, pairs: frozenset[tuple[str, int]]) -> None:
        self._pairs = pairs

    def forbids(self, number: str, chain: Sequence[int]) -> bool:
        """Say whether any tier of `chain`, the root included, has `number` on its list."""
        return bool(self._pairs) and any((number, organisation_id) in self._pairs for organisation_id in chain)


async def look_up(connection: Connection, numbers: Collection[str]) -> Listed:
    """Read the lists for all of `numbers` in one statement."""
    rows = await connection.fetch(_FIND, list(numbers))
    return Listed(frozenset((row["number"], row["organisation_id"]) for row in rows))
