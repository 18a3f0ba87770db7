"""Passkeys (WebAuthn): made on the security page, used instead of the password or as its second factor.

A sign-in names no account: the browser offers the passkeys that it has for this site, so nothing is told about who
exists. The authenticator must verify the person (PIN, finger, face), so a passkey counts as two factors.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from makola.core.identity import challenges
from makola.core.identity.errors import ChallengeGoneError, PasskeyRefusedError, UnknownSessionError
from makola.core.identity.types import User
from makola.kit.database import Connection, Database

_NAME = "Makola"
_CHALLENGE_BYTES = 32
_HANDLE_BYTES = 64
_MOST_PASSKEYS = 20
_MOST_NAME_CHARACTERS = 100
_TIMEOUT_MS = challenges.LIFETIME_S * 1000
_TRANSPORTS = frozenset(each.value for each in AuthenticatorTransport)

_INSERT = """
INSERT INTO identity.passkey (user_id, credential_id, user_handle, public_key, sign_count, transports, name, synced)
SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM identity.passkey WHERE user_id = $1) < $9
RETURNING id
"""

# Zero means that the authenticator does not count; otherwise the count only grows, also between two at the same time.
_USE = """
UPDATE identity.passkey SET sign_count = $2, synced = $3, last_used_at = now()
WHERE id = $1 AND (sign_count < $2 OR ($2 = 0 AND sign_count = 0))
"""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to an authenticator: a domain, and the origins of its pages."""

    domain: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its person sees it. `synced`: it is on several devices of theirs."""

    passkey_id: int
    name: str
    synced: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """Who showed a passkey, and how that counts in the words of RFC 8176."""

    user_id: int
    amr: tuple[str, ...]


async def begin_registration(connection: Connection, user: User, party: RelyingParty, browser_token: str) -> str:
    """Return the options, as JSON, with which the browser makes a passkey for a person who is signed in."""
    rows = await connection.fetch(
        "SELECT credential_id, user_handle, transports FROM identity.passkey WHERE user_id = $1 ORDER BY id",
        user.user_id)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    handle = rows[0]["user_handle"] if rows else secrets.token_bytes(_HANDLE_BYTES)
    await challenges.begin(connection, _token(challenge, handle), challenges.PASSKEY_REGISTRATION,
                           user_id=user.user_id, browser_token=browser_token)
    return options_to_json(generate_registration_options(
        rp_id=party.domain, rp_name=_NAME, user_id=handle, user_name=user.email, user_display_name=user.name,
        challenge=challenge, timeout=_TIMEOUT_MS, attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED),
        exclude_credentials=[_descriptor(row["credential_id"], row["transports"]) for row in rows]))


async def finish_registration(connection: Connection, user: User, answer: str, name: str, party: RelyingParty,
                              browser_token: str) -> int:
    """Store a passkey that a browser made; return its id.

    Args:
        connection: an open transaction.
        user: who is signed in.
        answer: what the browser gave, as JSON, with the user handle of the options as `userHandle`.
        name: what the person calls it.
        party: who we are.
        browser_token: of the browser that began.

    Raises:
        ChallengeGoneError: it took too long.
        PasskeyRefusedError: the answer is not to our question, or the passkey is known already.
    """
    parsed = _parsed(answer)
    challenge, handle = _challenge_of(parsed), _handle_of(parsed.get("userHandle"))
    begun = await challenges.finish(connection, _token(challenge, handle), challenges.PASSKEY_REGISTRATION,
                                    browser_token)
    if begun.user_id != user.user_id:
        raise ChallengeGoneError("Somebody else is signed in now. Begin again.")
    try:
        verified = verify_registration_response(
            credential=parsed, expected_challenge=challenge, expected_rp_id=party.domain,
            expected_origin=list(party.origins), require_user_verification=True)
    except (WebAuthnException, ValueError) as error:
        raise PasskeyRefusedError("This passkey was not accepted.") from error
    try:
        async with connection.transaction():
            passkey_id: int | None = await connection.fetchval(
                _INSERT, user.user_id, verified.credential_id, handle, verified.credential_public_key,
                verified.sign_count, _transports(parsed), name.strip()[:_MOST_NAME_CHARACTERS] or "Passkey",
                verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE, _MOST_PASSKEYS)
    except asyncpg.UniqueViolationError as error:
        raise PasskeyRefusedError("This passkey is known already.") from error
    if passkey_id is None:
        raise PasskeyRefusedError(f"A person has at most {_MOST_PASSKEYS} passkeys. Remove one first.")
    return passkey_id


async def begin_sign_in(connection: Connection | Database, party: RelyingParty, browser_token: str, *,
                        user_id: int | None = None) -> str:
    """Return the options, as JSON, with which the browser shows a passkey.

    Args:
        connection: to write with.
        party: who we are.
        browser_token: of the browser.
        user_id: the person whose second factor it shall be; None to let the browser offer what it has.
    """
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    await challenges.begin(connection, _token(challenge), challenges.PASSKEY_SIGN_IN, user_id=user_id,
                           browser_token=browser_token)
    rows = await connection.fetch("SELECT credential_id, transports FROM identity.passkey WHERE user_id = $1"
                                  " ORDER BY id", user_id) if user_id is not None else []
    return options_to_json(generate_authentication_options(
        rp_id=party.domain, challenge=challenge, timeout=_TIMEOUT_MS,
        allow_credentials=[_descriptor(row["credential_id"], row["transports"]) for row in rows] or None,
        user_verification=UserVerificationRequirement.REQUIRED))


async def finish_sign_in(connection: Connection, answer: str, party: RelyingParty, browser_token: str) -> PasskeyUse:
    """Return who showed a passkey.

    Raises:
        ChallengeGoneError: it took too long, or the answer was given already.
        PasskeyRefusedError: the passkey is unknown, another person's than expected, or its answer is not right.
    """
    parsed = _parsed(answer)
    challenge = _challenge_of(parsed)
    begun = await challenges.finish(connection, _token(challenge), challenges.PASSKEY_SIGN_IN, browser_token)
    row = await connection.fetchrow(
        "SELECT id, user_id, user_handle, public_key, sign_count FROM identity.passkey WHERE credential_id = $1",
        _handle_of(parsed.get("rawId")))
    if row is None or (begun.user_id is not None and begun.user_id != row["user_id"]):
        raise PasskeyRefusedError("This passkey was not accepted.")
    response = parsed.get("response")
    given = response.get("userHandle") if isinstance(response, dict) else None
    if given and _handle_of(given) != row["user_handle"]:
        raise PasskeyRefusedError("This passkey was not accepted.")
    try:
        verified = verify_authentication_response(
            credential=parsed, expected_challenge=challenge, expected_rp_id=party.domain,
            expected_origin=list(party.origins), credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"], require_user_verification=True)
    except (WebAuthnException, ValueError) as error:
        raise PasskeyRefusedError("This passkey was not accepted.") from error
    synced = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    if await connection.execute(_USE, row["id"], verified.new_sign_count, synced) != "UPDATE 1":
        raise PasskeyRefusedError("This passkey was not accepted.")
    return PasskeyUse(row["user_id"], ("swk" if synced else "hwk", "user", "mfa"))


async def list_passkeys(connection: Connection | Database, user_id: int) -> list[Passkey]:
    """Return a person's passkeys, oldest first."""
    rows = await connection.fetch(
        "SELECT id, name, synced, created_at, last_used_at FROM identity.passkey WHERE user_id = $1 ORDER BY id",
        user_id)
    return [Passkey(*row.values()) for row in rows]


