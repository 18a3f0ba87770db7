"""Wallets as the core sees them: every code comes from a wallet's state, money moves once, and never by itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from makola.connectors.sandbox import Handsets, HandsetState, SandboxMobileMoney, WalletDefaults, Wallets, wallet_store
from makola.connectors.sandbox.errors import (
    HandsetNotFoundError,
    InvalidInputError,
    PromptClosedError,
    PromptNotFoundError,
)
from makola.connectors.sandbox.wallet_types import CEDI, WalletRefusal
from makola.connectors.sandbox.wallets import AMOUNT_UNITS_AT_MOST
from makola.core.checkout.ports import (
    PaymentRequest,
    Progress,
    ProviderAnswer,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.types import Channel, Failure, TransactionKind
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id
from tests.sandbox.operator_app import RunningOperator

NUMBERS = {Channel.MTN: "+233241234567", Channel.VODAFONE: "+233201234567", Channel.TIGO: "+233271234567",
           Channel.AIRTEL: "+233261234567"}


@dataclass
class Till:
    """Wallets, the provider over them, and what was told."""

    wallets: Wallets
    provider: SandboxMobileMoney
    handsets: Handsets
    settled: list[UUID]

    async def request(self, channel: Channel, amount_units: int = 50 * CEDI,
                      transaction_id: UUID | None = None) -> tuple[UUID, ProviderAnswer]:
        """Ask the handset of a network to pay."""
        chosen = transaction_id or new_id()
        return chosen, await self.provider.request_payment(PaymentRequest(
            chosen, channel, NUMBERS[channel], amount_units, "GHS", "Book Shop", "Two books"))

    async def status(self, transaction_id: UUID) -> ProviderAnswer:
        """Ask how a payment stands."""
        return await self.provider.status(
            StatusQuestion(TransactionKind.PAYMENT, transaction_id, "", Channel.MTN))

    async def balance(self, channel: Channel) -> int:
        """What is in the wallet."""
        return (await self.wallets.get(NUMBERS[channel])).balance_units


@pytest.fixture
async def till(database: Database) -> Till:
    """A handset on each network with a wallet."""
    settled: list[UUID] = []

    async def tell(transaction_id: UUID) -> None:
        settled.append(transaction_id)

    wallets = Wallets(database, WalletDefaults(), tell)
    handsets = Handsets(database)
    for number in NUMBERS.values():
        await handsets.create(number=number)
    return Till(wallets, SandboxMobileMoney(wallets), handsets, settled)


async def test_a_payment_waits_for_its_holder_and_is_made_once(till: Till) -> None:
    payment, answer = await till.request(Channel.MTN)
    assert answer.progress is Progress.PENDING
    assert (await till.request(Channel.MTN, transaction_id=payment))[1] == answer
    prompt, = await till.wallets.prompts(NUMBERS[Channel.MTN])
    assert (prompt.payee, prompt.note, prompt.amount_units) == ("Book Shop", "Two books", 50 * CEDI)
    outcomes = await asyncio.gather(*(till.wallets.approve(NUMBERS[Channel.MTN], payment, "1234") for _ in range(4)),
                                    return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(PromptClosedError) == 3
    assert await till.balance(Channel.MTN) == 950 * CEDI
    assert (await till.status(payment)).progress is Progress.SUCCEEDED
    assert till.settled == [payment]
    assert await till.wallets.prompts() == []


async def test_nobody_else_can_answer_and_an_unknown_payment_is_unknown(till: Till) -> None:
    payment, _ = await till.request(Channel.MTN)
    with pytest.raises(PromptNotFoundError):
        await till.wallets.approve(NUMBERS[Channel.TIGO], payment, "1234")
    assert (await till.status(payment)).progress is Progress.PENDING
    assert (await till.status(new_id())).progress is Progress.UNKNOWN


Preparation = Callable[[Till], Awaitable[object]]
MTN, VODAFONE, TIGO, AIRTEL = Channel.MTN, Channel.VODAFONE, Channel.TIGO, Channel.AIRTEL


def _unregistered(channel: Channel) -> Preparation:
    return lambda till: till.wallets.change(NUMBERS[channel], registered=False)


def _empty(channel: Channel) -> Preparation:
    return lambda till: till.wallets.change(NUMBERS[channel], balance_units=10 * CEDI)


def _state(channel: Channel, state: HandsetState) -> Preparation:
    return lambda till: till.handsets.change(NUMBERS[channel], state=state)


def _limit(channel: Channel, *, per_payment: int | None = None, per_day: int | None = None) -> Preparation:
    return lambda till: till.wallets.change(NUMBERS[channel], limit_per_payment_units=per_payment,
                                            limit_per_day_units=per_day)


REFUSED_AT_ONCE: list[tuple[Channel, Preparation, Failure]] = [
    (MTN, _unregistered(MTN), Failure.MTN_NOT_REGISTERED),
    (AIRTEL, _unregistered(AIRTEL), Failure.AIRTEL_NOT_REGISTERED),
    (TIGO, _unregistered(TIGO), Failure.TIGO_NOT_REGISTERED),
    (VODAFONE, _unregistered(VODAFONE), Failure.VODAFONE_NOT_REGISTERED),
    (MTN, _state(MTN, HandsetState.UNKNOWN), Failure.MTN_NOT_REGISTERED),
    *((channel, _state(channel, HandsetState.OFF), Failure.PHONE_OFF) for channel in NUMBERS),
    (TIGO, _limit(TIGO, per_payment=49 * CEDI), Failure.TIGO_ABOVE_LIMIT),
    (TIGO, _limit(TIGO, per_day=49 * CEDI), Failure.TIGO_ABOVE_DAILY_LIMIT),
    (MTN, _limit(MTN, per_payment=49 * CEDI), Failure.OTHER),
]


@pytest.mark.parametrize(("channel", "prepare", "code"), REFUSED_AT_ONCE)
async def test_what_the_network_refuses_at_once(
        till: Till, channel: Channel, prepare: Preparation, code: Failure) -> None:
    await prepare(till)
    payment, answer = await till.request(channel)
    assert (answer.progress, answer.failure) == (Progress.FAILED, code)
    assert await till.status(payment) == answer
    assert await till.wallets.prompts() == []
    assert await till.balance(channel) == 1_000 * CEDI


@pytest.mark.parametrize(("channel", "prepare", "pin", "code"), [
    (MTN, _empty(MTN), "1234", Failure.MTN_INSUFFICIENT_FUNDS),
    (AIRTEL, _empty(AIRTEL), "1234", Failure.AIRTEL_INSUFFICIENT_FUNDS),
    (TIGO, _empty(TIGO), "1234", Failure.OTHER),
    (AIRTEL, None, "4321", Failure.AIRTEL_WRONG_PIN),
    (MTN, None, "4321", Failure.OTHER),
    (VODAFONE, None, "1234567", Failure.OTHER),
])
async def test_what_fails_when_its_holder_approves(
        till: Till, channel: Channel, prepare: Preparation | None, pin: str, code: Failure) -> None:
    if prepare is not None:
        await prepare(till)
    before = await till.balance(channel)
    payment, _ = await till.request(channel)
    await till.wallets.approve(NUMBERS[channel], payment, pin)
    answer = await till.status(payment)
    assert (answer.progress, answer.failure) == (Progress.FAILED, code)
    assert (answer.detail != "") == (code is Failure.OTHER)
    assert (await till.balance(channel), till.settled) == (before, [payment])


async def test_a_recipient_without_a_wallet(till: Till) -> None:
    await till.wallets.change(NUMBERS[VODAFONE], registered=False)
    answer = await till.provider.send(
        SendRequest(new_id(), VODAFONE, NUMBERS[VODAFONE], "Ama", 5 * CEDI, "GHS", "Change"))
    assert (answer.progress, answer.failure) == (Progress.FAILED, Failure.VODAFONE_RECIPIENT_NOT_REGISTERED)
    nobody = await till.provider.send(SendRequest(new_id(), MTN, "+233249999998", "Ama", 5 * CEDI, "GHS", ""))
    assert nobody.failure is Failure.MTN_NOT_REGISTERED


async def test_a_number_asked_on_another_network_is_not_registered_there(till: Till) -> None:
    answer = await till.provider.request_payment(PaymentRequest(
        new_id(), Channel.TIGO, NUMBERS[MTN], CEDI, "GHS", "Shop", ""))
    assert answer.failure is Failure.TIGO_NOT_REGISTERED


async def test_declined_and_ignored(till: Till, database: Database) -> None:
    declined, _ = await till.request(MTN)
    await till.wallets.decline(NUMBERS[MTN], declined)
    assert (await till.status(declined)).detail == "The payment was declined on the phone."
    hasty = Wallets(database, WalletDefaults(prompt_timeout_s=0), till.wallets._settled)
    ignored = new_id()
    await SandboxMobileMoney(hasty).request_payment(
        PaymentRequest(ignored, MTN, NUMBERS[MTN], CEDI, "GHS", "Shop", ""))
    with pytest.raises(PromptClosedError):
        await till.wallets.approve(NUMBERS[MTN], ignored, "1234")
    assert await hasty.expire() is False
    assert (await till.status(ignored)).detail == "Nobody approved the payment on the phone in time."
    assert till.settled == [declined, ignored]
    assert await till.balance(MTN) == 1_000 * CEDI


async def test_refunds_never_exceed_the_payment(till: Till) -> None:
    payment, _ = await till.request(MTN)
    await till.wallets.approve(NUMBERS[MTN], payment, "1234")

    async def refund(amount: int, refund_id: UUID | None = None) -> Progress:
        return (await till.provider.refund(RefundRequest(
            refund_id or new_id(), payment, "", MTN, NUMBERS[MTN], amount * CEDI, "GHS", "Returned"))).progress

    again = new_id()
    assert await refund(20, again) is await refund(20, again) is Progress.SUCCEEDED
    outcomes = await asyncio.gather(*(refund(20) for _ in range(3)))
    assert sorted(outcome.value for outcome in outcomes) == ["failed", "failed", "succeeded"]
    assert await till.balance(MTN) == 990 * CEDI
    listed = await till.provider.list_transactions(now() - timedelta(minutes=1), now() + timedelta(minutes=1))
    assert listed is not None
    assert [(line.kind, line.amount_units) for line in listed if line.progress is Progress.SUCCEEDED] == [
        (TransactionKind.PAYMENT, 50 * CEDI), (TransactionKind.REFUND, 20 * CEDI), (TransactionKind.REFUND, 20 * CEDI)]


async def test_an_operator_whose_link_is_down_says_nothing(till: Till) -> None:
    payment, _ = await till.request(MTN)
    await till.handsets.change_operator(available=False)
    assert (await till.request(MTN))[1].progress is Progress.UNREACHABLE
    assert (await till.status(payment)).progress is Progress.UNREACHABLE
    assert await till.provider.list_transactions(now() - timedelta(days=1), now()) is None


async def test_the_daily_limit_counts_what_was_paid_today(till: Till) -> None:
    await till.wallets.change(NUMBERS[TIGO], limit_per_day_units=80 * CEDI)
    payment, _ = await till.request(TIGO)
    second, answer = await till.request(TIGO)  # both were possible when they were asked for
    assert answer.progress is Progress.PENDING
    await till.wallets.approve(NUMBERS[TIGO], payment, "1234")
    await till.wallets.approve(NUMBERS[TIGO], second, "1234")
    assert (await till.status(second)).failure is Failure.TIGO_ABOVE_DAILY_LIMIT


async def test_a_pin_is_changed_and_appears_nowhere(
        till: Till, database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wallet = await till.wallets.change(NUMBERS[MTN], pin="86753")
    assert wallet.has_own_pin
    for wrong in ("12", "1234567", "12a4", ""):
        with pytest.raises(InvalidInputError):
            await till.wallets.change(NUMBERS[MTN], pin=wrong)
    payment, _ = await till.request(MTN)
    await till.wallets.approve(NUMBERS[MTN], payment, "86753")
    assert (await till.status(payment)).progress is Progress.SUCCEEDED
    rows = await database.fetch("SELECT w::text AS row FROM sandbox.wallet w")
    assert "86753" not in "".join(row["row"] for row in rows) + caplog.text + repr(wallet)


async def test_over_http_a_wallet_is_changed_and_a_prompt_is_answered(running: RunningOperator) -> None:
    client = running.client
    number = (await client.post("/sandbox/handsets", json={"number": NUMBERS[MTN]})).json()["number"]
    wallet = f"/sandbox/handsets/{number}/wallet"
    assert (await client.get(wallet)).json()["balance"] == 1000
    changed = await client.patch(wallet, json={"balance": 2.5, "limit_per_day": "70.0001", "registered": True})
    assert (changed.json()["balance"], changed.json()["limit_per_day"]) == (2.5, 70.0001)
    assert (await client.post(wallet + "/top-ups", json={"amount": 97.5})).json()["balance"] == 100
    for body in ({"amount": -1}, {"amount": 0}, {"amount": "NaN"}, {"amount": 0.00001}, {"amount": 1e30},
                 {"amount": "1e999999999"}, {"amount": "-1e999999999"}, {}, {"a": 1}):
        assert (await client.post(wallet + "/top-ups", json=body)).status_code == 400, body
    assert (await client.get("/sandbox/handsets/+233249999998/wallet")).status_code == 404
    provider = SandboxMobileMoney(Wallets(running.world.database))
    payment = new_id()
    await provider.request_payment(PaymentRequest(payment, MTN, number, 40 * CEDI, "GHS", "Shop", "A book"))
    prompt, = (await client.get(f"/sandbox/handsets/{number}/prompts")).json()["prompts"]
    path = f"/sandbox/handsets/{number}/prompts/{prompt['id']}"
    assert (await client.post(path, json={"pin": ""})).status_code == 400
    assert (await client.post(path, json={"pin": "1234"})).json()["state"] == "successful"
    assert (await client.post(path, json={"pin": "1234"})).status_code == 409
    assert (await client.delete(path)).status_code == 409
    assert (await client.delete(f"/sandbox/handsets/{number}/prompts/nonsense")).status_code == 404
    operation, = (await client.get(wallet + "/operations")).json()["operations"]
    assert (operation["amount"], operation["payee"], operation["state"]) == (40, "Shop", "successful")
    assert (await client.delete(f"/sandbox/handsets/{number}")).status_code == 204
    assert (await client.get(wallet)).status_code == 404


async def test_the_event_stream_tells_of_a_prompt(running: RunningOperator) -> None:
    client = running.client
    await client.post("/sandbox/handsets", json={"number": NUMBERS[MTN]})
    wallets = Wallets(running.world.database)
    provider = SandboxMobileMoney(wallets)
    payment = new_id()
    async with asyncio.timeout(30), client.stream("GET", "/sandbox/events") as stream:
        lines = stream.aiter_lines()

        async def wallet_event(part: str) -> None:
            told = False
            async for line in lines:
                told = line == "event: wallets" or (told and not line.startswith("event:"))
                if told and line.startswith("data:") and part in line:
                    return

        await wallet_event('"balance":1000')
        await provider.request_payment(PaymentRequest(payment, MTN, NUMBERS[MTN], CEDI, "GHS", "Shop", "Book"))
        await wallet_event(payment.hex)
        await wallets.approve(NUMBERS[MTN], payment, "1234")
        await wallet_event('"prompts":[]')


async def test_a_wallet_holds_no_more_than_it_can(till: Till) -> None:
    number = NUMBERS[Channel.MTN]
    await till.wallets.change(number, balance_units=AMOUNT_UNITS_AT_MOST - CEDI)
    with pytest.raises(InvalidInputError, match="more than it can"):
        await till.wallets.top_up(number, 2 * CEDI)
    assert (await till.wallets.top_up(number, CEDI)).balance_units == AMOUNT_UNITS_AT_MOST
    with pytest.raises(HandsetNotFoundError):
        await till.wallets.top_up("+233249999999", CEDI)


@dataclass(frozen=True)
class _Change:
    registered: bool | None = None
    balance_units: int | None = None
    limit_per_payment_units: int | None = None


async def test_a_wallet_that_changes_while_its_holder_pays_is_judged_anew(till: Till, database: Database) -> None:
    """The limits, the PIN and the balance count as they are when the money moves, not as they were read."""
    changes: tuple[tuple[_Change, WalletRefusal], ...] = (
        (_Change(limit_per_payment_units=CEDI), WalletRefusal.OVER_LIMIT),
        (_Change(registered=False), WalletRefusal.NOT_REGISTERED),
        (_Change(balance_units=0), WalletRefusal.INSUFFICIENT_FUNDS))
    for change, reason in changes:
        number = NUMBERS[Channel.MTN]
        await till.wallets.change(number, registered=True, balance_units=100 * CEDI,
                                  limit_per_payment_units=100 * CEDI, limit_per_day_units=10_000 * CEDI)
        payment, _ = await till.request(Channel.MTN)
        async with database.transaction() as connection:  # holds the wallet while its holder types
            await connection.execute("SELECT FROM sandbox.wallet WHERE number = $1 FOR UPDATE", number)
            paying = asyncio.create_task(till.wallets.approve(number, payment, "1234"))
            await asyncio.sleep(0.1)
            await wallet_store.change_wallet(
                connection, number, registered=change.registered, balance_units=change.balance_units,
                limit_per_payment_units=change.limit_per_payment_units, limit_per_day_units=None)
        assert (await paying).reason is reason
        assert await till.balance(Channel.MTN) == (100 * CEDI if change.balance_units is None else 0)
