"""Name resolution that one dead name server cannot stop, with every address checked."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from makola.kit.outgoing.addresses import AddressPolicy
from makola.kit.outgoing.errors import BlockedAddressError

#: Takes a host name, returns its addresses as text. Raises OSError when there are none.
Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]

_LOOKUPS_AT_ONCE = 256


class SystemLookup:
    """Asks the system's resolver in threads of its own.

    The event loop's threads are few (uvloop: 4), and a lookup whose name server is dead holds one for many
    seconds: a few dead names would stop every other lookup. These threads are daemons, so that such a lookup
    does not hold up the end of the process either.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_LOOKUPS_AT_ONCE)

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of `host`."""
        async with self._slots:
            loop = asyncio.get_running_loop()
            found: asyncio.Future[Sequence[str]] = loop.create_future()
            threading.Thread(target=_look_up, args=(loop, found, host), daemon=True, name="dns").start()
            return await found


def _look_up(loop: asyncio.AbstractEventLoop, found: "asyncio.Future[Sequence[str]]", host: str) -> None:
    settle: Callable[[], None]
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        settle = partial(_settle, found, [str(address[0]) for *_, address in answers])
    except (OSError, UnicodeError) as error:
        settle = partial(_settle, found, error)
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle)


def _settle(found: "asyncio.Future[Sequence[str]]", outcome: "Sequence[str] | OSError | UnicodeError") -> None:
    if found.done():
        return
    if isinstance(outcome, OSError):
        found.set_exception(outcome)
    elif isinstance(outcome, UnicodeError):
        found.set_exception(OSError(socket.EAI_NONAME, "not a host name"))
    else:
        found.set_result(outcome)


class CheckedResolver(AbstractResolver):
    """Refuses a name as soon as one of its addresses is not permitted.

    A name with a public and a private address is either a mistake or an attempt: refusing it whole gives the
    same answer every time, whichever address would have been tried first.
    """

    def __init__(self, policy: AddressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(self, host: str, port: int = 0,
                      family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Return every address of `host`, all of them permitted."""
        addresses = await self._lookup(host)
        if not addresses:
            raise OSError(socket.EAI_NONAME, "no address")
        for address in addresses:
            if not self._policy.permits(address):
                raise BlockedAddressError(address)
        return [ResolveResult(hostname=host, host=address, port=port, proto=socket.IPPROTO_TCP, flags=0,
                              family=socket.AF_INET6 if ":" in address else socket.AF_INET)
                for address in addresses]

    async def close(self) -> None:
        """Nothing to release."""
