"""Values that are encrypted where they are stored: useless without the installation's key, which is not stored there.

The key is a setting, or a file in the data directory that is made at the first start.
"""

import base64
import binascii
import hmac
import os
import secrets
import stat
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_KEY_BYTES = 32
_HEADER = {"alg": "dir", "enc": "A256GCM"}  # RFC 7518: AES-256 in Galois/Counter Mode, the key used directly
_ALGORITHMS = ["dir", "A256GCM"]


class SealingError(Exception):
    """A sealed value cannot be opened, or there is no usable key."""


class Sealer:
    """Encrypts and decrypts with keys that are derived from one, a different one for each purpose.

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise SealingError(f"a sealing key has {_KEY_BYTES} bytes")
        self._key = key
        self._signing: dict[str, bytes] = {}

    def seal(self, purpose: str, plain: bytes) -> str:
        """Encrypt a value; only `open` with the same purpose and key reads it."""
        return jwe.encrypt_compact(_HEADER, plain, self._derived(purpose), algorithms=_ALGORITHMS)

    def open(self, purpose: str, sealed: str) -> bytes:
        """Decrypt a value.

        Raises:
            SealingError: it was sealed with another key or for another purpose, or was changed.
        """
        try:
            opened = jwe.decrypt_compact(sealed, self._derived(purpose), algorithms=_ALGORITHMS).plaintext
        except (JoseError, ValueError) as error:
            raise SealingError(f"a value sealed for {purpose} cannot be opened: is the key the one it was sealed with?"
                               ) from error
        if opened is None:
            raise SealingError(f"a value sealed for {purpose} is empty")
        return opened

    def sign(self, purpose: str, plain: bytes) -> str:
        """Return a signature of what may be read by anybody and made by nobody else; a tenth of the cost of `seal`."""
        key = self._signing.get(purpose)
        if key is None:
            key = self._signing[purpose] = hmac.digest(self._key, b"makola signing\0" + purpose.encode(), "sha256")
        return base64.urlsafe_b64encode(hmac.digest(key, plain, "sha256")).decode().rstrip("=")

    def is_signed(self, purpose: str, plain: bytes, signature: str) -> bool:
        """Say whether `sign` made this signature, with the same purpose and key."""
        return hmac.compare_digest(self.sign(purpose, plain).encode(), signature.encode("utf-8", "replace"))

    def _derived(self, purpose: str) -> OctKey:
        return OctKey.import_key(hmac.digest(self._key, b"makola sealing\0" + purpose.encode(), "sha256"))


def new_key() -> str:
    """Return a new key as the setting and the file write it: 32 bytes in URL-safe Base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def read_key(text: str) -> bytes:
    """Return the key that a setting or a file writes.

    Raises:
        SealingError: it is no key.
    """
    try:
        key = base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealingError("the sealing key is not URL-safe Base64") from error
    if len(key) != _KEY_BYTES:
        raise SealingError(f"the sealing key has {len(key)} bytes instead of {_KEY_BYTES}")
    return key


def key_from_file(path: Path) -> bytes:
    """Return the key in a file, which is made, readable by its owner alone, where there is none.

    Two processes that start at once make one key: the file appears whole or not at all.

    Raises:
        SealingError: the file holds no key.
        OSError: it can be neither read nor made.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR), "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            fresh.unlink()
    return read_key(path.read_text())
