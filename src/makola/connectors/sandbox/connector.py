"""The virtual operator as the core sees it: a connector that takes messages."""

from collections.abc import Sequence

import structlog

from makola.connectors.sandbox import store
from makola.connectors.sandbox.types import OperatorDefaults
from makola.core.messaging.ports import Deferred, OnUnknown, OutgoingMessage, Refused, SubmitOutcome, Taken
from makola.core.messaging.types import MessageStatus
from makola.kit.clock import now
from makola.kit.database import OUTAGE, Database

_RETRY_AFTER_S = 1.0
#: A concatenated message has at most 255 segments (3GPP TS 23.040 section 9.2.3.24.1).
_IDS_PER_SUBMISSION = 256

_log = structlog.get_logger(__name__)


def provider_ids(submission_id: int, units: int) -> tuple[str, ...]:
    """Return the operator's id of each segment of a submission, in decimal digits."""
    first = submission_id * _IDS_PER_SUBMISSION
    return tuple(str(first + segment) for segment in range(units))


class SandboxConnector:
    """Submits to the virtual operator. A message taken is on disk; a repeat gets its first answer again.

    Args:
        database: where the operator keeps its tables.
        defaults: how the operator behaves where nobody said otherwise.
        name: what routes call this connector.
    """

    def __init__(self, database: Database, defaults: OperatorDefaults | None = None, *,
                 name: str = "sandbox") -> None:
        self._database = database
        self._defaults = defaults or OperatorDefaults()
        self._name = name

    @property
    def name(self) -> str:
        """The name that routes use."""
        return self._name

    @property
    def on_unknown(self) -> OnUnknown:
        """Repeats are recognised by the message's id, so what is in doubt may be sent again."""
        return OnUnknown.RESEND

    async def submit(self, batch: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
        """Hand `batch` to the operator in one statement and one commit; one outcome for each message."""
        if not batch:
            return []
        messages = {message.message_id: message for message in batch}
        try:
            verdicts = await store.insert_submissions(
                self._database, list(messages.values()), now(), self._defaults)
        except OUTAGE as error:
            _log.warning("sandbox_submit_failed", error=str(error))
            return [Deferred(message_id, _RETRY_AFTER_S, "the operator does not answer") for message_id in messages]
        return [_outcome(verdict) for verdict in verdicts]


def _outcome(verdict: store.Verdict) -> SubmitOutcome:
    if verdict.submission_id is not None:
        return Taken(verdict.message_id, provider_ids(verdict.submission_id, verdict.units))
    if not verdict.available:
        return Deferred(verdict.message_id, _RETRY_AFTER_S, "the operator is down")
    if verdict.refusal is not None:
        return Refused(verdict.message_id, MessageStatus(verdict.refusal), "refused by the operator")
    return Deferred(verdict.message_id, _RETRY_AFTER_S, "the operator throttles this number")
