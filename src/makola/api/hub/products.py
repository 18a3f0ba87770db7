"""Products, at the caller's own price: the hot routes of this family."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from makola.api.common.asgi import Answer
from makola.api.hub.errors import HubError, refused
from makola.api.hub.hot import HotRequest, HotRoute
from makola.api.hub.paging import Paging
from makola.api.hub.reading import IdOrNone, query_of, read_query
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import Selection, SortField, SortKey
from makola.core.organisations.permissions import Permission

_TAG = "Catalogue"
_MOST_TEXT_CHARACTERS = 200
_MOST_SORT_KEYS = 5
_SORT_KEYS = {
    f"{sign}{field.value}": SortKey(field, descending=sign == "-")
    for field in SortField for sign in "+-" if f"{sign}{field.value}" != "+popularity"}
_DEFAULT_SORT = ("-popularity",)

SortBy = Annotated[str, Meta(extra_json_schema={"enum": list(_SORT_KEYS)})]


class ServiceItem(msgspec.Struct):
    """A provisioning or maintenance item, at the caller's price for it."""

    id: int
    sku: str
    name: str
    price: float
    dovetail: bool


class RatePlanChargeCost(msgspec.Struct):
    """What the caller pays for a charge, in one currency."""

    id: int
    currency: Annotated[str, Meta(description="ISO 4217.")]
    charge_cost_price: float


class RatePlanCharge(msgspec.Struct):
    """One charge of a rate plan."""

    id: int
    name: str
    charge_type: Annotated[str, Meta(extra_json_schema={"enum": ["recurring", "one_time", "usage"]})]
    charge_model: Annotated[str, Meta(extra_json_schema={"enum": ["per_unit", "flat_fee", "tiered", "volume"]})]
    rate_plan_charge_costs: list[RatePlanChargeCost]
    unit_of_measure: str


class RatePlan(msgspec.Struct):
    """A way of subscribing to a product. The lengths are in months."""

    id: int
    name: str
    term_length: int
    billing_frequency: Annotated[
        str, Meta(extra_json_schema={"enum": ["monthly", "quarterly", "semi_annual", "annual"]})]
    renewal_term_length: int | None
    default: bool
    min_quantity: int
    max_quantity: int | None
    rate_plan_charges: list[RatePlanCharge]


class Product(msgspec.Struct):
    """A product. `price` is what the caller's organisation pays, in the currency that `whoami` names."""

    id: int
    name: str
    product_code: Annotated[str, Meta(description="Unique within a vendor only.")]
    description: str
    detailed_description: str
    featured_description: str
    vendor: int | None
    type: int | None
    rrp: Annotated[float | None, Meta(description="The list price.")]
    price: float
    thumb_url: str | None
    main_image_url: str | None
    datasheet_url: str | None
    guide_url: str | None
    quickstart_url: str | None
    stock: int
    provisioning: list[ServiceItem]
    maintenance: list[ServiceItem]
    shipping_cost: float
    subscription_type: str | None
    rate_plans: list[RatePlan]
    is_shippable: bool
    is_financeable: bool


class ProductQuery(Paging, frozen=True, kw_only=True):
    """Which products are wanted, and in which order."""

    vendor: Annotated[tuple[IdOrNone, ...], Meta(
        description="Only these vendors; -1 for products without one.")] = ()
    type: Annotated[tuple[IdOrNone, ...], Meta(
        description="Only these product types; -1 for products without one.")] = ()
    text: Annotated[str, Meta(
        max_length=_MOST_TEXT_CHARACTERS, description="A part of the name or of the product code, in any case.")] = ""
    sort_by: Annotated[tuple[SortBy, ...], Meta(
        max_length=_MOST_SORT_KEYS,
        description="`+` ascending, `-` descending; later entries decide between what is equal in the earlier ones."
    )] = _DEFAULT_SORT


def product_routes(shelf: Shelf) -> tuple[HotRoute, ...]:
    """Return the routes.

    Args:
        shelf: the catalogue in memory.
    """

    async def list_products(request: HotRequest) -> Answer:
        wanted = read_query(query_of(request.scope), ProductQuery)
        page = await shelf.page(request.actor.chain, request.actor.currency, _selection(wanted),
                                limit=wanted.per_page, offset=wanted.offset)
        return Answer(200, b"[" + b",".join(page.documents) + b"]", [
            (name.lower().encode(), value.encode()) for name, value in wanted.headers(page.total).items()])

    async def get_product(request: HotRequest) -> Answer:
        document = await shelf.product(request.actor.chain, request.actor.currency, request.path_id)
        if document is None:
            raise HubError("not_found", "There is no such product on your price list.")
        return Answer(200, document)

    return (
        HotRoute("/products", list_products, Permission.PRODUCT_VIEW, "Get a list of products", _TAG, list[Product],
                 ProductQuery, "Only what is on the price list of the caller's organisation."),
        HotRoute("/products/{id}", get_product, Permission.PRODUCT_VIEW, "Get a product", _TAG, Product))


def _selection(wanted: ProductQuery) -> Selection:
    return Selection(frozenset(wanted.vendor), frozenset(wanted.type), wanted.text, _sort_keys(wanted.sort_by))


def _sort_keys(names: Sequence[str]) -> tuple[SortKey, ...]:
    keys: list[SortKey] = []
    for name in names:
        key = _SORT_KEYS.get("+" + name[1:] if name.startswith(" ") else name)  # a bare + in a query is a space
        if key is None:
            raise refused("sort_by", f"Use one or more of {', '.join(_SORT_KEYS)}.")
        keys.append(key)
    return tuple(keys)
