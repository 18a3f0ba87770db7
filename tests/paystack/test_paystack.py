"""Paystack against a double written from its documentation: the wire, outcomes, refunds, signed webhooks."""

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.testing import AsyncTestClient

from makola.connectors.paystack import Paystack
from makola.connectors.paystack.http import create_paystack_router
from makola.connectors.paystack.wire import PaystackWire
from makola.core.checkout.ports import (
    CardStart,
    PaymentRequest,
    Progress,
    ProviderAnswer,
    RefundRequest,
    StatusQuestion,
)
from makola.core.checkout.types import Channel, TransactionKind
from makola.kit.ids import new_id
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from tests.paystack.double import SECRET_KEY, PaystackDouble, running_double

BACK = "https://hub.example/checkout/x/back"


@dataclass
class Till:
    """A connector and what it talks to."""

    paystack: Paystack
    double: PaystackDouble

    async def start(self, transaction_id: UUID, email: str = "") -> CardStart:
        return await self.paystack.start(PaymentRequest(
            transaction_id, Channel.CARD, "", 505_000, "GHS", "Book Shop", "Books", "inv1", email, BACK))

    async def status(self, transaction_id: UUID, kind: TransactionKind = TransactionKind.PAYMENT,
                     reference: str = "") -> ProviderAnswer:
        return await self.paystack.status(StatusQuestion(kind, transaction_id, reference, Channel.CARD))

    async def refund(self, refund_id: UUID, payment_id: UUID) -> ProviderAnswer:
        return await self.paystack.refund(RefundRequest(
            refund_id, payment_id, "4099260516", Channel.CARD, "", 105_000, "GHS", "Returned"))


@pytest_asyncio.fixture
async def till() -> AsyncIterator[Till]:
    async with running_double() as double, OutgoingHttp(AddressPolicy(allow_private=True)) as outgoing:
        yield Till(Paystack(PaystackWire(outgoing, double.url, SECRET_KEY), fallback_email="shop@example.com"), double)


async def test_a_payment_on_the_wire(till: Till) -> None:
    payment = new_id()
    start = await till.start(payment)
    assert start.answer.progress is Progress.PENDING
    assert start.redirect_url == f"https://checkout.paystack.com/{payment.hex[:8]}"
    assert till.double.requests == [("POST", "/transaction/initialize", {}, {
        "email": "shop@example.com", "amount": "5050", "currency": "GHS", "reference": payment.hex,
        "callback_url": BACK, "channels": ["card"],
        "metadata": {"payee": "Book Shop", "description": "Books", "client_reference": "inv1"}})]
    assert await till.start(payment) == start
    assert len(till.double.requests) == 1
    await till.start(new_id(), "ama@example.com")
    assert till.double.requests[1][3]["email"] == "ama@example.com"


@pytest.mark.parametrize("changed", [{"amount": 5_049}, {"amount": 0}, {"currency": "NGN"}])
async def test_less_than_was_asked_for_is_no_success(till: Till, changed: dict[str, object]) -> None:
    payment = new_id()
    await till.start(payment)
    question = StatusQuestion(TransactionKind.PAYMENT, payment, "", Channel.CARD, 505_000, "GHS")
    till.double.outcome = {"status": "success"} | changed
    assert (await till.paystack.status(question)).progress is Progress.PENDING
    till.double.outcome = {"status": "success"}
    assert (await till.paystack.status(question)).progress is Progress.SUCCEEDED


OUTCOMES = [
    ({"status": "abandoned"}, Progress.PENDING, ""),
    ({"status": "ongoing"}, Progress.PENDING, ""),
    ({"status": "something new"}, Progress.PENDING, ""),
    ({"status": "success", "authorization": {"last4": "4081", "bin": "408408"}}, Progress.SUCCEEDED, ""),
    ({"status": "failed", "gateway_response": "Declined"}, Progress.FAILED, "The bank declined the card."),
    ({"status": "failed", "gateway_response": "Insufficient Funds"}, Progress.FAILED,
     "There is not enough money on the card."),
    ({"status": "failed", "gateway_response": "Expired Card"}, Progress.FAILED, "The card has expired."),
    ({"status": "failed", "gateway_response": None}, Progress.FAILED, "The bank declined the card."),
    ({"status": "reversed"}, Progress.FAILED, "The bank declined the card."),
    ({"status": 1}, Progress.UNREACHABLE, ""),
]


@pytest.mark.parametrize(("outcome", "progress", "detail"), OUTCOMES)
async def test_what_a_status_means(till: Till, outcome: dict[str, object], progress: Progress, detail: str) -> None:
    payment = new_id()
    await till.start(payment)
    till.double.outcome = outcome
    answer = await till.status(payment)
    assert (answer.progress, answer.detail) == (progress, detail)
    if progress is Progress.SUCCEEDED:
        assert (answer.card_last4, answer.provider_reference) == ("4081", "4099260516")


