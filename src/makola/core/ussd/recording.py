"""Group commit of steps: whatever waits is stored together, committed once, and then answered.

There are lanes, so that what is cheap never waits for what is not: steps that cost nothing, steps that move money or
end a session, steps that nobody can pay for, and outcomes.
"""

from collections.abc import Mapping, Sequence

import structlog
from msgspec.structs import replace

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import InsufficientFundsError
from makola.core.ussd import cover
from makola.core.ussd.lane import FAILURES, Lane
from makola.core.ussd.store import writing
from makola.core.ussd.store.rows import Intent, Outcome, Stored
from makola.core.ussd.types import ErrorCode
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import Connection, Database

_log = structlog.get_logger(__name__)

UNPAID = "An account on the chain of tiers has no credit left."


class Recorder:
    """Stores steps before the application is asked, and what became of them after.

    Args:
        database: where to.
        wording: what a subscriber reads when there is no credit.
    """

    def __init__(self, database: Database, wording: Wording) -> None:
        self._wording = wording
        self._free = Lane("ussd-steps", database, _store, failed=Stored.FAILED)
        self._heavy = Lane("ussd-paid-steps", database, self._store_heavy, failed=Stored.FAILED)
        self._unpaid = Lane("ussd-unpaid-steps", database, self._store_unpaid, failed=Stored.FAILED)
        self._short: frozenset[int] = frozenset()
        self._outcomes = Lane("ussd-outcomes", database, _store_outcomes, failed=False)

    async def intend(self, intent: Intent) -> Stored:
        """Store a step that is about to happen."""
        if not intent.legs and intent.end_reason is None:
            return await self._free.put(intent)
        stored = await self._heavy.put(intent)
        return await self._unpaid.put(intent) if stored is Stored.NO_CREDIT else stored

    async def conclude(self, outcome: Outcome) -> bool:
        """Store what became of a step; False when that is not known to be on disk."""
        return await self._outcomes.put(outcome)

    async def drain(self) -> None:
        """Wait until everything is stored."""
        for lane in (self._free, self._heavy, self._unpaid, self._outcomes):
            await lane.drain()

    async def _store_heavy(self, connection: Connection, batch: Sequence[Intent]) -> list[Stored]:
        """Store what can be paid for; of the rest nothing is stored (NO_CREDIT): that is the unpaid lane's work."""
        if not self._short or self._short.isdisjoint(cover.debited(batch)):
            try:
                return await _store(connection, batch)
            except InsufficientFundsError:
                pass
        results: dict[int, Stored] = {}
        waiting = dict(enumerate(batch))
        while waiting:
            try:
                results |= await self._store_covered(connection, waiting)
            except FAILURES as error:
                if Stored.DONE not in results.values():
                    raise  # all of it may be tried again
                _log.error("ussd_record_failed", lane="ussd-paid-steps", kind=type(error).__name__)
                results |= dict.fromkeys(waiting, Stored.FAILED)
            waiting = {place: intent for place, intent in waiting.items() if place not in results}
        return [results[place] for place in range(len(batch))]

    async def _store_covered(self, connection: Connection, waiting: Mapping[int, Intent]) -> dict[int, Stored]:
        """Store together what the accounts can pay for now; return what became of that, and of what none can pay for.

        What is in neither waits for what is stored now: it is looked at again after that. The first is never.
        """
        available = await ledger.available_in(connection, cover.debited(waiting.values()))
        covered, unpaid, short = cover.sort_out(waiting, available)
        self._short = (self._short - available.keys()) | short
        results = dict.fromkeys(unpaid, Stored.NO_CREDIT)
        batch = [waiting[place] for place in covered]
        try:
            stored = await _store(connection, batch) if batch else []
        except InsufficientFundsError:  # somebody else was faster
            stored = [await _store_one(connection, intent) for intent in batch]
        return results | dict(zip(covered, stored, strict=True))

    async def _store_unpaid(self, connection: Connection, batch: Sequence[Intent]) -> list[Stored]:
        async with connection.transaction():
            stored = await _store(connection, [replace(intent, legs=()) for intent in batch])
            unpaid = [intent for intent, of_it in zip(batch, stored, strict=True) if of_it is Stored.DONE]
            if unpaid:
                await writing.end_unpaid(connection, unpaid, now(), screen=self._wording.text(ErrorCode.NOCR),
                                         cause=UNPAID)
        return [Stored.NO_CREDIT if of_it is Stored.DONE else of_it for of_it in stored]


async def _store_one(connection: Connection, intent: Intent) -> Stored:
    try:
        return (await _store(connection, [intent]))[0]
    except InsufficientFundsError:
        return Stored.NO_CREDIT
    except FAILURES as error:  # others of its batch are stored, and must not be tried again
        _log.error("ussd_record_failed", lane="ussd-paid-steps", kind=type(error).__name__)
        return Stored.FAILED


async def _store(connection: Connection, batch: Sequence[Intent]) -> list[Stored]:
    # Of two steps of one session at once, the one that came first counts.
    first = {intent.session_id: intent for intent in reversed(batch)}
    # In one order everywhere: two processes that store the same sessions do not wait for each other.
    stored = await writing.insert_intents(connection, sorted(first.values(), key=_place))
    return [Stored.DONE if intent.session_id in stored and first[intent.session_id] is intent else Stored.CONFLICT
            for intent in batch]


def _place(intent: Intent) -> tuple[str, str]:
    return (intent.opening.connector, intent.opening.operator_session_id) if intent.opening else ("", "")


async def _store_outcomes(connection: Connection, batch: Sequence[Outcome]) -> list[bool]:
    answered = await writing.store_outcomes(connection, batch)
    return [(outcome.session_id, outcome.position) in answered for outcome in batch]
