"""What connectors may tell the core, bound to this installation's database and report format."""

from collections.abc import Sequence
from dataclasses import dataclass

from makola.core.messaging.ports import InboundMessage, Receipt
from makola.core.messaging.reports import Reports
from makola.core.messaging.service.inbound import take_inbound
from makola.core.messaging.service.receipts import take_receipts
from makola.kit.database import Database


@dataclass(frozen=True, slots=True)
class MessageEvents:
    """The `OperatorEvents` of a process."""

    database: Database
    reports: Reports

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        """Take delivery reports."""
        await take_receipts(self.database, self.reports, batch)

    async def inbound(self, batch: Sequence[InboundMessage]) -> None:
        """Take messages from subscribers."""
        await take_inbound(self.database, batch)
