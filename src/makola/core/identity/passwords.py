"""Passwords: argon2id in threads of their own, and what a new password may be.

By NIST SP 800-63B section 3.1.1: length counts, not composition; what is tried first is refused; nothing expires.
"""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from makola.core.identity.errors import PasswordRefusedError, TooBusyError
from makola.core.identity.types import User

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 1024

#: RFC 9106 section 4: four lanes, a salt of 128 bits, a tag of 256 bits.
_LANES = 4
_SALT_BYTES = 16
_TAG_BYTES = 32
#: As many wait for each thread; who comes later is told to come again.
_WAITING_EACH = 32
#: A password that consists of what everybody knows of a person must bring so many characters of its own.
_FEWEST_OWN_CHARACTERS = 6
_FEWEST_DIFFERENT = 5

T = TypeVar("T")


class Passwords:
    """Makes and checks hashes, a few at a time, without keeping the event loop from its work.

    Args:
        memory_kib: of one hash (RFC 9106: 64 MiB).
        passes: over that memory (RFC 9106: 3).
        at_once: hashes that are computed at the same time.
    """

    def __init__(self, *, memory_kib: int, passes: int, at_once: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=_LANES,
                                      hash_len=_TAG_BYTES, salt_len=_SALT_BYTES, type=Type.ID)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password")
        self._most_waiting = at_once * (1 + _WAITING_EACH)
        self._waiting = 0
        # A well-formed hash of nothing: to check against it takes as long as against a real one.
        self._nobodys = (f"$argon2id$v=19$m={memory_kib},t={passes},p={_LANES}"
                         f"${_unpadded(secrets.token_bytes(_SALT_BYTES))}${_unpadded(secrets.token_bytes(_TAG_BYTES))}")

    async def hash(self, password: str) -> str:
        """Return what is stored of a password.

        Raises:
            TooBusyError: too many wait already.
        """
        return await self._in_thread(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Say whether a password is the one whose hash was stored; where there is none, take as long and say no.

        Raises:
            TooBusyError: too many wait already.
        """
        matches = await self._in_thread(lambda: self._matches(stored or self._nobodys, password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Say whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._most_waiting:
            raise TooBusyError("Too many people sign in at this moment. Try again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def check_new_password(password: str, user: User) -> None:
    """Refuse a password that is too short, too long, or would be guessed first.

    Raises:
        PasswordRefusedError: it says why, for the person who chooses.
    """
    normal = _normal(password)
    if len(normal) < FEWEST_CHARACTERS:
        raise PasswordRefusedError(f"A password has at least {FEWEST_CHARACTERS} characters. Several words are"
                                   " easier to remember than one difficult word.", field="password")
    if len(normal) > MOST_CHARACTERS:
        raise PasswordRefusedError(f"A password has at most {MOST_CHARACTERS} characters.", field="password")
    plain = normal.casefold()
    if plain in _common() or len(set(plain)) < _FEWEST_DIFFERENT or _is_row(plain):
        raise PasswordRefusedError("Everybody tries this password first. Choose another.", field="password")
    if len(_without_known(plain, user)) < _FEWEST_OWN_CHARACTERS:
        raise PasswordRefusedError("Your name or your e-mail address is most of this password. Choose another.",
                                   field="password")


def generate_password() -> str:
    """Return a password of 100 random bits for a person to type once: five groups of four letters and digits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(5))


def _normal(password: str) -> str:
    """Return the one spelling of a password, however a keyboard composes its characters (SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _is_row(plain: str) -> bool:
    """Say whether each character follows the one before, up or down, as in `abcdefghijkl` and `987654321098`."""
    steps = {(ord(after) - ord(before)) % 10 if before.isdigit() and after.isdigit() else ord(after) - ord(before)
             for before, after in pairwise(plain)}
    return steps in ({1}, {-1}, {9})


def _without_known(plain: str, user: User) -> str:
    local, _, domain = user.email.casefold().partition("@")
    words = {local, domain, domain.partition(".")[0], "makola", *user.name.casefold().split()}
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 2:
            plain = plain.replace(word, "")
    return plain


@cache
def _common() -> frozenset[str]:
    text = (files("makola.core.identity") / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
