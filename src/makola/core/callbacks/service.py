"""What can be done with callbacks."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from makola.core.callbacks import encoding, store
from makola.core.callbacks.errors import DeliveryNotFoundError
from makola.core.callbacks.types import NewCallback
from makola.kit.database import Connection, Database
from makola.kit.ids import new_id
from makola.kit.outgoing import MAXIMUM_URL_BYTES, InvalidUrlError, parse_url

#: The channel that is notified when there is something to send.
CHANNEL = "callbacks"


async def enqueue(connection: Connection, batch: Sequence[NewCallback]) -> list[UUID]:
    """Store callbacks to be made once the caller's transaction commits.

    One that cannot be sent (its URL is unusable, or was disabled by a 410 Gone) is stored as not sent, with
    the reason: it never makes the caller's transaction fail.

    Args:
        connection: inside the transaction that changes what the callbacks tell of.
        batch: any number of them; one statement in all.

    Returns:
        The ids, in the order of `batch`: each is the `webhook-id` that the receiver sees.
    """
    if not batch:
        return []
    rows = [_row(callback) for callback in batch]
    await store.insert(connection, rows)
    return [row.delivery_id for row in rows]


async def replay(database: Database, delivery_id: UUID, *, organisation_id: int | None) -> None:
    """Send a callback again, now, under the same id, whatever its state; new attempts follow the old ones.

    Also to a disabled endpoint: somebody asks for it.

    Args:
        database: where it is stored.
        delivery_id: which one.
        organisation_id: only this organisation's; any when None.

    Raises:
        DeliveryNotFoundError: there is none.
    """
    async with database.connection() as connection:
        if not await store.replay(connection, delivery_id, organisation_id):
            raise DeliveryNotFoundError("there is no such callback", field="delivery_id")


async def endpoint_saved(connection: Connection, organisation_id: int, url: str) -> None:
    """Send to `url` again although it once answered 410 Gone: its owner has just saved it.

    Args:
        connection: inside the transaction that saves the setting.
        organisation_id: the owner.
        url: as it is saved.
    """
    await store.enable(connection, organisation_id, url)


def _row(callback: NewCallback) -> store.NewRow:
    origin, refusal = _origin(callback.url)
    body = None
    if callback.method == "POST":
        body = encoding.encode_json(callback.parameters) if callback.body is None else callback.body
    return store.NewRow(
        delivery_id=new_id(), organisation_id=callback.organisation_id, application_id=callback.application_id,
        event=callback.event, subject_id=callback.subject_id, receiver=f"{callback.organisation_id} {origin}",
        method=callback.method, url=_storable(callback.url), query=encoding.encode_query(callback.parameters),
        body=body, content_type="" if body is None else callback.content_type, refusal=refusal)


@lru_cache(maxsize=4096)
def _origin(url: str) -> tuple[str, str]:
    """Return the origin of `url`, and why nothing can be sent there (empty when it can)."""
    if len(url.encode("utf-8", "replace")) > MAXIMUM_URL_BYTES:
        return "", f"the URL is longer than {MAXIMUM_URL_BYTES} bytes"
    try:
        return parse_url(url).origin, ""
    except InvalidUrlError as error:
        return "", f"the URL {error.detail}"


def _storable(url: str) -> str:
    """Return `url` as PostgreSQL can hold it, and no longer than an URL may be."""
    return url[:MAXIMUM_URL_BYTES].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
