"""SQL for shipping types, the organisations' settings, and the keys of requests."""

from collections.abc import Sequence
from datetime import datetime

from makola.core.ordering.types import ShippingType
from makola.kit.database import Connection, Record

_SAVE_TYPES = """
INSERT INTO ordering.shipping_type (name, countries, exclude_countries)
SELECT t.name, (SELECT coalesce(array_agg(c::bigint), '{}') FROM unnest(string_to_array(t.countries, ',')) c),
       t.exclude_countries
FROM unnest($1::text[], $2::text[], $3::boolean[]) AS t (name, countries, exclude_countries)
ON CONFLICT ON CONSTRAINT shipping_type_name
DO UPDATE SET countries = excluded.countries, exclude_countries = excluded.exclude_countries
RETURNING id, name, countries, exclude_countries
"""

_SAVE_URL = """
INSERT INTO ordering.organisation_settings (organisation_id, callback_url, updated_at) VALUES ($1, $2, $3)
ON CONFLICT (organisation_id) DO UPDATE SET callback_url = excluded.callback_url, updated_at = excluded.updated_at
"""

_TYPES = "SELECT id, name, countries, exclude_countries FROM ordering.shipping_type"


async def save_types(connection: Connection, types: Sequence[ShippingType]) -> list[ShippingType]:
    """Add shipping types or change those of the same name."""
    rows = await connection.fetch(
        _SAVE_TYPES, [one.name for one in types], [",".join(map(str, one.countries)) for one in types],
        [one.exclude_countries for one in types])
    return [_type(row) for row in rows]


async def find_type(connection: Connection, shipping_type_id: int) -> ShippingType | None:
    """Return one shipping type; None when there is none."""
    row = await connection.fetchrow(f"{_TYPES} WHERE id = $1", shipping_type_id)
    return None if row is None else _type(row)


async def find_types(connection: Connection, skip: int, limit: int) -> tuple[list[ShippingType], int]:
    """Return a page of the shipping types by id, and how many there are in all."""
    rows = await connection.fetch(f"{_TYPES} ORDER BY id OFFSET $1 LIMIT $2", skip, limit)
    return [_type(row) for row in rows], int(await connection.fetchval("SELECT count(*) FROM ordering.shipping_type"))


async def save_callback_url(connection: Connection, organisation_id: int, url: str, at: datetime) -> None:
    """Store where an organisation wants to hear of its orders; empty for nowhere."""
    await connection.execute(_SAVE_URL, organisation_id, url, at)


async def find_callback_url(connection: Connection, organisation_id: int) -> str:
    """Return where an organisation wants to hear of its orders; empty for nowhere."""
    found = await connection.fetchval(
        "SELECT callback_url FROM ordering.organisation_settings WHERE organisation_id = $1", organisation_id)
    return str(found) if found is not None else ""


async def insert_key(connection: Connection, application_id: int, key: str, request_sha256: bytes,
                     at: datetime) -> bool:
    """Take a request's key; False when it is taken. Waits while another transaction is about to take it."""
    tag = await connection.execute(
        "INSERT INTO ordering.request_key (application_id, key, request_sha256, answer, created_at)"
        " VALUES ($1, $2, $3, '', $4) ON CONFLICT ON CONSTRAINT request_key_pkey DO NOTHING", application_id, key,
        request_sha256, at)
    return tag == "INSERT 0 1"


async def find_key(connection: Connection, application_id: int, key: str) -> tuple[bytes, bytes]:
    """Return the hash of the request that took a key, and what it was answered."""
    row = await connection.fetchrow(
        "SELECT request_sha256, answer FROM ordering.request_key WHERE application_id = $1 AND key = $2",
        application_id, key)
    return (row["request_sha256"], row["answer"]) if row is not None else (b"", b"")


async def save_answer(connection: Connection, application_id: int, key: str, answer: bytes) -> None:
    """Store what a request was answered."""
    await connection.execute("UPDATE ordering.request_key SET answer = $3 WHERE application_id = $1 AND key = $2",
                             application_id, key, answer)


async def insert_notice(connection: Connection, notice_id: str, at: datetime) -> bool:
    """Note that a notice has come; False when it had come before."""
    tag = await connection.execute(
        "INSERT INTO ordering.notice (notice_id, received_at) VALUES ($1, $2) ON CONFLICT (notice_id) DO NOTHING",
        notice_id, at)
    return tag == "INSERT 0 1"


async def forget(connection: Connection, before: datetime) -> None:
    """Forget the keys of requests, and the notices, that came before a moment."""
    await connection.execute("DELETE FROM ordering.request_key WHERE created_at < $1", before)
    await connection.execute("DELETE FROM ordering.notice WHERE received_at < $1", before)


def _type(row: Record) -> ShippingType:
    return ShippingType(row["id"], row["name"], tuple(row["countries"]), row["exclude_countries"])
