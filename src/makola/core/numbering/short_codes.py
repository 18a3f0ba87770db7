"""The numbers on which organisations receive messages."""

from collections.abc import Collection

from makola.kit.database import Connection


async def assign_short_code(connection: Connection, number: str, organisation_id: int) -> None:
    """Give a number to an organisation: what subscribers send to it is that organisation's."""
    await connection.execute(
        "INSERT INTO numbering.short_code (number, organisation_id) VALUES ($1, $2)"
        " ON CONFLICT (number) DO UPDATE SET organisation_id = excluded.organisation_id", number, organisation_id)


async def find_owners(connection: Connection, numbers: Collection[str]) -> dict[str, int]:
    """Return the organisations that have `numbers`."""
    rows = await connection.fetch(
        "SELECT number, organisation_id FROM numbering.short_code WHERE number = ANY($1::text[])", list(numbers))
    return {row["number"]: row["organisation_id"] for row in rows}
