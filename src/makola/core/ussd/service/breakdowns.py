"""Breakdowns of the database (docs/decisions/0007-one-flush-a-step.md)."""

from makola.core.ussd.store import reading
from makola.kit.database import Connection


async def note_breakdown(connection: Connection) -> None:
    """Mark that the database has broken down, where it has; for every new connection, before anything else runs on it.

    A breakdown ends all connections, so whatever is recorded after it is later than its mark: such sessions go on in
    any process.
    """
    await reading.note_breakdown(connection)
