"""Which connector a network's messages go to, and what the platform does not carry; kept in memory."""

from dataclasses import dataclass

from makola.kit.database import Connection, Database

CHANNEL = "messaging_routes"


@dataclass(frozen=True, slots=True)
class _Tables:
    routes: dict[str, str]
    blocked_phrases: tuple[str, ...]


class RoutingTable:
    """The platform's routes and blocked phrases, read again every few seconds and when notified."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = _Tables({}, ())

    async def refresh(self) -> bool:
        """Read the tables again; always False, so that a background loop sleeps until the next time."""
        routes = await self._database.fetch("SELECT network_id, connector FROM messaging.route")
        phrases = await self._database.fetch("SELECT phrase FROM messaging.blocked_phrase ORDER BY phrase")
        self._tables = _Tables({row["network_id"]: row["connector"] for row in routes},
                               tuple(row["phrase"].casefold() for row in phrases))
        return False

    def connector_for(self, network_id: str) -> str | None:
        """Return the connector of the most exact route: MCC+MNC, then MCC, then `*`; None when there is none."""
        routes = self._tables.routes
        return routes.get(network_id) or routes.get(network_id[:3]) or routes.get("*")

    def blocked_phrase_in(self, content: str) -> str | None:
        """Return a phrase of `content` that the platform does not carry; None when there is none."""
        phrases = self._tables.blocked_phrases
        if not phrases:
            return None
        folded = content.casefold()
        return next((phrase for phrase in phrases if phrase in folded), None)


async def set_route(connection: Connection, network_id: str, connector: str) -> None:
    """Send a network's messages (MCC+MNC, an MCC, or `*`) to `connector`."""
    await connection.execute(
        "INSERT INTO messaging.route (network_id, connector) VALUES ($1, $2)"
        " ON CONFLICT (network_id) DO UPDATE SET connector = excluded.connector, updated_at = now()",
        network_id, connector)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def remove_route(connection: Connection, network_id: str) -> None:
    """Forget the route of a network."""
    await connection.execute("DELETE FROM messaging.route WHERE network_id = $1", network_id)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def block_phrase(connection: Connection, phrase: str) -> None:
    """Refuse messages that contain `phrase`, whatever its case."""
    await connection.execute("INSERT INTO messaging.blocked_phrase (phrase) VALUES ($1) ON CONFLICT DO NOTHING", phrase)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def unblock_phrase(connection: Connection, phrase: str) -> None:
    """Carry messages that contain `phrase` again."""
    await connection.execute("DELETE FROM messaging.blocked_phrase WHERE phrase = $1", phrase)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
