"""Signatures against the reference library of Standard Webhooks."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from makola.core.callbacks.signatures import new_secret, signature_headers
from makola.kit.ids import new_id


def test_the_published_example() -> None:
    headers = signature_headers("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


@given(st.text(st.characters(codec="utf-8")))
def test_the_reference_library_makes_the_same_signature(content: str) -> None:
    secret, webhook_id, now = new_secret(), new_id().hex, int(time.time())
    headers = signature_headers(secret, webhook_id, now, content.encode())
    reference = Webhook(secret)
    assert headers["webhook-signature"] == reference.sign(webhook_id, datetime.fromtimestamp(now, UTC), content)
    reference.verify(content, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        reference.verify(content + "x", headers, json_parse=False)


def test_secrets_are_random_and_long() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32
