"""The services' SQL. Whoever changes one notifies `CHANNEL`."""

from collections.abc import Sequence

from makola.core.ussd.types import LongText, Service
from makola.kit.database import Connection, Database, Record

#: Notified when a service was added, changed or removed.
CHANNEL = "ussd_services"

_COLUMNS = "id, code, organisation_id, name, url, fulfilment_url, operators, long_text, resume_s, secret, enabled"

_INSERT = """
INSERT INTO ussd.service (code, organisation_id, name, url, fulfilment_url, operators, long_text, resume_s, secret,
                          enabled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT service_code DO NOTHING
RETURNING id
"""

_UPDATE = """
UPDATE ussd.service SET organisation_id = $2, name = $3, url = $4, fulfilment_url = $5, operators = $6, long_text = $7,
       resume_s = $8, secret = $9, enabled = $10, updated_at = now()
WHERE id = $1
"""

_NOTIFY = "SELECT pg_notify($1, '')"


def service_of(row: Record) -> Service:
    """Build a `Service` from a row of its table."""
    return Service(row["id"], row["code"], row["organisation_id"], row["name"], row["url"], row["fulfilment_url"],
                   tuple(row["operators"]), LongText(row["long_text"]), row["resume_s"], row["secret"], row["enabled"])


async def fetch_all(database: Database | Connection) -> list[Service]:
    """Return every service by its code."""
    rows = await database.fetch(f"SELECT {_COLUMNS} FROM ussd.service ORDER BY code")  # noqa: S608 - own column names
    return [service_of(row) for row in rows]


async def fetch(connection: Connection, service_id: int, *, lock: bool = False) -> Service | None:
    """Return one service; locked until the transaction ends where it is to be changed."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM ussd.service WHERE id = $1{' FOR UPDATE' if lock else ''}",  # noqa: S608 - own text
        service_id)
    return None if row is None else service_of(row)


async def fetch_by_codes(connection: Connection, codes: list[str]) -> list[Service]:
    """Return the services that have these codes, the longest code first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM ussd.service WHERE code = ANY($1::text[]) ORDER BY length(code) DESC",  # noqa: S608 - own text
        codes)
    return [service_of(row) for row in rows]


async def fetch_visible(connection: Connection, organisation_ids: Sequence[int] | None) -> list[Service]:
    """Return the services of organisations and of those below them, by code; all of them for None."""
    chains = "SELECT id FROM organisations.organisation WHERE chain && $1::bigint[]"
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM ussd.service"  # noqa: S608 - own text
        f" WHERE $1::bigint[] IS NULL OR organisation_id IN ({chains}) ORDER BY code",
        None if organisation_ids is None else list(organisation_ids))
    return [service_of(row) for row in rows]


async def insert(connection: Connection, service: Service) -> int | None:
    """Store a new service; return its id, or None when its code is taken."""
    service_id: int | None = await connection.fetchval(
        _INSERT, service.code, service.organisation_id, service.name, service.url, service.fulfilment_url,
        list(service.operators), service.long_text.value, service.resume_s, service.secret, service.enabled)
    await connection.execute(_NOTIFY, CHANNEL)
    return service_id


async def update(connection: Connection, service: Service) -> None:
    """Store a changed service; its code stays."""
    await connection.execute(
        _UPDATE, service.service_id, service.organisation_id, service.name, service.url, service.fulfilment_url,
        list(service.operators), service.long_text.value, service.resume_s, service.secret, service.enabled)
    await connection.execute(_NOTIFY, CHANNEL)


async def delete(connection: Connection, service_id: int) -> None:
    """Remove a service; its sessions stay in the log."""
    await connection.execute("DELETE FROM ussd.service WHERE id = $1", service_id)
    await connection.execute(_NOTIFY, CHANNEL)
