"""What the routes of the page work with."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.kit.outgoing import OutgoingHttp
from makola.kit.sealing import Sealer, SealingError
from makola.web.checkout.live import Watchers
from makola.web.checkout.pictures import Pictures
from makola.web.pages import Pages

_FORM_PURPOSE = "checkout form"
_FORM_S = 86_400.0


@dataclass(frozen=True, slots=True)
class CheckoutServices:
    """What composition hands over.

    Attributes:
        desk: the core's services.
        outgoing: fetches merchants' pictures.
        sealer: makes the token without which a form is refused.
        public_url: the address under which customers reach this server.
        stopping: set when the process drains.
    """

    desk: Desk
    outgoing: OutgoingHttp
    sealer: Sealer
    public_url: str
    stopping: asyncio.Event


class Counter:
    """The services of one application, with what it keeps in memory.

    It is no dataclass because the framework would look through all of its fields at each request.
    """

    def __init__(self, services: CheckoutServices, pages: Pages) -> None:
        self.services = services
        self.pages = pages
        self.desk: Desk = services.desk
        self.pictures = Pictures(services.outgoing)
        self.watchers = Watchers(services.desk, services.stopping)

    def form_token(self, checkout_id: UUID) -> str:
        """Return what the form of a page carries: only who was shown the page can send it."""
        content = f"{checkout_id.hex} {int(time.time() + _FORM_S)}"
        return self.services.sealer.seal(_FORM_PURPOSE, content.encode())

    def is_form_token(self, checkout_id: UUID, token: str) -> bool:
        """Say whether a form came from the page of this checkout, not too long ago."""
        try:
            content = self.services.sealer.open(_FORM_PURPOSE, token).decode()
        except SealingError:
            return False
        named, _, until = content.partition(" ")
        return named == checkout_id.hex and time.time() < int(until)
