"""Merchant accounts: verification before money leaves, documents, fees, payouts."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.api.unity.amounts import exact_units, number
from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import (
    BalanceTooSmallError,
    ChannelNotPermittedError,
    InvalidCheckoutError,
    InvalidDocumentError,
    PayoutNotPermittedError,
    WrongStateError,
)
from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.ports import Progress, ProviderAnswer
from makola.core.checkout.service import documents, merchants, payouts
from makola.core.checkout.service.payouts import SendCall
from makola.core.checkout.types import Channel, KycState, MerchantAccount, SweepAccount, TransactionState
from tests.checkout.shop import Shop
from tests.checkout.world import MTN, ONE, VODAFONE, World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 40 + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    return Desk(world.database, world.desk.providers, world.desk.notices,
                replace(world.desk.policy, document_directory=tmp_path / "documents", document_limit_bytes=10_000))


async def _new(world: World) -> MerchantAccount:
    """An active account whose owner nobody knows."""
    async with world.database.transaction() as connection:
        made = await merchants.create_merchant_account(connection, world.actor.organisation_id, name="New shop")
        await merchants.change(connection, made.number, sweep_account=SweepAccount(Channel.MTN, MTN, "Ama"))
        return await merchants.activate(connection, made.number)


async def test_number_is_hm_and_ten_digits(world: World) -> None:
    assert world.account.number.startswith("HM")
    assert (len(world.account.number), world.account.number[2:].isdigit()) == (12, True)
    assert (await _new(world)).number != world.account.number


async def test_money_leaves_only_after_verification(world: World, desk: Desk) -> None:
    account = await _new(world)
    world = replace(world, account=account)
    await world.paid()
    with pytest.raises(PayoutNotPermittedError):
        await payouts.sweep(desk, world.actor, account.number, 10 * ONE)
    async with world.database.transaction() as connection:
        with pytest.raises(WrongStateError):
            await merchants.review(connection, account.number, approve=True)
    await documents.submit(desk, account.number, kind="identity_card", file_name="card.png", content=PNG)
    async with world.database.transaction() as connection:
        rejected = await merchants.review(connection, account.number, approve=False, reason="It cannot be read.")
    assert (rejected.kyc_state, rejected.refused_because) == (KycState.REJECTED, "It cannot be read.")
    with pytest.raises(PayoutNotPermittedError):
        await payouts.sweep(desk, world.actor, account.number, 10 * ONE)
    await documents.submit(desk, account.number, kind="identity_card", file_name="card.pdf", content=PDF)
    async with world.database.transaction() as connection:
        approved = await merchants.review(connection, account.number, approve=True)
    assert approved.kyc_state is KycState.APPROVED
    assert [row.state for row in await documents.list_documents(desk, approved)] == ["rejected", "approved"]
    swept = await payouts.sweep(desk, world.actor, account.number, 10 * ONE)
    assert swept.state is TransactionState.SUCCEEDED
    async with world.database.transaction() as connection:
        moved = await merchants.change(connection, account.number,
                                       sweep_account=SweepAccount(Channel.VODAFONE, VODAFONE, "Somebody else"))
    assert moved.kyc_state is KycState.SUBMITTED  # stolen credentials cannot lead the money away
    with pytest.raises(PayoutNotPermittedError):
        await payouts.sweep(desk, world.actor, account.number, 10 * ONE)


async def test_documents_are_what_they_say_and_lie_where_nobody_is_served(world: World, desk: Desk) -> None:
    account = await _new(world)
    document_id = await documents.submit(desk, account.number, kind="other", file_name="../../etc/p\x1b[31m.pdf",
                                         content=PDF)
    row, = await documents.list_documents(desk, account)
    assert (row.file_name, row.content_type, row.size_bytes) == ("p[31m.pdf", "application/pdf", len(PDF))
    file = await documents.open_document(desk, account, document_id)
    assert file.read_bytes() == PDF
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    for kind, content in (("other", b""), ("other", b"MZ" + PDF), ("other", PDF[:20]), ("other", PNG[:-12]),
                          ("other", b"x" * 10_001), ("other", PDF + b"x" * 10_000), ("passport", PDF),
                          ("other", b"<html>%PDF-1.7 %%EOF")):
        with pytest.raises(InvalidDocumentError):
            await documents.submit(desk, account.number, kind=kind, file_name="a.pdf", content=content)
    assert len(list(file.parent.iterdir())) == 1
    with pytest.raises(InvalidDocumentError):
        await documents.open_document(desk, world.account, document_id)


async def test_everything_is_swept_less_the_fees(world: World) -> None:
    async with world.database.transaction() as connection:
        await merchants.set_fees(connection, world.account.number, payouts.SEND,
                                 FeeTariff(rate_ppm=15_000, minimum_units=ONE))
    await world.paid(total=100 * ONE)
    await world.paid(total=12_345_600)
    swept = await payouts.sweep(world.desk, world.actor, world.account.number, None)
    balances = await world.balances()
    assert 0 <= balances[world.settlement] < 200
    assert swept.amount_units + swept.charges_units + balances[world.settlement] == 98 * ONE + 12_345_600 - 246_900
    with pytest.raises(BalanceTooSmallError):
        await payouts.sweep(world.desk, world.actor, world.account.number, None)
    await world.check()


async def test_a_failed_send_gives_everything_back(world: World) -> None:
    await world.paid()
    before = await world.balances()
    world.double.payouts_at_once = ProviderAnswer(Progress.FAILED)
    call = SendCall(world.account.number, Channel.MTN, MTN, "Ama", 10 * ONE, "Change", "send1", content_sha256=b"1")
    sent = await payouts.send(world.desk, world.actor, call)
    assert sent.state is TransactionState.FAILED
    assert await world.balances() == before
    assert (await payouts.send(world.desk, world.actor, call)).transaction_id == sent.transaction_id
    with pytest.raises(InvalidCheckoutError):
        await payouts.send(world.desk, world.actor, replace(call, content_sha256=b"2"))
    with pytest.raises(BalanceTooSmallError):
        await payouts.send(world.desk, world.actor, replace(call, amount_units=98 * ONE, client_reference="send2"))
    await world.check()


async def test_channels_of_the_account(world: World) -> None:
    async with world.database.transaction() as connection:
        await merchants.change(connection, world.account.number, channels=[Channel.VODAFONE])
    checkout = await world.checkout()
    with pytest.raises(ChannelNotPermittedError):
        await world.start(checkout)
    await world.start(checkout, VODAFONE, Channel.VODAFONE)


async def test_the_most_particular_fees_count(world: World) -> None:
    async with world.database.transaction() as connection:
        await merchants.set_fees(connection, "", Channel.MTN, FeeTariff(rate_ppm=30_000))
        assert (await world.desk.tariff(connection, world.account.merchant_account_id, "mtn-gh")).rate_ppm == 30_000
        await merchants.set_fees(connection, world.account.number, "", FeeTariff(rate_ppm=40_000))
        assert (await world.desk.tariff(connection, world.account.merchant_account_id, "mtn-gh")).rate_ppm == 40_000
        await merchants.set_fees(connection, world.account.number, Channel.MTN, FeeTariff(rate_ppm=50_000))
        assert (await world.desk.tariff(connection, world.account.merchant_account_id, "mtn-gh")).rate_ppm == 50_000
        assert (await world.desk.tariff(connection, world.account.merchant_account_id, "card")).rate_ppm == 40_000


@pytest.mark.parametrize(("fees", "field"), [
    (FeeTariff(rate_ppm=-1), "rate_ppm"), (FeeTariff(rate_ppm=1_000_001), "rate_ppm"),
    (FeeTariff(fixed_units=-100), "fixed_units"), (FeeTariff(minimum_units=-100), "minimum_units"),
    (FeeTariff(minimum_units=50), "minimum_units"), (FeeTariff(maximum_units=150), "maximum_units"),
    (FeeTariff(minimum_units=200, maximum_units=100), "maximum_units")])
async def test_fees_that_could_not_be_moved(world: World, fees: FeeTariff, field: str) -> None:
    """A fee of half a hundredth on top would be asked for, and a little less would come: never paid in full."""
    async with world.database.transaction() as connection:
        with pytest.raises(InvalidCheckoutError) as raised:
            await merchants.set_fees(connection, world.account.number, "", fees)
    assert raised.value.field == field


@given(st.integers(0, 10**12), st.integers(0, 1_000_000), st.integers(0, 10**8), st.integers(0, 10**6),
       st.none() | st.integers(10**6, 10**9))
def test_fees_stay_within_their_bounds(amount: int, rate: int, fixed: int, least: int, most: int | None) -> None:
    charges = FeeTariff(rate, fixed, least, most).charges(amount)
    assert charges >= least
    assert most is None or charges <= most
    if least < charges and (most is None or charges < most):
        assert charges % 100 == 0
        assert abs(charges * 1_000_000 - (amount * rate + fixed * 1_000_000)) <= 50 * 1_000_000


@given(st.integers(0, 10**15))
def test_amounts_are_written_and_read_exactly(units: int) -> None:
    text = bytes(number(units)).decode()
    assert exact_units(text, "amount") == units
    if units < 10**14:
        assert exact_units(float(text), "amount") == units


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_sums_in_binary_fractions_are_read_as_they_were_meant(hundredths: list[int]) -> None:
    assert exact_units(sum(value / 100 for value in hundredths), "amount") == sum(hundredths) * 100


async def test_over_the_api(shop: Shop) -> None:
    path = "/v1/merchantaccount/merchants"
    made = await shop.client.send_json("POST", path, {"Name": "Second shop"})
    assert (made.status, made.json["Data"]["State"], made.json["Data"]["Verification"]) == (201, "pending", "none")
    account = made.json["Data"]["AccountNumber"]
    content = base64.b64encode(PDF).decode()
    sent = await shop.client.send_json("POST", f"{path}/{account}/documents",
                                       {"Kind": "business_registration", "FileName": "a.pdf", "Content": content})
    assert (sent.status, sent.json["Data"][0]["State"]) == (201, "submitted"), sent.body
    for wrong in ({"Content": "%%%"}, {"Content": base64.b64encode(b"MZ").decode()}, {"Kind": "passport"}):
        refused = await shop.client.send_json("POST", f"{path}/{account}/documents", {
            "Kind": "other", "FileName": "a", "Content": content} | wrong)
        assert (refused.status, refused.json["ResponseCode"]) == (400, "4000"), refused.body
    changed = await shop.client.send_json("PUT", f"{path}/{account}", {
        "Name": "Renamed", "SweepChannel": "mtn-gh", "SweepNumber": "0244123456", "SweepName": "Ama",
        "PayOnDelivery": "No"})
    data = changed.json["Data"]
    assert (data["Name"], data["SweepNumber"], data["PayOnDelivery"], data["Verification"]) == (
        "Renamed", "+233244123456", False, "submitted")
    untouched = await shop.client.send_json("PUT", f"{path}/{shop.account}", {"PayOnDelivery": "", "Name": None})
    assert untouched.json["Data"]["PayOnDelivery"] is True  # what forms send for what was left out
    no_answer = await shop.client.send_json("PUT", f"{path}/{shop.account}", {"PayOnDelivery": {}})
    assert (no_answer.status, no_answer.json["Errors"][0]["Field"]) == (400, "PayOnDelivery")
    wrong_channel = await shop.client.send_json("PUT", f"{path}/{account}", {"SweepChannel": "bank"})
    assert wrong_channel.json["Errors"][0]["Field"] == "SweepChannel"
    payout = await shop.client.send_json("POST", f"{path}/{account}/payouts", {"Amount": 1})
    assert (payout.status, payout.json["ResponseCode"]) == (403, "3009")  # not activated
    listed = (await shop.client.get(path)).json["Data"]
    assert account in {one["AccountNumber"] for one in listed}
    stranger = shop.hub.demo("penniless")
    for target in (f"{path}/{account}", f"{path}/{account}/documents"):
        assert (await stranger.get(target)).json["ResponseCode"] == "4105"
    await shop.received(amount=30)
    swept = await shop.client.send_json("POST", f"{path}/{shop.account}/payouts", {"Amount": 10,
                                                                                   "ClientReference": "sweep1"})
    again = await shop.client.send_json("POST", f"{path}/{shop.account}/payouts", {"Amount": 10,
                                                                                   "ClientReference": "sweep1"})
    assert (swept.json["ResponseCode"], swept.json) == ("0000", again.json)
