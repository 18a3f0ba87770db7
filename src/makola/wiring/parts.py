"""What the pieces of one process share."""

from dataclasses import dataclass, field

from makola.api.common.credentials import Credentials
from makola.core.checkout.hints import Hints
from makola.core.ussd.service.breakdowns import note_breakdown
from makola.kit.background import Background
from makola.kit.database import Database, WakeUps
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from makola.kit.outgoing.direct import DirectHttp
from makola.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What every domain's wiring works with.

    Attributes:
        settings: of this installation.
        database: the pool of connections.
        wake_ups: what is notified between processes; a loop asks it for its channel's event.
        background: the loops of this process.
        credentials: who an API request acts for.
        outgoing: calls what customers name.
        outgoing_often: the same for callbacks and USSD applications, which are called thousands of times a second.
        outgoing_to_operator: calls what the operator's settings name, wherever it is.
        payment_hints: what payment providers announce, for the loop of this process that asks them.
    """

    settings: Settings
    database: Database
    wake_ups: WakeUps
    background: Background
    credentials: Credentials
    outgoing: OutgoingHttp
    outgoing_often: DirectHttp
    outgoing_to_operator: OutgoingHttp
    payment_hints: Hints = field(default_factory=Hints)

    async def close(self) -> None:
        """Close what is open, once the loops have ended."""
        await self.wake_ups.stop()
        await self.outgoing.close()
        await self.outgoing_often.close()
        await self.outgoing_to_operator.close()
        await self.database.close()


async def connect(settings: Settings) -> Parts:
    """Open what a process needs before anything runs.

    Args:
        settings: of this installation; `database_url` is set.

    Raises:
        DatabaseUnavailableError: the database cannot be reached.
    """
    if settings.database_url is None:
        raise ValueError("database_url must be set")
    return assemble(settings, await Database.connect(settings.database_url, max_size=settings.database_pool_size,
                                                     on_connect=note_breakdown))


def assemble(settings: Settings, database: Database) -> Parts:
    """Return the parts around an open database, of which nothing runs yet.

    Args:
        settings: of this installation.
        database: open and migrated.
    """
    customers = AddressPolicy(allow_private=settings.callback_allow_private)
    return Parts(settings, database, WakeUps(database.url), Background(),
                 Credentials(database, remember_s=settings.actor_cache_s),
                 OutgoingHttp(customers), DirectHttp(customers),
                 OutgoingHttp(AddressPolicy(allow_private=True)))
