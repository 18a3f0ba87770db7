"""A gateway on a database of the test's own, an application behind `*714#`, and subscribers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from makola.core.billing.service import PriceList, set_tariff, top_up
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.core.ussd.asking import Applications
from makola.core.ussd.ports import OperatorSide, PaymentHandover, Push, PushKind, Reply
from makola.core.ussd.queries import count_sessions, list_failures, list_sessions
from makola.core.ussd.service.charging import Charging
from makola.core.ussd.service.gateway import SESSIONS_AT_MOST, Tables, UssdGateway
from makola.core.ussd.service.services import add_service, change_service
from makola.core.ussd.service.steps import Surroundings
from makola.core.ussd.service_table import ServiceTable
from makola.core.ussd.types import SESSION_TARIFF, FailureRecord, Screen, Service, SessionHistory
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy
from makola.kit.outgoing.direct import DirectHttp
from tests.ussd.application import Application

CREDIT = "CREDIT"
UNIT = 10_000
MOBILE = "+233244123456"


@dataclass
class Phone:
    """A subscriber at an operator that numbers its pushes."""

    gateway: UssdGateway
    mobile: str = MOBILE
    operator: str = "MTN"
    session: str = field(default_factory=lambda: uuid4().hex)
    pushes: int = 0

    async def dial(self, code: str = "*714#") -> Reply:
        """Dial, in a session of its own."""
        self.session, self.pushes = uuid4().hex, 0
        return await self.push(PushKind.DIAL, dialled=code)

    async def type(self, text: str) -> Reply:
        """Answer."""
        return await self.push(PushKind.INPUT, text=text)

    async def cancel(self) -> Reply:
        """Press cancel."""
        return await self.push(PushKind.CANCEL)

    async def again(self, kind: PushKind, **changes: str) -> Reply:
        """Push what was pushed last once more."""
        self.pushes -= 1
        return await self.push(kind, **changes)

    async def push(self, kind: PushKind, *, dialled: str = "", text: str = "") -> Reply:
        """Push."""
        self.pushes += 1
        return await self.gateway.push(Push("test", self.session, str(self.pushes), kind, self.mobile, self.operator,
                                            dialled, text))


@dataclass
class Stage:
    """What a test plays on."""

    database: Database
    application: Application
    platform: Actor
    merchant: Actor
    service: Service
    gateway: UssdGateway
    services: ServiceTable
    http: DirectHttp
    reseller_id: int

    def phone(self, mobile: str = MOBILE, operator: str = "MTN") -> Phone:
        """Return a subscriber's phone."""
        return Phone(self.gateway, mobile, operator)

    async def change(self, **changes: object) -> None:
        """Change the service, as if the notification had come."""
        async with self.database.transaction() as connection:
            self.service = await change_service(connection, self.merchant, replace(self.service, **changes),  # type: ignore[arg-type]
                                                allow_private=True)
        await self.services.refresh()

    async def add(self, code: str, **given: object) -> Service:
        """Add a service."""
        service = Service(0, code, self.merchant.organisation_id, code, self.application.url)
        async with self.database.transaction() as connection:
            added = await add_service(connection, self.platform, replace(service, **given),  # type: ignore[arg-type]
                                      allow_private=True)
        await self.services.refresh()
        return added

    def restarted(self, *, side: OperatorSide | None = None, handover: PaymentHandover | None = None,
                  subscriber_timeout_s: float = 60.0, application_timeout_s: float = 7.0,
                  in_flight_limit: int = 512, sessions_at_most: int = SESSIONS_AT_MOST) -> UssdGateway:
        """Return a gateway that knows what is on disk and nothing else, as after SIGKILL; it is the present one now."""
        self.gateway = UssdGateway(
            Surroundings(self.database, Applications(self.http, timeout_s=application_timeout_s,
                                                     in_flight_limit=in_flight_limit), Wording(), handover),
            Tables(self.services, Charging(PriceList(self.database, remember_s=0))),
            subscriber_timeout_s=subscriber_timeout_s, sessions_at_most=sessions_at_most)
        if side is not None:
            self.gateway.speak_through({side.name: side})
        return self.gateway

    async def sessions(self) -> list[SessionHistory]:
        """Return what the owner sees, the newest first."""
        return await list_sessions(self.database, organisation_ids=[self.merchant.organisation_id])

    async def failures(self) -> list[FailureRecord]:
        """Return the errors that the owner sees, the newest first."""
        return await list_failures(self.database, organisation_ids=[self.merchant.organisation_id])

    async def counted(self) -> dict[str, int]:
        """Return how often the owner's subscribers saw each error."""
        counts = await count_sessions(self.database, organisation_ids=[self.merchant.organisation_id],
                                      since=now().replace(year=2000))
        return counts[self.service.service_id].errors

    async def expire(self) -> None:
        """Do what the clock does."""
        for live in self.gateway.sessions.due():
            await self.gateway.expire(live)


class Side:
    """An operator's connection that remembers what it was made to show."""

    name = "test"

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, Screen]] = []

    async def timed_out(self, operator_session_id: str, mobile: str, screen: Screen) -> None:
        """Remember a last screen."""
        self.shown.append((operator_session_id, mobile, screen))


def text_of(reply: Reply) -> str:
    """Return what a reply shows."""
    return reply.screen.text


@asynccontextmanager
async def staging(database: Database, application: Application) -> AsyncIterator[Stage]:
    """Build a platform, a reseller and a merchant with 100 credits whose sessions cost one, and its service."""
    async with database.transaction() as connection:
        root = await create_organisation(connection, None, name="Platform")
        reseller = await create_organisation(connection, root.organisation_id, name="Reseller")
        merchant = await create_organisation(connection, reseller.organisation_id, name="Merchant")
        for organisation, price in ((reseller, UNIT // 2), (merchant, UNIT)):
            await set_tariff(connection, organisation.organisation_id, SESSION_TARIFF, "*", currency=CREDIT,
                             price_units=price)
            await top_up(connection, organisation.organisation_id, currency=CREDIT, amount_units=100 * UNIT,
                         reference=uuid4())
        platform = await find_platform_actor(connection)
        assert platform is not None
        acting = replace(platform, organisation_id=merchant.organisation_id, chain=merchant.chain)
        service = await add_service(connection, platform, Service(
            0, "714", merchant.organisation_id, "Test", application.url), allow_private=True)
    services = ServiceTable(database)
    await services.refresh()
    async with DirectHttp(AddressPolicy(allow_private=True)) as http:
        stage = Stage(database, application, platform, acting, service, None, services, http,  # type: ignore[arg-type]
                      reseller.organisation_id)
        stage.restarted()
        yield stage
        await asyncio.wait_for(stage.gateway.stop(), 30)
