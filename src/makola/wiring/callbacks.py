"""Callbacks: the worker that delivers them."""

from dataclasses import replace

from makola.core.callbacks.service import CHANNEL
from makola.core.callbacks.types import CallbackPolicy
from makola.core.callbacks.workers import CallbackWorker
from makola.wiring.parts import Parts

#: A callback is left to its worker for so many of its time-outs; then the worker is taken for dead.
_LEASE_TIMEOUTS = 4


def start_worker(parts: Parts) -> CallbackWorker:
    """Deliver callbacks until the process stops."""
    settings = parts.settings
    policy = replace(CallbackPolicy(), retry_delays_s=settings.callback_retry_delays_s,
                     connect_timeout_s=settings.callback_connect_timeout_s, timeout_s=settings.callback_timeout_s,
                     lease_s=_LEASE_TIMEOUTS * settings.callback_timeout_s)
    worker = CallbackWorker(parts.database, parts.outgoing_often, policy, wake=parts.wake_ups.on(CHANNEL))
    worker.run_in(parts.background)
    return worker