async def remove_passkey(connection: Connection, user_id: int, passkey_id: int) -> None:
    """Take away one of a person's passkeys.

    Raises:
        UnknownSessionError: the person has no such passkey.
    """
    if await connection.execute("DELETE FROM identity.passkey WHERE id = $1 AND user_id = $2", passkey_id,
                                user_id) != "DELETE 1":
        raise UnknownSessionError("There is no such passkey.")


def _token(challenge: bytes, handle: bytes = b"") -> str:
    return (challenge + handle).hex()


def _descriptor(credential_id: bytes, transports: Sequence[str]) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=credential_id, transports=[AuthenticatorTransport(each) for each in transports if each in _TRANSPORTS])


def _parsed(answer: str) -> dict[str, object]:
    try:
        parsed = json.loads(answer)
    except ValueError as error:
        raise PasskeyRefusedError("This passkey was not accepted.") from error
    if not isinstance(parsed, dict):
        raise PasskeyRefusedError("This passkey was not accepted.")
    return parsed


def _challenge_of(parsed: Mapping[str, object]) -> bytes:
    """Return the challenge that an answer names; it is looked up, and then compared by the verification."""
    response = parsed.get("response")
    client_data = response.get("clientDataJSON") if isinstance(response, dict) else None
    try:
        named = json.loads(_handle_of(client_data))
    except ValueError as error:
        raise PasskeyRefusedError("This passkey was not accepted.") from error
    return _handle_of(named.get("challenge") if isinstance(named, dict) else None)


def _handle_of(given: object) -> bytes:
    try:
        return base64url_to_bytes(given) if isinstance(given, str) else b""
    except ValueError as error:
        raise PasskeyRefusedError("This passkey was not accepted.") from error


def _transports(parsed: Mapping[str, object]) -> list[str]:
    response = parsed.get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    return [each for each in given if each in _TRANSPORTS] if isinstance(given, list) else []


