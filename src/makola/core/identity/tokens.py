"""Secrets that a person's browser or an invitation carries: 256 random bits, stored as SHA-256."""

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits, as URL-safe text."""
    return secrets.token_urlsafe(32)


def sha256(token: str) -> bytes:
    """Return what is stored of a token. A random secret needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
