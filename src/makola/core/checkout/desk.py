"""What checkout's services work with: the database, the providers, the policy, and where money is kept."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.notices import Notices
from makola.core.checkout.ports import Providers
from makola.core.checkout.store import merchants
from makola.core.checkout.types import MerchantAccount
from makola.core.ledger.service import open_account
from makola.kit.database import Connection, Database
from makola.kit.money import UNITS_PER_CURRENCY_UNIT
from makola.kit.outgoing import AddressPolicy

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class CheckoutPolicy:
    """How checkouts are dealt with.

    Attributes:
        lifetime_s: how long a checkout can be paid.
        grace_s: how long after that an attempt under way may still end it.
        minimum_units: the least that can be asked for.
        maximum_units: the most.
        reference_length: the longest client reference.
        attempts_limit: attempts at one checkout.
        poll_delays_s: after how long, counted from its beginning, a provider is asked about a transaction; the last
            one is repeated.
        hint_delays_s: after how long a provider is asked again that a notice had us ask, and that did not answer: each
            counted from the question before it. Then as if there had been no notice.
        poll_for_s: after how long nobody is asked any more, and a person must look.
        ask_timeout_s: how long a provider may take to answer.
        lease_s: how long a claimed transaction is left to its process; above twice `ask_timeout_s`, because a provider
            is asked how it stands and then, where it has never heard of it, for the thing itself.
        document_limit_bytes: the largest file that is taken in.
        document_directory: where files are kept; None where none are taken in.
        addresses: where callbacks may go.
        remember_s: for how long a merchant account and its fees are believed without asking the database.
    """

    lifetime_s: float = 86_400.0
    grace_s: float = 900.0
    minimum_units: int = UNITS_PER_CURRENCY_UNIT // 10
    maximum_units: int = 1_000_000 * UNITS_PER_CURRENCY_UNIT
    reference_length: int = 36
    attempts_limit: int = 20
    poll_delays_s: tuple[float, ...] = (30.0, 120.0, 300.0, 3_600.0)
    hint_delays_s: tuple[float, ...] = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
    poll_for_s: float = 86_400.0
    ask_timeout_s: float = 20.0
    lease_s: float = 45.0
    document_limit_bytes: int = 5_242_880
    document_directory: Path | None = None
    addresses: AddressPolicy = field(default_factory=AddressPolicy)
    remember_s: float = 0.0

    def __post_init__(self) -> None:
        if self.lease_s <= 2 * self.ask_timeout_s:
            raise ValueError("a lease must be longer than a provider may take to answer twice")

    def first_due(self, at: datetime) -> datetime:
        """Return when a transaction that begins now is asked about."""
        return at + timedelta(seconds=self.poll_delays_s[0])

    def next_due(self, created_at: datetime, at: datetime) -> datetime | None:
        """Return when to ask again; None when it was asked for long enough."""
        age_s = (at - created_at).total_seconds()
        if age_s >= self.poll_for_s:
            return None
        for delay_s in self.poll_delays_s:
            if delay_s > age_s:
                return created_at + timedelta(seconds=delay_s)
        return at + timedelta(seconds=self.poll_delays_s[-1])


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger's accounts behind one provider in one currency.

    Attributes:
        clearing_id: what the provider holds for us: it goes below zero by what came in.
        fees_id: what we earned.
        surplus_id: what came too much and is to be paid back.
        losses_id: what left although we were told that it had not.
    """

    clearing_id: int
    fees_id: int
    surplus_id: int
    losses_id: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What the services of this domain take as their first argument."""

    database: Database
    providers: Providers
    notices: Notices
    policy: CheckoutPolicy = field(default_factory=CheckoutPolicy)
    _books: dict[tuple[str, str], Books] = field(default_factory=dict, repr=False)
    _accounts: dict[int | str, tuple[float, MerchantAccount]] = field(default_factory=dict, repr=False)
    _tariffs: dict[tuple[int, str], tuple[float, FeeTariff]] = field(default_factory=dict, repr=False)

    async def account(self, source: Connection | Database, key: int | str) -> MerchantAccount | None:
        """Return a merchant account by its id or its number; one that was just read is remembered for a moment."""
        known = self._accounts.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await (merchants.find(source, key) if isinstance(key, str) else merchants.find_by_id(source, key))
        if found is not None and self.policy.remember_s:
            if len(self._accounts) >= _MOST_REMEMBERED:
                self._accounts.clear()
            self._accounts[key] = (time.monotonic() + self.policy.remember_s, found)
        return found

    async def account_of(self, source: Connection | Database, merchant_account_id: int) -> MerchantAccount:
        """Return a merchant account that is known to exist."""
        found = await self.account(source, merchant_account_id)
        if found is None:
            raise LookupError("a merchant account is never deleted")
        return found

    async def tariff(self, source: Connection | Database, merchant_account_id: int, channel: str) -> FeeTariff:
        """Return what a channel costs an account, remembered likewise."""
        key = (merchant_account_id, channel)
        known = self._tariffs.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await merchants.tariff(source, merchant_account_id, channel)
        if self.policy.remember_s:
            if len(self._tariffs) >= _MOST_REMEMBERED:
                self._tariffs.clear()
            self._tariffs[key] = (time.monotonic() + self.policy.remember_s, found)
        return found

    async def books(self, provider: str, currency: str) -> Books:
        """Return the accounts behind a provider, opened at first use. Never call it inside a transaction."""
        known = self._books.get((provider, currency))
        if known is None:
            async with self.database.transaction() as connection:
                # The platform keeps the clearing: it is the root of the tree.
                owner_id = int(await connection.fetchval(
                    "SELECT id FROM organisations.organisation WHERE parent_id IS NULL"))
                clearing = await open_account(connection, owner_id, f"clearing {provider}", currency,
                                              credit_limit_units=None)
                known = Books(clearing, await open_account(connection, owner_id, "checkout_fees", currency),
                              await open_account(connection, owner_id, "checkout_surplus", currency),
                              await open_account(connection, owner_id, "checkout_losses", currency,
                                                 credit_limit_units=None))
            self._books[(provider, currency)] = known
        return known
