"""Checking who sent a message (https://www.standardwebhooks.com, symmetric scheme, version v1)."""

import hmac
from collections.abc import Mapping

from makola.core.callbacks.signatures import signature_headers

#: A message that was made longer ago, or later, than this is not believed: it may have been recorded.
TOLERANCE_S = 300
_MOST_DIGITS = 12
_MOST_ID_CHARACTERS = 255


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Say whether somebody who knows the secret sent this body just now.

    Args:
        secret: `whsec_…`.
        headers: the request's, in any case.
        body: as it came.
        now_s: the present moment, in seconds since 1970.
    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not 1 <= len(webhook_id) <= _MOST_ID_CHARACTERS or not webhook_id.isascii():
        return False
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > _MOST_DIGITS:
        return False
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    expected = signature_headers(secret, webhook_id, int(timestamp), body)["webhook-signature"]
    given = headers.get("webhook-signature", "").encode("utf-8", "surrogatepass").split(b" ")
    return any(hmac.compare_digest(expected.encode(), each) for each in given)
