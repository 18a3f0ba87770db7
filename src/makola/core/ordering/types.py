"""Baskets, orders, shipments and shipping types."""

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.organisations.types import Actor


class OrderState(enum.StrEnum):
    """Where an order stands; `states` has what may follow what."""

    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    ATTENTION_REQUIRED = "ATTENTION_REQUIRED"
    ACCEPTED = "ACCEPTED"
    PART_SHIPPED = "PART_SHIPPED"
    SHIPPED = "SHIPPED"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class OriginKind(enum.StrEnum):
    """Which side changed an order: the organisation that ordered, one above it, the warehouse, or this program."""

    RESELLER = "reseller"
    SELLER = "seller"
    WAREHOUSE = "warehouse"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who changes an order.

    Attributes:
        organisation_id: the organisation that acted, where one did.
        user_id: the user, where one acted.
        real_user_id: who acted in that user's name, while emulating.
        name: the person or program at the warehouse.
    """

    kind: OriginKind
    organisation_id: int | None = None
    user_id: int | None = None
    real_user_id: int | None = None
    name: str = ""

    @classmethod
    def of(cls, actor: Actor, organisation_id: int) -> "Origin":
        """Return the origin of what an actor asks for in an order of `organisation_id`."""
        kind = OriginKind.RESELLER if actor.organisation_id == organisation_id else OriginKind.SELLER
        return cls(kind, actor.organisation_id, actor.user_id, actor.real_user_id)


SYSTEM = Origin(OriginKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class ShippingType:
    """A way of shipping. No `countries`: anywhere; `exclude_countries`: anywhere but there."""

    shipping_type_id: int
    name: str
    countries: tuple[int, ...]
    exclude_countries: bool

    def reaches(self, country_id: int) -> bool:
        """Say whether it ships to a country."""
        return not self.countries or (country_id in self.countries) is not self.exclude_countries


@dataclass(frozen=True, slots=True)
class Address:
    """Where goods go. `country_id` is the country's id, not an ISO number; 0 where none is given."""

    company_name: str = ""
    recipient_name: str = ""
    addr_line_1: str = ""
    addr_line_2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country_id: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """What somebody wants: so many of a product.

    Attributes:
        product_code: unique within a vendor only; may be empty where `product_id` is given.
        quantity: at least 1.
        prov_product_code: the code of one of the product's provisioning items; empty for none.
        product_id: tells products of the same code apart; None where the code is enough.
    """

    product_code: str
    quantity: int
    prov_product_code: str = ""
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a basket or an order is made of."""

    items: tuple[Item, ...] = ()
    name: str = ""
    purchase_order_number: str = ""
    shipping_address: Address | None = None
    shipping_type_id: int | None = None
    provisioning_instructions: str = ""


@dataclass(frozen=True, slots=True)
class Basket:
    """A content that is kept for later. `order_id` is the order that was made of it, which ends its changes."""

    basket_id: int
    organisation_id: int
    content: Content
    order_id: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TierPrice:
    """What one tier pays for one of a product, in 1/10,000 of `currency`'s unit."""

    organisation_id: int
    currency: str
    price_units: int


@dataclass(frozen=True, slots=True)
class LineItem:
    """One product of an order.

    Attributes:
        number: its place in the order, from 1.
        currency: in which its buyer pays.
        quoted_units: the buyer's price for one when it ordered, in 1/10,000 of `currency`'s unit.
        shipping_units: what shipping the line costs, in 1/10,000 of `currency`'s unit: the same for every tier, and
            owed with the line's first parcel.
        tiers: what each tier pays for one, the root first, frozen at acceptance; empty until then.
    """

    number: int
    product_id: int
    product_code: str
    vendor_id: int | None
    name: str
    prov_product_code: str
    quantity: int
    shipped_quantity: int
    is_shippable: bool
    currency: str
    quoted_units: int
    shipping_units: int
    tiers: tuple[TierPrice, ...]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of state.

    Attributes:
        number: counts the changes of the order, from 1.
        reason: why, for the reseller.
        note: why, for the warehouse alone.
    """

    number: int
    state: OrderState
    at: datetime
    reason: str
    note: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ShippedItem:
    """What of one line item was shipped."""

    line_number: int
    quantity: int
    serial_numbers: tuple[str, ...] = ()
    mac_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """What left the warehouse in one go.

    Attributes:
        items: what is in it; None for everything that was left.
        carrier: who carries it.
        external_id: the warehouse's own name for it; the same one twice is one shipment. None for none.
    """

    items: tuple[ShippedItem, ...] | None
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel that was recorded."""

    shipment_id: int
    carrier: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime
    items: tuple[ShippedItem, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An order with everything that happened to it.

    Attributes:
        reference: names it for the ledger, the callbacks and the warehouse.
        user_id: who ordered.
        history: every change of state, the first one first.
    """

    order_id: int
    reference: UUID
    organisation_id: int
    user_id: int | None
    state: OrderState
    content: Content
    line_items: tuple[LineItem, ...]
    history: tuple[HistoryEntry, ...]
    shipments: tuple[Shipment, ...]
    created_at: datetime
    updated_at: datetime
