"""Idempotency: the same request twice is done once and answered alike."""

import hashlib

from makola.core.ordering.errors import InvalidContentError, RequestKeyReusedError
from makola.core.ordering.store import settings
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection

_MOST_CHARACTERS = 255


async def recall(connection: Connection, actor: Actor, key: str, request: bytes) -> bytes | None:
    """Take a request's key, or return what the request was answered when it came before.

    A request that comes while the first one is under way waits for it. A refused request leaves its key free.

    Args:
        connection: the transaction that does what is requested.
        actor: whose program sends it: each program has keys of its own.
        key: what the sender named the request.
        request: what is asked for, wherever it comes from.

    Raises:
        RequestKeyReusedError: the key came with another request.
        InvalidContentError: the key is too long.
    """
    if len(key) > _MOST_CHARACTERS:
        raise InvalidContentError([("Idempotency-Key", f"must have at most {_MOST_CHARACTERS} characters")])
    digest = hashlib.sha256(request).digest()
    if await settings.insert_key(connection, actor.application_id, key, digest, now()):
        return None
    known_digest, answer = await settings.find_key(connection, actor.application_id, key)
    if known_digest != digest:
        raise RequestKeyReusedError("This idempotency key came with another request before.", field="Idempotency-Key")
    return answer


async def remember(connection: Connection, actor: Actor, key: str, answer: bytes) -> None:
    """Store what a request was answered, in the transaction that took its key."""
    await settings.save_answer(connection, actor.application_id, key, answer)
