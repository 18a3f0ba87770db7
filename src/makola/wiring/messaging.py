"""Messages: routes, prices, operators, the accept queue, the loops that send."""

from datetime import timedelta

from makola.api.unity import messages
from makola.connectors import sandbox
from makola.core.billing.service import PriceList
from makola.core.messaging.ports import SmsConnector
from makola.core.messaging.reports import Reports
from makola.core.messaging.routing import CHANNEL as ROUTES_CHANNEL
from makola.core.messaging.routing import RoutingTable
from makola.core.messaging.service.accept import AcceptLimits, AcceptQueue
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.dispatch import CHANNEL as MESSAGES_CHANNEL
from makola.core.messaging.service.dispatch import Dispatcher
from makola.core.messaging.service.events import MessageEvents
from makola.core.messaging.service.prepare import Preparation
from makola.core.messaging.service.receipts import sweep_parked
from makola.settings import Settings
from makola.wiring.parts import Parts

_ROUTES_TICK_S = 5.0
_SWEEP_TICK_S = 5.0


class Messaging:
    """What accepting and sending messages share in one process.

    Args:
        parts: of the process.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._routing = RoutingTable(parts.database)
        self._prices = PriceList(parts.database, remember_s=parts.settings.actor_cache_s)
        self._reports = Reports(messages.report_parameters)
        self._connectors: dict[str, SmsConnector] = {}
        if parts.settings.demo:
            virtual = sandbox.SandboxConnector(parts.database, operator_defaults(parts.settings))
            self._connectors[virtual.name] = virtual

    async def start(self) -> None:
        """Read the routes, and follow their changes."""
        await self._routing.refresh()
        self._parts.background.every("routes", self._routing.refresh, idle_s=_ROUTES_TICK_S,
                                     wake=self._parts.wake_ups.on(ROUTES_CHANNEL))

    def start_worker(self) -> Dispatcher:
        """Send what is due, and follow what operators tell."""
        parts, lease_s = self._parts, self._parts.settings.lease_s
        claims = Claims(parts.database, self._connectors, self._routing, self._prices, self._reports, lease_s=lease_s)
        dispatcher = Dispatcher(parts.database, self._connectors, claims, self._reports, lease_s=lease_s)
        dispatcher.start(parts.background, parts.wake_ups.on(MESSAGES_CHANNEL))

        async def sweep() -> bool:
            return await sweep_parked(parts.database, self._reports)

        parts.background.every("parked-receipts", sweep, idle_s=_SWEEP_TICK_S)
        if parts.settings.demo:
            sandbox.Delivery(parts.database, MessageEvents(parts.database, self._reports),
                             operator_defaults(parts.settings), lease_s=lease_s).start(parts.background, parts.wake_ups)
        return dispatcher

    def start_accepting(self, dispatcher: Dispatcher | None) -> AcceptQueue:
        """Take messages in; what was taken goes to `dispatcher` at once where this process sends too."""
        settings = self._parts.settings
        queue = AcceptQueue(self._parts.database, AcceptLimits(
            queue=settings.accept_queue_limit, batch=settings.accept_batch_limit, lease_s=settings.lease_s,
            validity_s=settings.message_validity_s), dispatcher)
        queue.start(self._parts.background.failed)
        return queue

    def preparation(self) -> Preparation:
        """Return what checks, segments, routes and prices a message before it is taken."""
        return Preparation(self._routing, self._prices, frozenset(self._connectors), horizon(self._parts.settings))


def horizon(settings: Settings) -> timedelta:
    """Return how far ahead a message can be scheduled."""
    return timedelta(days=settings.schedule_horizon_days)


def operator_defaults(settings: Settings) -> sandbox.OperatorDefaults:
    """Return how the virtual operator behaves where a handset says nothing else."""
    return sandbox.OperatorDefaults(delivery_delay_ms=settings.sandbox_delivery_delay_ms,
                                    buffer_expiry_s=int(settings.sandbox_buffer_expiry_s))
