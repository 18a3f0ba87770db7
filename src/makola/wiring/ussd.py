"""USSD: services, the gateway, the operators that push to it, and the loops that time sessions out."""

from makola.api.operators.ussd import OperatorDoor, UssdDoors
from makola.connectors.http_ussd import OperatorsFileError, read_operators
from makola.connectors.sandbox import Handsets
from makola.connectors.sandbox.ussd import SandboxUssd
from makola.core.billing.service import PriceList
from makola.core.ussd import workers
from makola.core.ussd.asking import Applications
from makola.core.ussd.ports import PaymentHandover
from makola.core.ussd.service.charging import Charging
from makola.core.ussd.service.gateway import Tables, UssdGateway
from makola.core.ussd.service.steps import Surroundings
from makola.core.ussd.service_table import CHANNEL, ServiceTable
from makola.core.ussd.wording import Wording
from makola.settings import Settings, SettingsError
from makola.wiring.messaging import operator_defaults
from makola.wiring.parts import Parts

_SERVICES_TICK_S = 5.0


class Ussd:
    """What serves USSD in one process.

    Args:
        parts: of the process.
        handover: takes payments; None while there is no checkout.
    """

    def __init__(self, parts: Parts, handover: PaymentHandover | None = None) -> None:
        settings = parts.settings
        self._parts = parts
        self._services = ServiceTable(parts.database)
        self.gateway = UssdGateway(
            Surroundings(parts.database,
                         Applications(parts.outgoing_often, in_flight_limit=settings.ussd_application_concurrency,
                                      timeout_s=settings.ussd_application_timeout_s),
                         Wording(settings.ussd_platform_name, settings.ussd_support_address), handover),
            Tables(self._services, Charging(PriceList(parts.database, remember_s=settings.actor_cache_s))),
            subscriber_timeout_s=settings.ussd_subscriber_timeout_s)
        self.handsets: SandboxUssd | None = None
        if settings.demo:
            self.handsets = SandboxUssd(parts.database, Handsets(parts.database, operator_defaults(settings)),
                                        self.gateway)
            self.gateway.speak_through({self.handsets.name: self.handsets})

    async def start(self) -> None:
        """Read the services, follow their changes, and time sessions out."""
        parts = self._parts
        await self._services.refresh()
        parts.background.every("ussd-services", self._services.refresh, idle_s=_SERVICES_TICK_S,
                               wake=parts.wake_ups.on(CHANNEL))
        workers.run_in(parts.background, self.gateway, parts.database,
                       subscriber_timeout_s=parts.settings.ussd_subscriber_timeout_s)

    def doors(self) -> UssdDoors:
        """Return what operators push to."""
        return UssdDoors(self.gateway, _operators(self._parts.settings))

    async def stop(self) -> None:
        """Finish what is under way."""
        await self.gateway.stop()


def start_worker(parts: Parts) -> None:
    """Delete old sessions."""
    workers.run_purge_in(parts.background, parts.database, keep_days=parts.settings.ussd_log_days)


def _operators(settings: Settings) -> tuple[OperatorDoor, ...]:
    if settings.ussd_operators_file is None:
        return ()
    try:
        return read_operators(settings.ussd_operators_file)
    except OperatorsFileError as error:
        raise SettingsError(f"setting ussd_operators_file: {error}") from error
