"""Standard Webhooks signatures (https://www.standardwebhooks.com, symmetric scheme, version v1)."""

import base64
import hmac
import secrets

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret in the form that Standard Webhooks libraries take."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def signature_headers(secret: str, webhook_id: str, timestamp_s: int, content: bytes, *,
                      previous_secret: str | None = None) -> dict[str, str]:
    """Return the three headers that prove a callback is ours.

    Args:
        secret: the receiver's, `whsec_…`.
        webhook_id: the same on every attempt, so that the receiver can recognise a repeat.
        timestamp_s: when this attempt was made, in seconds since 1970.
        content: the body, or the query string where there is none.
        previous_secret: signs too, for a receiver that does not know the new one yet.
    """
    signed = f"{webhook_id}.{timestamp_s}.".encode("ascii") + content
    signature = _signature(secret, signed)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": (signature if previous_secret is None
                              else f"{signature} {_signature(previous_secret, signed)}"),
    }


def _signature(secret: str, signed: bytes) -> str:
    digest = hmac.digest(base64.b64decode(secret.removeprefix(_PREFIX)), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode('ascii')}"
