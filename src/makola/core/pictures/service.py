"""What may be done with pictures: ask for a copy, look whether there is one, serve it."""

from collections.abc import Collection, Mapping

from makola.core.pictures.types import Picture, PictureState
from makola.kit.database import Connection, Database
from makola.kit.secret_texts import sha256_of

#: Notified when a picture is wanted.
CHANNEL = "pictures"

# A picture that has failed is tried again when somebody saves its URL again.
_WANT = """
INSERT INTO pictures.picture (id, url) SELECT * FROM unnest($1::bytea[], $2::text[])
ON CONFLICT (id) DO UPDATE SET state = 'wanted', due_at = now(), tries = 0, asked_at = now()
WHERE pictures.picture.state = 'failed'
"""

_KEY_CHARACTERS = 64


def key_of(url: str) -> str:
    """Return the key of the copy of what is at `url`: its SHA-256 in hex, so that nobody lists them."""
    return _id_of(url).hex()


async def want(connection: Connection, urls: Collection[str]) -> None:
    """Ask for copies of pictures; those that are there already stay.

    Args:
        connection: the transaction that saves the URLs; they were checked with `kit.outgoing.urls.check_url`.
        urls: where the pictures are; any number, also none.
    """
    distinct = sorted(set(urls))
    if not distinct:
        return
    await connection.execute(_WANT, [_id_of(url) for url in distinct], distinct)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def find_pictures(database: Database | Connection, urls: Collection[str]) -> Mapping[str, Picture]:
    """Return what is known of pictures, by URL; one that nobody asked for is not among them."""
    ids = [_id_of(url) for url in set(urls) if url]
    if not ids:
        return {}
    rows = await database.fetch(
        "SELECT url, state, width, height, detail, asked_at < now() - interval '1 day' AS stale FROM pictures.picture"
        " WHERE id = ANY($1::bytea[])", ids)
    if any(row["stale"] for row in rows):
        await database.execute("UPDATE pictures.picture SET asked_at = now()"
                               " WHERE id = ANY($1::bytea[]) AND asked_at < now() - interval '1 day'", ids)
    return {row["url"]: Picture(key_of(row["url"]), row["url"], PictureState(row["state"]), row["width"],
                                row["height"], row["detail"]) for row in rows}


async def read_copy(database: Database, key: str) -> bytes | None:
    """Return a copy as PNG; None where there is none."""
    try:
        picture_id = bytes.fromhex(key) if len(key) == _KEY_CHARACTERS else b""
    except ValueError:
        return None
    content: bytes | None = await database.fetchval("SELECT content FROM pictures.picture WHERE id = $1", picture_id)
    return content


def _id_of(url: str) -> bytes:
    return sha256_of(url)
