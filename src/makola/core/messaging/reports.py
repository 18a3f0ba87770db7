"""Delivery reports to accounts: callbacks written in the transaction that ends the message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from makola.core.callbacks.service import enqueue
from makola.core.callbacks.types import NewCallback
from makola.core.messaging.types import Direction, Message, MessageStatus
from makola.core.organisations.queries import find_report_targets
from makola.kit.database import Connection

EVENT = "message.report"

#: How an API family names what a report says: (name, value) pairs, in order.
ReportFormat = Callable[[Message, MessageStatus], tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Reports:
    """Writes delivery reports in the form that an API family gives them."""

    format: ReportFormat

    async def write(self, connection: Connection, ended: Sequence[tuple[Message, MessageStatus]]) -> None:
        """Write a report for each message that asked for one and whose account has said where to send it.

        Args:
            connection: the transaction in which the messages get their final status.
            ended: the messages, with that status.
        """
        wanted = [(message, status) for message, status in ended
                  if message.registered_delivery and message.direction is Direction.OUT]
        if not wanted:
            return
        targets = await find_report_targets(connection, {message.organisation_id for message, _ in wanted})
        callbacks = [
            NewCallback(organisation_id=message.organisation_id, application_id=None, event=EVENT,
                        method=target.method, url=target.url,
                        parameters=self.format(message, status), subject_id=message.message_id)
            for message, status in wanted if (target := targets.get(message.organisation_id)) is not None]
        if callbacks:
            await enqueue(connection, callbacks)
