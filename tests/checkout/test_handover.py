"""A payment for another part of the program: it knows no API, so what is refused has the core's own names."""

from dataclasses import replace

import pytest

from makola.core.checkout.desk import CheckoutPolicy
from makola.core.checkout.errors import InvalidCheckoutError, MerchantAccountUnavailableError
from makola.core.checkout.handover import collect
from makola.core.checkout.service.payments import Receive, receive
from makola.core.checkout.types import Channel, Checkout, CheckoutState, Transaction, TransactionState
from makola.kit.errors import DomainError
from tests.checkout.world import CALLBACK, MTN, ONE, World


async def _collect(world: World, *, amount_units: int = 5 * ONE, description: str = "Airtime",
                   callback_url: str = CALLBACK, number: str = MTN,
                   client_reference: str = "session") -> tuple[Checkout, Transaction]:
    return await collect(world.desk, world.actor, number=number, amount_units=amount_units, description=description,
                         client_reference=client_reference, callback_url=callback_url, content_sha256=b"1")


async def test_a_payment_whose_outcome_nobody_wants_to_hear(world: World) -> None:
    checkout, payment = await _collect(world, callback_url="")
    assert payment.state is TransactionState.PENDING
    world.double.approve(payment.transaction_id)
    await world.poll()
    assert (await world.read(checkout)).state is CheckoutState.PAID
    assert await world.callbacks() == []
    await world.check_settled([checkout.checkout_id])


async def test_what_is_refused_has_the_names_of_the_core(world: World) -> None:
    async def refused(**changes: object) -> str:
        with pytest.raises(DomainError) as raised:
            await _collect(world, **changes)  # type: ignore[arg-type] # the test's own values
        return raised.value.field

    assert await refused(amount_units=0) == "amount_units"
    assert await refused(description=" ") == "description"
    assert await refused(callback_url="ftp://shop.example") == "callback_url"
    assert await refused(client_reference="x" * 40) == "client_reference"
    assert await refused(number="123") == "number"
    with pytest.raises(MerchantAccountUnavailableError):
        await collect(world.desk, world.stranger, number=MTN, amount_units=ONE, description="Airtime",
                      client_reference="", callback_url="", content_sha256=b"")


@pytest.mark.parametrize("field", ["name", "number", "email", "description", "client_reference"])
async def test_texts_that_cannot_be_stored(world: World, field: str) -> None:
    call = Receive(
        account_number=world.account.number, channel=Channel.MTN, number=MTN, name="", email="", amount_units=ONE,
        description="Book", client_reference="", callback_url=CALLBACK, secondary_callback_url="",
        fees_on_customer=None, content_sha256=b"")
    with pytest.raises(InvalidCheckoutError) as raised:
        await receive(world.desk, world.actor, replace(call, **{field: "a\0b"}))  # type: ignore[arg-type] # a text
    assert raised.value.field == field


def test_a_lease_that_is_too_short_is_noticed_at_the_start() -> None:
    """A provider may take its time twice: for how it stands, and for the request that it never heard of."""
    with pytest.raises(ValueError, match="lease"):
        CheckoutPolicy(ask_timeout_s=20, lease_s=40)
