"""The virtual handsets: what the person who holds one, or the test that plays that person, can do."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from makola.connectors.sandbox import handset_store, store
from makola.connectors.sandbox.errors import (
    HandsetCannotSendError,
    HandsetExistsError,
    HandsetNotFoundError,
    InvalidInputError,
    TooManyHandsetsError,
)
from makola.connectors.sandbox.networks import NETWORKS, network_id_of, normalise_number, random_number
from makola.connectors.sandbox.store import Source
from makola.connectors.sandbox.types import (
    RECEIPT_STATUSES,
    REFUSALS,
    Handset,
    HandsetMessage,
    HandsetState,
    OperatorDefaults,
    OperatorStatus,
)
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database

HANDSETS_AT_MOST = 500
_NAME_LENGTH = 40
_CONTENT_LENGTH = 1_530  # ten segments of 153 septets, 3GPP TS 23.038
_DELAY_MS_AT_MOST = 3_600_000
_EXPIRY_S_AT_MOST = 7 * 86_400
_DESTINATION = re.compile(r"\+?[0-9]{3,15}\Z")
_ASCII = re.compile(r"[\x00-\x7f]*\Z")

_Value = TypeVar("_Value")


class Kept:
    """The type of `KEEP`."""


#: Says that a field stays as it is, where None means "nothing".
KEEP = Kept()


class Handsets:
    """Use cases of the virtual handsets and of the operator's own switches.

    Args:
        database: where the operator keeps its tables.
        defaults: how the operator behaves where nobody said otherwise.
    """

    def __init__(self, database: Database, defaults: OperatorDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or OperatorDefaults()

    async def all(self) -> Sequence[Handset]:
        """Return every handset, oldest first; there are at most `HANDSETS_AT_MOST`."""
        return await handset_store.fetch_handsets(self._database)

    async def get(self, number: str) -> Handset:
        """Return one handset.

        Raises:
            HandsetNotFoundError: there is none with this number.
        """
        return await self._found(self._database, _known(number))

    async def create(self, *, number: str | None = None, network_id: str | None = None,
                     name: str = "") -> Handset:
        """Add a handset, switched on.

        Args:
            number: international, or national (Ghana); None for a random one.
            network_id: its network; None for the one that the number belongs to.
            name: what people call it, at most 40 characters.

        Raises:
            InvalidInputError: no valid number, no such network, or too long a name.
            HandsetExistsError: there is one with this number.
            TooManyHandsetsError: there are `HANDSETS_AT_MOST`.
        """
        chosen_name = _checked_name(name)
        if network_id is not None and network_id not in NETWORKS:
            raise InvalidInputError(f"there is no network {network_id[:32]!r}; there are {', '.join(NETWORKS)}",
                                    field="network_id")
        chosen = normalise_number(number) if number else None
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            if await handset_store.count_handsets(connection) >= HANDSETS_AT_MOST:
                raise TooManyHandsetsError(f"there are {HANDSETS_AT_MOST} handsets; delete one first")
            while True:
                candidate = chosen or random_number(network_id or next(iter(NETWORKS)))
                network = network_id or network_id_of(candidate)
                if await handset_store.insert_handset(connection, candidate, network, chosen_name, now()):
                    break
                if chosen is not None:
                    raise HandsetExistsError(f"there is a handset {chosen} already", field="number")
            await store.bump_revision(connection)
            return await self._found(connection, candidate)

    async def change(self, number: str, *, name: str | Kept = KEEP, state: HandsetState | Kept = KEEP,
                     refusal: MessageStatus | Kept | None = KEEP,
                     receipt_status: MessageStatus | Kept | None = KEEP,
                     deferral: bool | Kept = KEEP) -> Handset:
        """Change a handset. What waited for it while it was off is dealt with at once when it is no longer off.

        Raises:
            HandsetNotFoundError: there is none with this number.
            InvalidInputError: too long a name, or a status that is not possible there.
        """
        _check_status(refusal, REFUSALS, "refusal")
        _check_status(receipt_status, RECEIPT_STATUSES, "receipt_status")
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            before = await self._found(connection, _known(number))
            after = replace(
                before, name=_checked_name(_kept(name, before.name)), state=_kept(state, before.state),
                refusal=_kept(refusal, before.refusal), deferral=_kept(deferral, before.deferral),
                receipt_status=_kept(receipt_status, before.receipt_status))
            if after != before:
                await handset_store.update_handset(
                    connection, after.number, name=after.name, state=after.state, refusal=after.refusal,
                    receipt_status=after.receipt_status, deferral=after.deferral)
                await store.bump_revision(connection)
            if before.state is HandsetState.OFF and after.state is not HandsetState.OFF:
                await store.release_buffered(connection, after.number, now())
        return after

    async def delete(self, number: str) -> None:
        """Remove a handset and its messages; what waits for it meets a number without a handset.

        Raises:
            HandsetNotFoundError: there is none with this number.
        """
        known = _known(number)
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            if not await handset_store.delete_handset(connection, known):
                raise HandsetNotFoundError(f"there is no handset {known}", field="number")
            await handset_store.clear_messages(connection, known)
            await store.release_buffered(connection, known, now())
            await store.bump_revision(connection)

    async def messages(self, number: str, *, after: int | None = None,
                       limit: int = 100) -> Sequence[HandsetMessage]:
        """Return messages of a number, listed or not, oldest first.

        Args:
            number: whose.
            after: those that follow this id; None for the newest ones.
            limit: how many at most.
        """
        known = _known(number)
        if after is None:
            return await handset_store.fetch_newest_messages(self._database, known, 0, limit)
        return await handset_store.fetch_messages_after(self._database, known, after, limit)

    async def clear(self, number: str) -> None:
        """Delete every message of a number, listed or not."""
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            await handset_store.clear_messages(connection, _known(number))
            await store.bump_revision(connection)

    async def send(self, number: str, *, recipient: str, content: str) -> HandsetMessage:
        """Send an SMS from a handset. It is on disk when this returns, and the core is told soon after.

        Args:
            number: of the handset.
            recipient: a telephone number or a short code, 3 to 15 digits.
            content: 1 to 1,530 characters.

        Raises:
            HandsetNotFoundError: there is none with this number.
            HandsetCannotSendError: it is off or not known to the network.
            InvalidInputError: a recipient or a content that is not possible.
        """
        if not _DESTINATION.match(recipient):
            raise InvalidInputError("a handset can send to 3 to 15 digits", field="to")
        if not 1 <= len(content) <= _CONTENT_LENGTH or "\x00" in content:
            raise InvalidInputError(f"the content must have 1 to {_CONTENT_LENGTH} characters", field="content")
        plain = bool(_ASCII.match(content))
        kind = MessageKind.TEXT if plain else MessageKind.UNICODE
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            handset = await self._found(connection, _known(number))
            if handset.state in {HandsetState.OFF, HandsetState.UNKNOWN}:
                raise HandsetCannotSendError(f"the handset cannot send: its state is {handset.state}")
            sent = await handset_store.insert_sent(connection, handset, recipient, content, kind=kind,
                                                   units=_segments(content, plain=plain), at=now())
            await store.wake_all(connection)
        return sent

    async def operator(self) -> OperatorStatus:
        """Return how the operator behaves now."""
        return await store.fetch_status(self._database, self._defaults)

    async def change_operator(self, *, available: bool | None = None, delivery_delay_ms: int | None = None,
                              buffer_expiry_s: int | None = None) -> OperatorStatus:
        """Change what is not None of how the operator behaves.

        Args:
            available: False takes its link down: every submission is deferred.
            delivery_delay_ms: from acceptance to the attempt to deliver, up to an hour.
            buffer_expiry_s: how long a message waits for a handset that is off, up to a week.

        Raises:
            InvalidInputError: a number out of its range.
        """
        _check_range(delivery_delay_ms, 0, _DELAY_MS_AT_MOST, "delivery_delay_ms")
        _check_range(buffer_expiry_s, 1, _EXPIRY_S_AT_MOST, "buffer_expiry_s")
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            await handset_store.update_operator(connection, available=available, buffer_expiry_s=buffer_expiry_s,
                                                delivery_delay_ms=delivery_delay_ms)
            await store.bump_revision(connection)
            return await store.fetch_status(connection, self._defaults)

    @staticmethod
    async def _found(source: Source, number: str) -> Handset:
        handset = await handset_store.fetch_handset(source, number)
        if handset is None:
            raise HandsetNotFoundError(f"there is no handset {number}", field="number")
        return handset


def _kept(value: _Value | Kept, before: _Value) -> _Value:
    return before if isinstance(value, Kept) else value


def _known(number: str) -> str:
    try:
        return normalise_number(number)
    except InvalidInputError as error:
        raise HandsetNotFoundError(error.detail, field="number") from error


def _checked_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if len(cleaned) > _NAME_LENGTH or not cleaned.isprintable():
        raise InvalidInputError(f"a name has at most {_NAME_LENGTH} printable characters", field="name")
    return cleaned


def _check_status(status: MessageStatus | Kept | None, allowed: frozenset[MessageStatus], field: str) -> None:
    if isinstance(status, MessageStatus) and status not in allowed:
        names = ", ".join(sorted(possible.name.lower() for possible in allowed))
        raise InvalidInputError(f"{status.name.lower()} is not possible here; possible are {names}", field=field)


def _check_range(number: int | None, least: int, most: int, field: str) -> None:
    if number is not None and not least <= number <= most:
        raise InvalidInputError(f"must be from {least} to {most}", field=field)


def _segments(content: str, *, plain: bool) -> int:
    single, each = (160, 153) if plain else (70, 67)
    length = len(content) if plain else len(content.encode("utf-16-be")) // 2
    return 1 if length <= single else -(-length // each)
