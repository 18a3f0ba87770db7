"""What the routes of the page work with."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.kit.sealing import Sealer
from makola.web.checkout.live import Watchers
from makola.web.checkout.pictures import Pictures
from makola.web.pages import Pages

_FORM_PURPOSE = "checkout form"
_FORM_S = 86_400.0
_ASK_AGAIN_S = 5.0
_MOST_ASKED = 10_000


@dataclass(frozen=True, slots=True)
class CheckoutServices:
    """What composition hands over.

    Attributes:
        desk: the core's services.
        sealer: makes the token without which a form is refused.
        public_url: the address under which customers reach this server.
        stopping: set when the process drains.
    """

    desk: Desk
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
        self.pictures = Pictures(services.desk.database)
        self.watchers = Watchers(services.desk, services.stopping)
        self._asked: OrderedDict[UUID, float] = OrderedDict()

    def may_ask(self, checkout_id: UUID) -> bool:
        """Say whether the card provider may be asked how a checkout stands, and count it: not again for some seconds.

        The address at which it is asked is known to the customer, who may load it again and again.
        """
        at = time.monotonic()
        if at - self._asked.get(checkout_id, -_ASK_AGAIN_S) < _ASK_AGAIN_S:
            return False
        self._asked[checkout_id] = at
        self._asked.move_to_end(checkout_id)
        while len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)
        return True

    def form_token(self, checkout_id: UUID) -> str:
        """Return what the form of a page carries: only who was shown the page can send it."""
        until = str(int(time.time() + _FORM_S))
        return f"{until}.{self.services.sealer.sign(_FORM_PURPOSE, _form_content(checkout_id, until))}"

    def is_form_token(self, checkout_id: UUID, token: str) -> bool:
        """Say whether a form came from the page of this checkout, not too long ago."""
        until, _, signature = token.partition(".")
        return (self.services.sealer.is_signed(_FORM_PURPOSE, _form_content(checkout_id, until), signature)
                and time.time() < int(until))


def _form_content(checkout_id: UUID, until: str) -> bytes:
    return f"{checkout_id.hex} {until}".encode("utf-8", "replace")
