"""Failed attempts of a client to show that it is itself: each further one has to wait longer.

Counted in this process, under the client id together with the address that it came from; a success forgets. Secrets
are 256 random bits, so this protects the machine and its logs, not the secrets; and nobody else has to wait, whose
programs stand behind another address.
"""

from time import monotonic

from makola.core.oauth.errors import TooManyFailuresError

_FREE = 5
_LONGEST_S = 300.0
_FORGOTTEN_AFTER_S = 900.0
_MOST_KEYS = 20_000

_Key = tuple[str, str]


class FailureBrake:
    """Remembers failures, and for how long whoever failed has to wait."""

    def __init__(self) -> None:
        self._failed: dict[_Key, tuple[int, float, float]] = {}  # failures, blocked until, forgotten at

    def check(self, client_id: str, address: str) -> None:
        """Refuse an attempt that comes too soon.

        Raises:
            TooManyFailuresError: it does.
        """
        if not self._failed:  # the hot path
            return
        at = monotonic()
        _, blocked_until, _ = self._failed.get((client_id, address), (0, 0.0, 0.0))
        if blocked_until > at:
            raise TooManyFailuresError("There were too many failed attempts. Wait, and try again.",
                                       int(blocked_until - at) + 1)

    def failed(self, client_id: str, address: str) -> None:
        """Count a failure."""
        at, key = monotonic(), (client_id, address)
        if len(self._failed) >= _MOST_KEYS:
            self._failed = {each: value for each, value in self._failed.items() if value[2] > at}
        if len(self._failed) >= _MOST_KEYS:
            self._failed.clear()
        count, _, forgotten_at = self._failed.get(key, (0, 0.0, at))
        count = count + 1 if forgotten_at > at else 1
        wait_s = min(_LONGEST_S, 2.0 ** min(count - _FREE, 20)) if count > _FREE else 0.0
        self._failed[key] = (count, at + wait_s, at + wait_s + _FORGOTTEN_AFTER_S)

    def succeeded(self, client_id: str, address: str) -> None:
        """Forget the failures of a client at an address."""
        if self._failed:
            self._failed.pop((client_id, address), None)
