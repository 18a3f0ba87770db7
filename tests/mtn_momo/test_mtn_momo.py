"""MTN MoMo against a double written from its documentation: the wire, outcomes, repeats, and what is kept quiet."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.testing import AsyncTestClient

from makola.connectors.mtn_momo import MomoAccount, MomoProduct, MtnMomo
from makola.connectors.mtn_momo.http import create_mtn_momo_router
from makola.connectors.mtn_momo.wire import MomoWire
from makola.core.checkout.ports import (
    PaymentRequest,
    Progress,
    ProviderAnswer,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.types import Channel, Failure, TransactionKind
from makola.kit.ids import new_id
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from tests.mtn_momo.double import API_KEY, KEYS, USER, MomoDouble, running_double

NUMBER = "+233241234567"


@dataclass
class Line:
    """A connector and what it talks to."""

    momo: MtnMomo
    double: MomoDouble

    async def pay(self, transaction_id: UUID, *, units: int = 505_000, payee: str = "Ama's Books",
                  note: str = "Two books") -> ProviderAnswer:
        return await self.momo.request_payment(PaymentRequest(
            transaction_id, Channel.MTN, NUMBER, units, "GHS", payee, note))

    async def status(self, transaction_id: UUID, kind: TransactionKind = TransactionKind.PAYMENT) -> ProviderAnswer:
        return await self.momo.status(StatusQuestion(kind, transaction_id, "", Channel.MTN))


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    async with running_double() as double, OutgoingHttp(AddressPolicy(allow_private=True)) as outgoing:
        accounts = {product: MomoAccount(KEYS[product], USER, API_KEY) for product in MomoProduct}
        yield Line(MtnMomo(MomoWire(outgoing, double.url, "mtnghana", accounts), notice_url="https://hub.example/p/m"),
                   double)


async def test_a_payment_on_the_wire(line: Line) -> None:
    payment = new_id()
    assert (await line.pay(payment)).progress is Progress.PENDING
    (method, path, headers, body), = line.double.requests
    assert (method, path) == ("POST", "/collection/v1_0/requesttopay")
    assert headers["X-Reference-Id"] == str(payment)
    assert headers["Authorization"] == "Bearer token-0-collection"
    assert headers["Ocp-Apim-Subscription-Key"] == KEYS["collection"]
    assert headers["X-Callback-Url"] == f"https://hub.example/p/m/{payment}"
    assert body == {"amount": "50.50", "currency": "GHS", "externalId": payment.hex,
                    "payer": {"partyIdType": "MSISDN", "partyId": "233241234567"},
                    "payerMessage": "Ama s Books", "payeeNote": "Two books"}
    await line.status(payment)
    assert line.double.tokens == ["token-0-collection"]  # one token serves many requests


@pytest.mark.parametrize(("units", "written"), [(10_000, "1"), (10_500, "1.05"), (15_000, "1.50"), (100, "0.01")])
async def test_amounts(line: Line, units: int, written: str) -> None:
    await line.pay(new_id(), units=units)
    assert line.double.requests[0][3]["amount"] == written


async def test_texts_are_made_fit(line: Line) -> None:
    assert (await line.pay(new_id(), payee="’'’", note="é" * 500 + "x" * 500)).progress is Progress.PENDING
    assert line.double.requests[0][3]["payerMessage"] == "Payment"
    assert line.double.requests[0][3]["payeeNote"] == "x" * 160


OUTCOMES = [
    ({"status": "PENDING"}, Progress.PENDING, Failure.OTHER),
    ({"status": "SUCCESSFUL", "financialTransactionId": 23503452}, Progress.SUCCEEDED, Failure.OTHER),
    ({"status": "FAILED", "reason": {"code": "NOT_ENOUGH_FUNDS", "message": "x"}}, Progress.FAILED,
     Failure.MTN_INSUFFICIENT_FUNDS),
    ({"status": "FAILED", "reason": "PAYER_NOT_FOUND"}, Progress.FAILED, Failure.MTN_NOT_REGISTERED),
    ({"status": "FAILED", "reason": {"code": "APPROVAL_REJECTED"}}, Progress.FAILED, Failure.OTHER),
    ({"status": "FAILED", "reason": {"code": "SOMETHING_NEW"}}, Progress.FAILED, Failure.OTHER),
    ({"status": "FAILED"}, Progress.FAILED, Failure.OTHER),
    ({"status": "SOMETHING_NEW"}, Progress.UNREACHABLE, Failure.OTHER),
    ({"status": 7}, Progress.UNREACHABLE, Failure.OTHER),
]


@pytest.mark.parametrize(("outcome", "progress", "code"), OUTCOMES)
async def test_what_a_status_means(line: Line, outcome: dict[str, object], progress: Progress, code: Failure) -> None:
    payment = new_id()
    await line.pay(payment)
    line.double.outcome = outcome
    answer = await line.status(payment)
    assert (answer.progress, answer.failure) == (progress, code)
    if progress is Progress.SUCCEEDED:
        assert answer.provider_reference == "23503452"


async def test_a_repeat_moves_nothing_twice_and_an_unknown_id_is_unknown(line: Line) -> None:
    payment = new_id()
    await line.pay(payment)
    line.double.outcome = {"status": "SUCCESSFUL"}
    assert (await line.pay(payment)).progress is Progress.SUCCEEDED
    assert len(line.double.made) == 1
    assert (await line.status(new_id())).progress is Progress.UNKNOWN


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_says_nothing(line: Line, status: int) -> None:
    line.double.answers = [status, status]
    assert (await line.pay(new_id())).progress is Progress.UNREACHABLE
    assert (await line.status(new_id())).progress is Progress.UNREACHABLE


async def test_a_request_that_is_refused_has_failed(line: Line) -> None:
    line.double.answers = [400]
    assert (await line.pay(new_id())).progress is Progress.FAILED


async def test_a_token_that_is_no_longer_good_is_renewed_once(line: Line) -> None:
    await line.pay(new_id())
    line.double.valid.clear()
    assert (await line.pay(new_id())).progress is Progress.PENDING
    assert line.double.tokens == ["token-0-collection", "token-1-collection"]


async def test_refunds_and_payouts(line: Line) -> None:
    refund, payout, payment = new_id(), new_id(), new_id()
    answer = await line.momo.refund(RefundRequest(refund, payment, "1", Channel.MTN, NUMBER, 10_000, "GHS", "Returned"))
    assert answer.progress is Progress.PENDING
    await line.momo.send(SendRequest(payout, Channel.MTN, NUMBER, "Ama", 10_000, "GHS", "Wages"))
    assert [request[1] for request in line.double.requests] == [
        "/disbursement/v1_0/refund", "/disbursement/v1_0/transfer"]
    assert line.double.requests[0][3]["referenceIdToRefund"] == str(payment)
    assert line.double.requests[1][3]["payee"] == {"partyIdType": "MSISDN", "partyId": "233241234567"}
    line.double.outcome = {"status": "SUCCESSFUL", "financialTransactionId": "9"}
    for kind, transaction in ((TransactionKind.REFUND, refund), (TransactionKind.SEND, payout),
                              (TransactionKind.SWEEP, payout)):
        assert (await line.status(transaction, kind)).progress is Progress.SUCCEEDED


async def test_nothing_listens_there() -> None:
    async with OutgoingHttp(AddressPolicy(allow_private=True)) as outgoing:
        wire = MomoWire(outgoing, "http://127.0.0.1:9", "mtnghana",
                        {MomoProduct.COLLECTION: MomoAccount("key", USER, API_KEY)})
        momo = MtnMomo(wire)
        answer = await momo.request_payment(PaymentRequest(new_id(), Channel.MTN, NUMBER, 10_000, "GHS", "S", ""))
        assert answer.progress is Progress.UNREACHABLE
        refused = await momo.send(SendRequest(new_id(), Channel.MTN, NUMBER, "Ama", 10_000, "GHS", ""))
        assert refused.progress is Progress.FAILED  # without an account for it, nothing can ever be sent


async def test_no_secret_is_ever_written(line: Line, caplog: pytest.LogCaptureFixture,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    line.double.answers = [400]
    await line.pay(new_id())
    async with OutgoingHttp() as closed:  # loopback is not permitted here: the failure is logged
        account = MomoAccount(KEYS["collection"], USER, API_KEY)
        await MtnMomo(MomoWire(closed, line.double.url, "x", {MomoProduct.COLLECTION: account})).request_payment(
            PaymentRequest(new_id(), Channel.MTN, NUMBER, 10_000, "GHS", "S", ""))
    written = caplog.text + "".join(capsys.readouterr()) + repr(account)
    assert "mtn_momo_unreachable" in written
    assert not [secret for secret in (API_KEY, *KEYS.values(), "token-0") if secret in written]


async def test_a_callback_is_a_hint_whatever_it_says() -> None:
    hinted: list[UUID] = []

    async def hint(transaction_id: UUID) -> None:
        hinted.append(transaction_id)

    payment = new_id()
    async with AsyncTestClient(Litestar([create_mtn_momo_router(hint)], openapi_config=None)) as client:
        for method in ("POST", "PUT"):
            answer = await client.request(method, f"/payments/mtn-momo/{payment}", json={"status": "SUCCESSFUL"})
            assert answer.status_code == 200
        assert (await client.post("/payments/mtn-momo/nonsense", content=b"\xff")).status_code == 200
    assert hinted == [payment, payment]
