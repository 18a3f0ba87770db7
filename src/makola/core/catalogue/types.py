"""Products as they are written, price rules, and what a line of an order costs."""

import enum
from dataclasses import dataclass
from datetime import datetime

#: What a process that keeps the catalogue in memory listens for.
CHANNEL = "catalogue"
#: What a price can be at most; a chain of markups that goes beyond does not offer the product.
MOST_PRICE_UNITS = 10**15
#: A markup of 100 %.
WHOLE = 10_000


class ServiceKind(enum.StrEnum):
    """What a service item of a product is for."""

    PROVISIONING = "provisioning"
    MAINTENANCE = "maintenance"


class BillingFrequency(enum.StrEnum):
    """How often a rate plan is billed."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUAL = "semi_annual"
    ANNUAL = "annual"


class ChargeType(enum.StrEnum):
    """When a charge of a rate plan is made."""

    RECURRING = "recurring"
    ONE_TIME = "one_time"
    USAGE = "usage"


class ChargeModel(enum.StrEnum):
    """How a charge of a rate plan is reckoned."""

    PER_UNIT = "per_unit"
    FLAT_FEE = "flat_fee"
    TIERED = "tiered"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in 1/10,000 of `currency`'s unit."""

    currency: str
    amount_units: int


@dataclass(frozen=True, slots=True)
class ProductPrice:
    """A product's money in one currency. `cost_units` is what the root of the tree pays."""

    currency: str
    cost_units: int
    rrp_units: int | None = None
    shipping_cost_units: int = 0


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A provisioning or maintenance item of a product; `sku` is unique among the product's items of its kind."""

    sku: str
    name: str
    dovetail: bool = False
    costs: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class RatePlanCharge:
    """One charge of a rate plan; `name` is unique within it."""

    name: str
    charge_type: ChargeType
    charge_model: ChargeModel
    unit_of_measure: str = ""
    costs: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class RatePlan:
    """A way of subscribing to a product; `name` is unique within the product."""

    name: str
    term_length_months: int
    billing_frequency: BillingFrequency
    renewal_term_length_months: int | None = None
    is_default: bool = False
    min_quantity: int = 1
    max_quantity: int | None = None
    charges: tuple[RatePlanCharge, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it is written. `product_code` is unique within its vendor only.

    Attributes:
        vendor: the vendor's name; empty for none. The same for `type`.
        stock: what there is; None leaves it as it is, and is 0 of a new product.
        withdrawn: no longer offered to anybody.
    """

    product_code: str
    name: str
    vendor: str = ""
    type: str = ""
    description: str = ""
    detailed_description: str = ""
    featured_description: str = ""
    thumb_url: str = ""
    main_image_url: str = ""
    datasheet_url: str = ""
    guide_url: str = ""
    quickstart_url: str = ""
    stock: int | None = 0
    subscription_type: str = ""
    is_shippable: bool = True
    is_financeable: bool = False
    popularity: int = 0
    withdrawn: bool = False
    prices: tuple[ProductPrice, ...] = ()
    provisioning: tuple[ServiceItem, ...] = ()
    maintenance: tuple[ServiceItem, ...] = ()
    rate_plans: tuple[RatePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A vendor or a product type."""

    number: int
    name: str


class RuleKind(enum.StrEnum):
    """What a price rule does: add a share, name a price, or leave the product out of the buyer's list."""

    MARKUP = "markup"
    FIXED = "fixed"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class PriceRule:
    """What a seller asks of its children; an attribute that is None stands for whatever.

    Attributes:
        rule_id: 0 before it is stored.
        seller_id: the organisation that sells.
        kind: what the rule does.
        amount: of a markup in 1/10,000 (1,250 is 12.5 %); of a fixed price in 1/10,000 of the currency's unit.
        buyer_id: one child.
        product_id: one product; then `type_id` and `vendor_id` are None.
        part_id: one provisioning or maintenance item, or one rate plan charge, of that product.
        min_quantity: counts from this quantity on.
        valid_from: counts from this moment on.
        valid_to: counts until before this moment.
        rounding_units: a price that a markup gives is rounded up to a multiple of this.
    """

    rule_id: int
    seller_id: int
    kind: RuleKind
    amount: int = 0
    buyer_id: int | None = None
    product_id: int | None = None
    part_id: int | None = None
    type_id: int | None = None
    vendor_id: int | None = None
    currency: str | None = None
    min_quantity: int = 1
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    rounding_units: int = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line to be priced.

    Attributes:
        product: the product's code, or its id.
        quantity: at least 1; decides which quantity break counts, at every tier.
        provisioning_sku: one of the product's provisioning items; empty for none.
        vendor_id: tells products of the same code apart.
    """

    product: str | int
    quantity: int = 1
    provisioning_sku: str = ""
    vendor_id: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What one of a product costs every tier, in 1/10,000 of `currency`'s unit.

    Attributes:
        organisation_ids: the tiers, from the root of the tree down to the buyer.
        product_units: what each tier pays for the product.
        provisioning_units: what each tier pays for the provisioning item; zeros without one.
        provisioning_id: the provisioning item; None without one.
        min_quantity: the least that can be had of the product.
        max_quantity: the most; None for any number.
    """

    product_id: int
    product_code: str
    vendor_id: int | None
    name: str
    is_shippable: bool
    min_quantity: int
    max_quantity: int | None
    shipping_cost_units: int
    quantity: int
    currency: str
    organisation_ids: tuple[int, ...]
    product_units: tuple[int, ...]
    provisioning_units: tuple[int, ...]
    provisioning_id: int | None

    @property
    def price_units(self) -> tuple[int, ...]:
        """What each tier pays for one, provisioning included."""
        return tuple(a + b for a, b in zip(self.product_units, self.provisioning_units, strict=True))


class SortField(enum.Enum):
    """What a list of products can be sorted by."""

    POPULARITY = "popularity"
    NAME = "name"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class SortKey:
    """One thing to sort by."""

    field: SortField
    descending: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Which products are asked for, and in which order.

    Attributes:
        vendor_ids: any of these; -1 for products without a vendor; empty for all. The same for `type_ids`.
        text: what name or product code contain, whatever the case; empty for anything.
        sort: the first key counts most; what is equal in all of them is in the order of the ids.
    """

    vendor_ids: frozenset[int] = frozenset()
    type_ids: frozenset[int] = frozenset()
    text: str = ""
    sort: tuple[SortKey, ...] = (SortKey(SortField.POPULARITY, descending=True),)
