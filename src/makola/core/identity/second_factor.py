"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code is taken once: the time step of the last one is stored, and only a later one is taken (RFC 6238 section 5.2).
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import time

import pyotp
import segno

from makola.core.identity.errors import WrongCodeError
from makola.core.identity.types import User
from makola.kit.database import Connection, Database
from makola.kit.sealing import Sealer
from makola.kit.secret_texts import sha256_of

#: Before and after the present one: phones' clocks are wrong by so many steps of 30 s.
_STEPS_AROUND = 1
_STEP_S = 30
_SECRET_BYTES = 20
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_ISSUER = "Makola"
_PURPOSE = "totp"

# The row is locked by the update: of two uses of one code at the same time one finds a later step and fails.
_USE_STEP = """
UPDATE identity.totp SET last_step = $2, confirmed_at = coalesce(confirmed_at, now())
WHERE user_id = $1 AND last_step < $2 AND (confirmed_at IS NOT NULL) = $3 AND secret = $4
"""

_BEGIN = """
INSERT INTO identity.totp (user_id, secret) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = now()
WHERE totp.confirmed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given: as a QR code (an SVG element) and as text to type."""

    secret: str
    svg: str


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What a person has beside the password."""

    has_totp: bool
    recovery_codes_left: int


class Authenticators:
    """Secrets of authenticator apps.

    Args:
        sealer: encrypts them where they are stored.
        clock: returns the seconds since 1970.
    """

    def __init__(self, sealer: Sealer, clock: Callable[[], float] = time) -> None:
        self._sealer = sealer
        self._clock = clock

    async def begin(self, connection: Connection, user: User) -> Enrolment:
        """Make a new secret that counts once a code of it was given.

        Raises:
            WrongCodeError: the person has an authenticator already.
        """
        secret = secrets.token_bytes(_SECRET_BYTES)
        tag = await connection.execute(_BEGIN, user.user_id, self._sealer.seal(_PURPOSE, secret))
        if tag == "INSERT 0 0":
            raise WrongCodeError("An authenticator app is set up already. Remove it first.")
        return _enrolment(secret, user)

    async def pending(self, connection: Connection | Database, user: User) -> Enrolment | None:
        """Return the secret that was begun and not confirmed; None for none."""
        sealed = await connection.fetchval(
            "SELECT secret FROM identity.totp WHERE user_id = $1 AND confirmed_at IS NULL", user.user_id)
        return _enrolment(self._sealer.open(_PURPOSE, sealed), user) if sealed is not None else None

    async def confirm(self, connection: Connection, user_id: int, code: str) -> list[str]:
        """Take the first code of a new authenticator; return new recovery codes.

        Raises:
            WrongCodeError: it is not a code of this authenticator now.
        """
        await self._use(connection, user_id, code, confirmed=False)
        return await new_recovery_codes(connection, user_id)

    async def use(self, connection: Connection, user_id: int, code: str) -> None:
        """Take a code of the authenticator app, or a recovery code; each once.

        Raises:
            WrongCodeError: it is wrong, too old, or was used.
        """
        plain = code.replace(" ", "").replace("-", "")
        if len(plain) == 6 and plain.isascii() and plain.isdigit():
            await self._use(connection, user_id, plain, confirmed=True)
            return
        used = await connection.execute("DELETE FROM identity.recovery_code WHERE user_id = $1 AND sha256 = $2",
                                        user_id, sha256_of(plain.upper()))
        if used != "DELETE 1":
            raise WrongCodeError("This code is wrong, too old, or was used before.", field="code")

    async def _use(self, connection: Connection, user_id: int, code: str, *, confirmed: bool) -> None:
        sealed = await connection.fetchval(
            "SELECT secret FROM identity.totp WHERE user_id = $1 AND (confirmed_at IS NOT NULL) = $2", user_id,
            confirmed)
        step = self._step_of(code.replace(" ", ""), self._sealer.open(_PURPOSE, sealed)) if sealed is not None else None
        if step is None or await connection.execute(_USE_STEP, user_id, step, confirmed, sealed) != "UPDATE 1":
            raise WrongCodeError("This code is wrong, too old, or was used before.", field="code")

    def _step_of(self, code: str, secret: bytes) -> int | None:
        totp = pyotp.TOTP(base64.b32encode(secret).decode())
        present = int(self._clock()) // _STEP_S
        found = None
        for step in range(max(0, present - _STEPS_AROUND), present + _STEPS_AROUND + 1):
            if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode("utf-8", "surrogatepass")):
                found = step
        return found


async def second_factor_of(connection: Connection | Database, user_id: int) -> SecondFactor:
    """Return what a person has beside the password."""
    row = await connection.fetchrow(
        "SELECT EXISTS (SELECT FROM identity.totp WHERE user_id = $1 AND confirmed_at IS NOT NULL) AS has_totp,"
        " (SELECT count(*) FROM identity.recovery_code WHERE user_id = $1) AS codes", user_id)
    return SecondFactor(bool(row and row["has_totp"]), row["codes"] if row is not None else 0)


async def new_recovery_codes(connection: Connection, user_id: int) -> list[str]:
    """Replace a person's recovery codes; return them, for they are stored as hashes only."""
    await connection.fetchval('SELECT id FROM identity."user" WHERE id = $1 FOR UPDATE', user_id)
    await connection.execute("DELETE FROM identity.recovery_code WHERE user_id = $1", user_id)
    plain = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(_RECOVERY_CODES)]
    await connection.execute(
        "INSERT INTO identity.recovery_code (user_id, sha256) SELECT $1, unnest($2::bytea[])", user_id,
        [sha256_of(code) for code in plain])
    return ["-".join(code[start:start + 4] for start in range(0, len(code), 4)) for code in plain]


async def remove_second_factor(connection: Connection, user_id: int) -> bool:
    """Take away a person's authenticator app and recovery codes; False when there were none."""
    await connection.execute("DELETE FROM identity.recovery_code WHERE user_id = $1", user_id)
    return await connection.execute("DELETE FROM identity.totp WHERE user_id = $1", user_id) == "DELETE 1"


def _enrolment(secret: bytes, user: User) -> Enrolment:
    text = base64.b32encode(secret).decode()
    uri = pyotp.TOTP(text).provisioning_uri(name=user.email, issuer_name=_ISSUER)
    svg = segno.make(uri, error="m", micro=False).svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    return Enrolment(" ".join(text[start:start + 4] for start in range(0, len(text), 4)), svg)
