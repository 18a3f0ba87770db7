"""Record what a connector answered: states, charges, the operator's ids, and reports, in one transaction."""

from collections.abc import Sequence
from datetime import timedelta

from makola.core.billing.types import SMS
from makola.core.ledger import service as ledger
from makola.core.messaging import receipt_store, store
from makola.core.messaging.ports import Deferred, Refused, SubmitOutcome, Taken
from makola.core.messaging.reports import Reports
from makola.core.messaging.service.receipts import match_parked
from makola.core.messaging.store import Outcome
from makola.core.messaging.types import MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database


async def record(database: Database, reports: Reports, connector: str, outcomes: Sequence[SubmitOutcome]) -> None:
    """Record one batch. The charge is posted when the operator took the message, and given back when it refused."""
    if not outcomes:
        return
    at = now()
    taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    deferred = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
    rows = [Outcome(o.message_id, MessageStatus.SENT, None, void=False, detail="") for o in taken]
    rows += [Outcome(o.message_id, o.status, None, void=True, detail=o.detail) for o in refused]
    rows += [Outcome(o.message_id, MessageStatus.BUFFERED_LOCALLY, at + timedelta(seconds=o.retry_after_s), void=False,
                     detail=o.detail) for o in deferred]
    async with database.transaction() as connection:
        changed = await store.record_outcomes(connection, rows, at)
        await receipt_store.insert_submissions(connection, connector, taken)
        ended = {o.message_id: o.status for o in refused if o.message_id in changed}
        await ledger.settle(connection, kind=SMS, post=[o.message_id for o in taken], void=list(ended))
        if ended:
            messages = await store.find_messages(connection, list(ended))
            await reports.write(connection, [(message, ended[message.message_id]) for message in messages])
    await match_parked(database, reports, connector, [provider_id for o in taken for provider_id in o.provider_ids])
