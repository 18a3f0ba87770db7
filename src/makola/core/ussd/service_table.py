"""Every service in memory, read again every few seconds and when notified."""

from dataclasses import replace

from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.queries import find_active_chains
from makola.core.ussd import codes
from makola.core.ussd.store import services as store
from makola.core.ussd.types import Service
from makola.kit.database import Database

CHANNEL = store.CHANNEL


class ServiceTable:
    """Finds the service that a dialled string belongs to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_code: dict[str, Service] = {}
        self._by_id: dict[int, Service] = {}
        #: The organisation at the root of the tree: it sees the errors of codes that are nobody's.
        self.root_id: int | None = None

    async def refresh(self) -> bool:
        """Read the services again; always False, so that a background loop sleeps until the next time.

        The chain of a service whose owner, or a tier above it, is suspended is empty.
        """
        found = await store.fetch_all(self._database)
        async with self._database.connection() as connection:
            chains = await find_active_chains(connection, {service.organisation_id for service in found})
            platform = await find_platform_actor(connection)
        self.root_id = platform.organisation_id if platform is not None else None
        whole = [replace(service, chain=tuple(chains.get(service.organisation_id, ()))) for service in found]
        self._by_code = {service.code: service for service in whole}
        self._by_id = {service.service_id: service for service in whole}
        return False

    def match(self, dialled: str) -> Service | None:
        """Return the service with the longest code that `dialled` begins with; None when there is none."""
        by_code = self._by_code
        return next((by_code[code] for code in codes.candidates(dialled) if code in by_code), None)

    def get(self, service_id: int) -> Service | None:
        """Return one service; None when it was removed."""
        return self._by_id.get(service_id)
