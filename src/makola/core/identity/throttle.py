"""How often one may be wrong: counted for each account and for each address, in the database that all processes share.

An attempt counts as wrong before it is looked at, and is given back when it was right: so a thousand attempts at the
same moment are no way around it. After a few, each further one must wait twice as long as the one before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from makola.core.identity.errors import TooManyAttemptsError
from makola.kit.database import Connection, Database
from makola.kit.secret_texts import sha256_of

_LONGEST_S = 900
_FORGOTTEN_AFTER_S = 86_400
_PURGE = """
DELETE FROM identity.throttle WHERE key IN
    (SELECT key FROM identity.throttle WHERE counted_at < now() - $1 * interval '1 second' LIMIT 5000)
"""

# In the order of the keys, so that two attempts never wait for each other; every row is locked until the commit. The
# time is that after the wait for the locks, or an attempt that waited would be taken for one that came too early.
_LOCK = """
INSERT INTO identity.throttle (key) SELECT k FROM unnest($1::bytea[]) k ORDER BY k
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING key, CASE WHEN counted_at < now() - $2 * interval '1 second' THEN 0 ELSE failures END AS failures,
          extract(epoch FROM blocked_until - clock_timestamp())::float8 AS blocked_s
"""

_COUNT = """
UPDATE identity.throttle t
SET failures = counted.failures, counted_at = now(),
    blocked_until = clock_timestamp() + counted.wait_s * interval '1 second'
FROM unnest($1::bytea[], $2::integer[], $3::integer[]) counted(key, failures, wait_s) WHERE t.key = counted.key
"""

_GIVE_BACK = """
UPDATE identity.throttle SET failures = greatest(failures - 1, 0), blocked_until = now() WHERE key = $1
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted under one key; `free` attempts need not wait."""

    key: bytes
    free: int

    def wait_s(self, failures: int) -> int:
        """Return the wait after so many wrong attempts, in seconds: 0, then 1, 2, 4, … up to a quarter of an hour."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else min(_LONGEST_S, 1 << min(beyond - 1, 20))


def of_account(email: str) -> Counted:
    """Count attempts at the password of an e-mail address, whether anybody has it or not."""
    return Counted(_key("account", email.strip().lower()), free=5)


def of_second_factor(user_id: int) -> Counted:
    """Count attempts at the second factor of a person whose password was right."""
    return Counted(_key("second", str(user_id)), free=5)


def of_address(address: str) -> Counted:
    """Count attempts from an address; for IPv6 from its /64, which is what one customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return Counted(_key("address", address), free=20)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    own = parsed.exploded[:19] if isinstance(parsed, IPv6Address) else parsed.exploded
    return Counted(_key("address", own), free=20)


async def take(database: Database, counted: Sequence[Counted]) -> None:
    """Take an attempt, which counts as wrong until it is given back.

    Raises:
        TooManyAttemptsError: one must wait first; nothing is counted.
    """
    by_key = {each.key: each for each in counted}
    async with database.transaction() as connection:
        rows = await connection.fetch(_LOCK, list(by_key), _FORGOTTEN_AFTER_S)
        blocked_s = max(row["blocked_s"] for row in rows)
        if blocked_s > 0:
            raise TooManyAttemptsError(math.ceil(blocked_s))
        failures = {row["key"]: row["failures"] + 1 for row in rows}
        await connection.execute(_COUNT, list(failures), list(failures.values()),
                                 [by_key[key].wait_s(number) for key, number in failures.items()])


async def give_back(connection: Connection | Database, counted: Counted) -> None:
    """Take back an attempt that was right. What was wrong before stays: one's own account is no way to be forgiven."""
    await connection.execute(_GIVE_BACK, counted.key)


async def forget(connection: Connection | Database, counted: Sequence[Counted]) -> None:
    """Forget every attempt under these keys: the person has shown who they are."""
    await connection.execute("DELETE FROM identity.throttle WHERE key = ANY($1::bytea[])",
                             [each.key for each in counted])


async def purge(database: Database) -> bool:
    """Forget what is too old to count; True when there may be more."""
    return await database.execute(_PURGE, _FORGOTTEN_AFTER_S) == "DELETE 5000"


def _key(kind: str, name: str) -> bytes:
    return sha256_of(f"{kind}\0{name}")
