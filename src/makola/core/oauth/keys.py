"""The keys that sign ID tokens and logout tokens: RS256 and ES256, in the database, the private halves encrypted.

A new pair is published before it signs, so that every client's copy of the key set has it by then; the old pair is
published for as long as something that it signed may still be read.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record
from makola.kit.sealing import Sealer

ALGORITHMS = ("RS256", "ES256")
_PURPOSE = "signing key"
_REFRESH_S = 30.0
_RSA_BITS = 2048

_INSERT = """
INSERT INTO oauth.signing_key (kid, algorithm, public_jwk, private_jwk, created_at, signs_from)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_RETIRE = """
UPDATE oauth.signing_key SET signs_until = least(signs_until, $1), published_until = least(published_until, $2)
"""

_SELECT = """
SELECT kid, algorithm, public_jwk, private_jwk, created_at, signs_from, signs_until, published_until
FROM oauth.signing_key WHERE published_until IS NULL OR published_until > now() ORDER BY signs_from DESC, kid
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How the keys are changed, in seconds.

    Attributes:
        overlap_s: how long a new key is published before it signs; longer than clients keep the key set.
        keep_s: how long an old one is published after it has signed for the last time; longer than an ID token holds.
    """

    overlap_s: float = 3_600
    keep_s: float = 90_000


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key as `makola keys list` shows it."""

    kid: str
    algorithm: str
    created_at: datetime
    signs_from: datetime
    signs_until: datetime | None
    published_until: datetime | None


class SigningKeys:
    """The keys of this installation, as this process knows them: not older than half a minute.

    Args:
        database: where they are.
        sealer: opens the private halves.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._rows: list[Record] = []
        self._read_at = 0.0
        self._opened: dict[str, RSAKey | ECKey] = {}

    async def sign(self, claims: dict[str, object], *, algorithm: str, kind: str = "JWT") -> str:
        """Return claims as a signed JWT (RFC 7519).

        Args:
            claims: what it says.
            algorithm: one of `ALGORITHMS`.
            kind: the `typ` of the header.
        """
        row = self._signing(await self._fresh(), algorithm)
        if row is None:  # whoever rotated did so a moment ago, or the clock went back
            self._read_at = 0.0
            row = self._signing(await self._fresh(), algorithm)
        if row is None:
            raise LookupError(f"there is no key that signs {algorithm}")
        header = {"alg": algorithm, "kid": row["kid"], "typ": kind}
        return jwt.encode(header, claims, self._private(row), algorithms=[algorithm])

    async def key_set(self) -> dict[str, list[dict[str, object]]]:
        """Return the public halves as a JWK Set (RFC 7517)."""
        return {"keys": [json.loads(row["public_jwk"]) for row in await self._fresh()]}

    async def verify(self, token: str) -> dict[str, object]:
        """Return the claims of a JWT of ours, expired or not.

        Raises:
            joserfc.errors.JoseError, ValueError: it is none.
        """
        keys = KeySet.import_key_set({"keys": [json.loads(row["public_jwk"]) for row in await self._fresh()]})
        return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)

    async def _fresh(self) -> list[Record]:
        if self._rows and monotonic() - self._read_at < _REFRESH_S:
            return self._rows
        rows = await self._database.fetch(_SELECT)
        if not rows:
            await make_first_keys(self._database, self._sealer)
            rows = await self._database.fetch(_SELECT)
        self._rows, self._read_at = list(rows), monotonic()
        return self._rows

    def _signing(self, rows: list[Record], algorithm: str) -> Record | None:
        at = now()
        return next((row for row in rows if row["algorithm"] == algorithm and row["signs_from"] <= at
                     and (row["signs_until"] is None or at < row["signs_until"])), None)

    def _private(self, row: Record) -> RSAKey | ECKey:
        kid: str = row["kid"]
        if kid not in self._opened:
            stored = json.loads(self._sealer.open(_PURPOSE, row["private_jwk"]))
            self._opened[kid] = RSAKey.import_key(stored) if row["algorithm"] == "RS256" else ECKey.import_key(stored)
        return self._opened[kid]


async def make_first_keys(database: Database, sealer: Sealer) -> None:
    """Make a pair of keys where there is none; of several processes that start at once one does."""
    fresh = await asyncio.to_thread(_new_keys)
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('oauth.signing_key'))")
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM oauth.signing_key WHERE signs_until IS NULL)"):
            at = now()
            await _insert(connection, fresh, sealer, at, at)
            _log.info("signing_keys_made")


async def rotate_keys(database: Database, sealer: Sealer, rotation: Rotation) -> datetime:
    """Make a new pair of keys; return from when on it signs. The old pair signs until then."""
    fresh = await asyncio.to_thread(_new_keys)
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('oauth.signing_key'))")
        at = now()
        has_keys = await connection.fetchval("SELECT EXISTS (SELECT FROM oauth.signing_key WHERE signs_until IS NULL)")
        from_then = at + timedelta(seconds=rotation.overlap_s) if has_keys else at
        await connection.execute(_RETIRE, from_then, from_then + timedelta(seconds=rotation.keep_s))
        await _insert(connection, fresh, sealer, at, from_then)
        await connection.execute("DELETE FROM oauth.signing_key WHERE published_until < now()")
    return from_then


async def list_keys(database: Database) -> list[PublishedKey]:
    """Return the keys that are published, the newest first."""
    return [PublishedKey(row["kid"], row["algorithm"], row["created_at"], row["signs_from"], row["signs_until"],
                         row["published_until"]) for row in await database.fetch(_SELECT)]


def _new_keys() -> list[tuple[str, RSAKey | ECKey]]:
    return [("RS256", RSAKey.generate_key(_RSA_BITS)), ("ES256", ECKey.generate_key("P-256"))]


async def _insert(connection: Connection, keys: list[tuple[str, RSAKey | ECKey]], sealer: Sealer, created_at: datetime,
                  signs_from: datetime) -> None:
    for algorithm, key in keys:
        kid = key.thumbprint()  # RFC 7638
        public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
        private = sealer.seal(_PURPOSE, json.dumps(key.as_dict(private=True)).encode())
        await connection.execute(_INSERT, kid, algorithm, json.dumps(public), private, created_at, signs_from)