async def test_after_a_restart_a_repeat_says_how_it_stands(till: Till) -> None:
    payment = new_id()
    await till.start(payment)
    async with OutgoingHttp(AddressPolicy(allow_private=True)) as outgoing:
        wire = PaystackWire(outgoing, till.double.url, SECRET_KEY)
        reborn = Till(Paystack(wire, fallback_email="a@b.c"), till.double)
        start = await reborn.start(payment)
        assert (start.answer.progress, start.redirect_url) == (Progress.PENDING, "")
        till.double.outcome = {"status": "success"}
        assert (await reborn.start(payment)).answer.progress is Progress.SUCCEEDED
    assert len(till.double.transactions) == 1


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_an_answer_that_says_nothing(till: Till, status: int) -> None:
    payment = new_id()
    await till.start(payment)
    till.double.answers = [status] * 3
    assert (await till.start(new_id())).answer.progress is Progress.UNREACHABLE
    assert (await till.status(payment)).progress is Progress.UNREACHABLE
    assert (await till.refund(new_id(), payment)).progress is Progress.UNREACHABLE


async def test_an_unknown_payment_is_unknown(till: Till) -> None:
    assert (await till.status(new_id())).progress is Progress.UNKNOWN


async def test_a_refund_is_made_once_although_paystack_takes_no_id_for_it(till: Till) -> None:
    payment, refund = new_id(), new_id()
    assert (await till.status(refund, TransactionKind.REFUND)).progress is Progress.UNKNOWN
    first = await till.refund(refund, payment)
    assert first.progress is Progress.PENDING
    assert await till.refund(refund, payment) == first
    made, = till.double.refunds
    assert (made["transaction"], made["amount"], made["currency"]) == (payment.hex, 1_050, "GHS")
    made["status"] = "processed"
    for reference in ("", first.provider_reference):
        answer = await till.status(refund, TransactionKind.REFUND, reference)
        assert answer.progress is Progress.SUCCEEDED
    await till.refund(new_id(), payment)
    assert len(till.double.refunds) == 2


async def test_a_refund_is_looked_for_as_long_as_it_may_be_asked_about(till: Till) -> None:
    """However long providers are asked: a refund that is not found is taken for one that was never made."""
    async with OutgoingHttp(AddressPolicy(allow_private=True)) as outgoing:
        patient = Paystack(PaystackWire(outgoing, till.double.url, SECRET_KEY), fallback_email="shop@example.com",
                           asked_for=timedelta(days=10))
        await patient.status(StatusQuestion(TransactionKind.REFUND, new_id(), "", Channel.CARD))
    *_, (_, path, query, _) = till.double.requests
    assert path == "/refund"
    assert datetime.fromisoformat(query["from"]) < datetime.now(UTC) - timedelta(days=11)


async def test_the_list_has_every_page_and_only_the_period(till: Till) -> None:
    for _ in range(101):
        await till.start(new_id())
    known = new_id()
    await till.refund(known, new_id())
    till.double.outcome = {"status": "success"}
    day = datetime(2030, 1, 2, tzinfo=UTC), datetime(2030, 1, 3, tzinfo=UTC)
    listed = await till.paystack.list_transactions(*day)
    assert listed is not None
    assert (len(listed), listed[0].amount_units, listed[0].progress) == (102, 505_000, Progress.SUCCEEDED)
    assert (listed[-1].kind, listed[-1].transaction_id, listed[-1].amount_units) == (
        TransactionKind.REFUND, known, 105_000)
    assert await till.paystack.list_transactions(day[1], day[1].replace(day=4)) == []
    till.double.answers = [500]
    assert await till.paystack.list_transactions(*day) is None


async def test_only_signed_webhooks_are_hints() -> None:
    hinted: list[UUID] = []

    async def hint(transaction_id: UUID) -> None:
        hinted.append(transaction_id)

    payment = new_id()
    body = json.dumps({"event": "charge.success", "data": {"reference": payment.hex, "amount": 1}}).encode()
    signature = hmac.new(SECRET_KEY.encode(), body, hashlib.sha512).hexdigest()
    app = Litestar([create_paystack_router(hint, SECRET_KEY)], openapi_config=None)
    async with AsyncTestClient(app) as client:
        async def send(content: bytes, signed: str | None) -> int:
            headers = {} if signed is None else {"x-paystack-signature": signed}
            return (await client.post("/payments/paystack", content=content, headers=headers)).status_code

        assert await send(body, signature) == 200
        for forged in (None, "", signature[:-1] + ("0" if signature[-1] != "0" else "1"), signature.upper()):
            assert await send(body, forged) == 401, forged
        assert await send(body + b" ", signature) == 401  # the raw body counts, not what it means
        odd = b'{"event": "other", "data": {"reference": "not ours"}}'
        assert await send(odd, hmac.new(SECRET_KEY.encode(), odd, hashlib.sha512).hexdigest()) == 200
        broken = b"\xff{"
        assert await send(broken, hmac.new(SECRET_KEY.encode(), broken, hashlib.sha512).hexdigest()) == 200
    assert hinted == [payment]


async def test_the_key_is_never_written(till: Till, caplog: pytest.LogCaptureFixture,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    till.double.answers = [400]
    await till.start(new_id())
    async with OutgoingHttp() as closed:
        await Paystack(PaystackWire(closed, till.double.url, SECRET_KEY), fallback_email="a@b.c").start(
            PaymentRequest(new_id(), Channel.CARD, "", 10_000, "GHS", "S", ""))
    written = caplog.text + "".join(capsys.readouterr())
    assert "paystack_refused" in written
    assert "paystack_unreachable" in written
    assert SECRET_KEY not in written
