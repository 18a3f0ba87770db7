"""Secrets that are random text, and what is stored of a text that must not be."""

import hashlib
import secrets

_RANDOM_BYTES = 32


def new_secret_text(prefix: str = "") -> str:
    """Return 256 random bits as URL-safe text, after a prefix by which people and scanners recognise it."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def sha256_of(text: str) -> bytes:
    """Return the SHA-256 of a text, whatever is in it. A random secret needs no slower hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
