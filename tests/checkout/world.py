"""A merchant with an activated account, a provider that obeys, and what must be true of the money at any time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from makola.core.checkout import queries
from makola.core.checkout.desk import CheckoutPolicy, Desk
from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.ports import Providers
from makola.core.checkout.service import asking
from makola.core.checkout.service.initiate import initiate
from makola.core.checkout.service.merchants import activate, change, create_merchant_account, set_fees, vouch
from makola.core.checkout.service.payments import start_payment
from makola.core.checkout.service.refunds import RefundCall, refund
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutState,
    Item,
    MerchantAccount,
    NewCheckout,
    PaymentChoice,
    Started,
    SweepAccount,
    Transaction,
    TransactionKind,
    TransactionState,
)
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy
from makola.wiring.checkout import NOTICES
from tests.checkout.double import Double

ONE = 10_000
MTN, VODAFONE = "+233244123456", "+233204123456"
CALLBACK = "https://shop.example/callback"
FEES = FeeTariff(rate_ppm=20_000, minimum_units=100)

POLICY = CheckoutPolicy(addresses=AddressPolicy(allow_private=True))


@dataclass
class World:
    """A merchant of one provider."""

    database: Database
    desk: Desk
    double: Double
    cards: Double
    actor: Actor
    stranger: Actor
    account: MerchantAccount

    def new(self, total: int = 100 * ONE, **changes: object) -> NewCheckout:
        """What a merchant asks for."""
        plain = NewCheckout(self.account.number, (Item("Book", 1, total),), total, "Books", uuid4().hex,
                            callback_url=CALLBACK, return_url="https://shop.example/")
        return replace(plain, **changes)  # type: ignore[arg-type] # the test's own values

    async def checkout(self, total: int = 100 * ONE, **changes: object) -> Checkout:
        return await initiate(self.desk, self.actor, self.new(total, **changes))

    async def start(self, checkout: Checkout, number: str = MTN, channel: Channel = Channel.MTN, *,
                    another: bool = False) -> Started:
        return await start_payment(self.desk, checkout.checkout_id, PaymentChoice(channel, number, another=another))

    async def paid(self, total: int = 100 * ONE) -> Checkout:
        """A checkout that was paid."""
        checkout = await self.checkout(total)
        started = await self.start(checkout)
        self.double.approve(started.payment.transaction_id)
        await self.poll()
        return await self.read(checkout)

    async def refund(self, checkout: Checkout, amount_units: int | None) -> Transaction:
        """Pay back a part of a paid checkout, or all that is left."""
        return (await refund(self.desk, self.actor, RefundCall(
            self.account.number, checkout.checkout_id, amount_units, "Damaged")))[0]

    async def poll(self, *, everything: bool = True) -> None:
        """Ask about what is due; with `everything`, about all that waits."""
        if everything:
            await self.database.execute(
                "UPDATE checkout.transaction SET due_at = now() WHERE due_at IS NOT NULL")
        while await asking.ask_due(self.desk):
            pass

    async def settle(self) -> None:
        """Let the pollers run until nothing changes any more but what a customer has to decide."""
        for _ in range(3):
            await self.poll()

    async def read(self, checkout: Checkout) -> Checkout:
        return await queries.find_checkout(self.desk, self.actor, checkout.checkout_id)

    async def transactions(self, checkout: Checkout) -> list[Transaction]:
        return await queries.transactions_of(self.desk, checkout)

    async def balances(self) -> dict[str, int]:
        """Every account of the ledger by its purpose."""
        rows = await self.database.fetch("SELECT purpose, balance FROM ledger.account")
        return {row["purpose"]: row["balance"] for row in rows}

    @property
    def settlement(self) -> str:
        return f"settlement {self.account.number}"

    async def callbacks(self) -> list[tuple[str, bytes]]:
        """What merchants are told, in order: the event and the body."""
        rows = await self.database.fetch("SELECT event, body FROM callbacks.delivery ORDER BY created_at, delivery_id")
        return [(row["event"], row["body"]) for row in rows]

    async def check(self) -> None:
        """What must be true at any time."""
        rows = await self.database.fetch("SELECT balance, held, credit_limit FROM ledger.account")
        assert sum(row["balance"] for row in rows) == 0
        assert all(row["credit_limit"] is None or row["balance"] - row["held"] >= 0 for row in rows)
        winners = await self.database.fetch("""
            SELECT i.state, i.paid_by, array_agg(t.id) AS ids FROM checkout.invoice i
            JOIN checkout.transaction t ON t.checkout_id = i.id
            WHERE t.kind = 'payment' AND t.state = 'succeeded' AND NOT t.surplus GROUP BY i.id""")
        for row in winners:
            assert row["ids"] == [row["paid_by"]]
            assert row["state"] in {"paid", "refunded"}
        surplus = await self.database.fetch("""
            SELECT p.amount_units = coalesce(sum(r.amount_units), 0) AS whole FROM checkout.transaction p
            LEFT JOIN checkout.transaction r ON r.refunds = p.id AND r.kind = 'refund'
            WHERE p.surplus AND p.kind = 'payment' GROUP BY p.id""")
        assert all(row["whole"] for row in surplus)

    async def check_settled(self, checkouts: Sequence[UUID]) -> None:
        """What must be true once everybody has answered: the ledger says what the provider did."""
        await self.check()
        moved = self.double.moved_units + self.cards.moved_units
        balances = await self.balances()
        assert -sum(units for purpose, units in balances.items() if purpose.startswith("clearing ")) == moved
        assert balances.get("checkout_losses", 0) == 0
        assert balances.get("checkout_surplus", 0) == 0
        for checkout_id in checkouts:
            checkout = await queries.find_checkout(self.desk, self.actor, checkout_id)
            own = await queries.transactions_of(self.desk, checkout)
            kept = sum(one.amount_units if one.kind is TransactionKind.PAYMENT else -one.amount_units
                       for one in own if one.state is TransactionState.SUCCEEDED)
            if checkout.state in {CheckoutState.PAID, CheckoutState.REFUNDED}:
                paid = next(one for one in own if one.transaction_id == checkout.paid_by)
                assert kept == paid.amount_units - checkout.returned_units
            else:
                assert kept == 0, "a customer has paid for nothing"


async def make_world(database: Database, policy: CheckoutPolicy = POLICY) -> World:
    """Make it in a database that is migrated."""
    double = Double()
    cards = Double("cards", frozenset({Channel.CARD}))
    async with database.transaction() as connection:
        root = await create_organisation(connection, None, name="Platform")
        shop = await create_organisation(connection, root.organisation_id, name="Shop")
        other = await create_organisation(connection, root.organisation_id, name="Other")
        account = await create_merchant_account(connection, shop.organisation_id, name="Book shop")
        await change(connection, account.number, sweep_account=SweepAccount(Channel.MTN, MTN, "Ama Mensah"))
        await vouch(connection, account.number)
        account = await activate(connection, account.number)
        await set_fees(connection, "", "", FEES)
    actor, stranger = (Actor(one.organisation_id, one.chain, 7, None, "GH", "GMT") for one in (shop, other))
    desk = Desk(database, Providers((double,), (cards,)), NOTICES, policy)
    return World(database, desk, double, cards, actor, stranger, account)
