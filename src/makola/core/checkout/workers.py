"""The loops of checkout. Any number of processes may run them over one database."""

import asyncio
from contextlib import suppress

from makola.core.checkout.desk import Desk
from makola.core.checkout.hints import Hints
from makola.core.checkout.rounds import Rounds
from makola.core.checkout.service.asking import ask_due, ask_hinted
from makola.core.checkout.service.closing import expire_due
from makola.core.checkout.service.reconciliation import reconcile_due
from makola.kit.background import Background
from makola.kit.database import OUTAGE

#: The channel that is notified when a provider is to be asked.
CHANNEL = "payments"

_IDLE_S = 1.0
_EXPIRY_S = 5.0
_RECONCILE_S = 600.0


def run_in(background: Background, desk: Desk, wake: asyncio.Event, hints: Hints) -> None:
    """Have `background` ask providers, end checkouts whose time is over, and compare the days that are over.

    Args:
        background: the loops of this process.
        desk: the services' own.
        wake: set when another process has stored that a provider is to be asked.
        hints: what this process itself hears.
    """

    rounds = Rounds()

    async def answers() -> None:
        with suppress(*OUTAGE):  # what could not be recorded any more is due when its lease ends
            await rounds.end_with(background.stopping)

    async def poll() -> bool:
        return await ask_due(desk, rounds)

    async def follow_hints() -> bool:
        return await ask_hinted(desk, hints, rounds)

    async def expire() -> bool:
        return await expire_due(desk)

    async def reconcile() -> bool:
        return await reconcile_due(desk)

    background.run("payment-answers", answers)
    background.every("payments", poll, idle_s=_IDLE_S, wake=wake)
    background.every("payment-hints", follow_hints, idle_s=_IDLE_S, wake=hints.listen())
    background.every("checkout-expiry", expire, idle_s=_EXPIRY_S)
    background.every("reconciliation", reconcile, idle_s=_RECONCILE_S)
