"""What ordering asks of others: prices from the catalogue, and somebody who ships."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from makola.core.ordering.types import Address, Item, TierPrice
from makola.kit.database import Connection

# -- prices ---------------------------------------------------------------------------------------------------


class Refusal(enum.Enum):
    """Why an item cannot be had."""

    UNKNOWN_PRODUCT = "is not on your price list"
    AMBIGUOUS_PRODUCT = "is the code of several vendors' products: name the one in product"
    UNKNOWN_PROVISIONING = "is not a provisioning item of this product"


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as an organisation can have it.

    Attributes:
        minimum_quantity: the least that can be ordered.
        maximum_quantity: the most; None for no limit but the order's own.
        tiers: what each tier pays for one, provisioning included, from the root down to the buyer.
        shipping_units: what shipping it costs, however many, every tier alike, in the same currency; 0 where it is
            not shipped.
    """

    product_id: int
    product_code: str
    vendor_id: int | None
    name: str
    is_shippable: bool
    minimum_quantity: int
    maximum_quantity: int | None
    tiers: tuple[TierPrice, ...]
    shipping_units: int = 0

    @property
    def price(self) -> TierPrice:
        """What the buyer pays."""
        return self.tiers[-1]


class PriceSource(Protocol):
    """The catalogue, as ordering needs it."""

    async def offers(self, connection: Connection, chain: Sequence[int], currency: str,
                     items: Sequence[Item]) -> list[Offer | Refusal]:
        """Return what each item is offered at to the last organisation of `chain` (root first), in order.

        Args:
            connection: reads only.
            chain: the tiers, from the root down to the buyer.
            currency: in which the buyer pays.
            items: what it wants.
        """
        ...


# -- fulfilment -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WarehouseLine:
    """One product to be shipped."""

    number: int
    product_id: int
    product_code: str
    vendor_id: int | None
    name: str
    prov_product_code: str
    quantity: int
    is_shippable: bool


@dataclass(frozen=True, slots=True)
class WarehouseOrder:
    """An order as the warehouse needs it: no prices.

    Attributes:
        submission: counts how often it was handed over, from 1; with `reference` it names this hand-over.
        shipping_type: its name; empty for none.
    """

    order_id: int
    reference: UUID
    submission: int
    organisation_id: int
    purchase_order_number: str
    shipping_address: Address | None
    shipping_type: str
    provisioning_instructions: str
    lines: tuple[WarehouseLine, ...]


class Outcome(enum.Enum):
    """What became of a hand-over.

    TAKEN: the warehouse has it and will say how it goes on. RETRY: it could not be reached. ACCEPTED, ATTENTION and
    FAILED: it has decided already.
    """

    TAKEN = "taken"
    RETRY = "retry"
    ACCEPTED = "accepted"
    ATTENTION = "attention"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Handover:
    """The answer to a hand-over: `reason` is for the reseller, `note` for the operator's eyes."""

    outcome: Outcome
    reason: str = ""
    note: str = ""


class Fulfilment(Protocol):
    """Who ships. The same order may be handed over twice after a crash; `reference` and `submission` tell."""

    @property
    def name(self) -> str:
        """What the log and the history call it."""
        ...

    async def submit(self, order: WarehouseOrder) -> Handover:
        """Hand an order over. Being unreachable is an outcome, never an exception."""
        ...

    async def cancel(self, order: WarehouseOrder) -> Handover:
        """Say that an order was cancelled before it was accepted; `TAKEN` or `RETRY`."""
        ...


class ManualFulfilment:
    """Nobody is told: a person looks at `makola orders list` and says what happens."""

    name = "manual"

    async def submit(self, order: WarehouseOrder) -> Handover:
        """Leave the order to the person."""
        del order
        return Handover(Outcome.TAKEN)

    async def cancel(self, order: WarehouseOrder) -> Handover:
        """Leave it: the person sees the state."""
        del order
        return Handover(Outcome.TAKEN)
