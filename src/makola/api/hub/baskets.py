"""Baskets: what is going to be ordered."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from litestar import MediaType, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.paging import Paging
from makola.api.hub.reading import HubRequest, Id, from_body, from_query, given
from makola.core.ordering import queries
from makola.core.ordering import types as core
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.service import baskets, request_keys
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_TAGS = ["Baskets"]
_MOST_QUANTITY = 1_000_000
_MOST_COUNTRY_ID = 2**31 - 1

PRICES = CataloguePrices()

Line = Annotated[str, Meta(max_length=200)]
Quantity = Annotated[int, Meta(ge=1, le=_MOST_QUANTITY)]
CountryId = Annotated[int, Meta(ge=1, le=_MOST_COUNTRY_ID, description="A country's id; see `/country_codes`.")]


class ShippingAddress(msgspec.Struct):
    """Where goods go."""

    company_name: Line | None = None
    recipient_name: Line | None = None
    addr_line_1: Line | None = None
    addr_line_2: Line | None = None
    city: Line | None = None
    region: Line | None = None
    postal_code: Line | None = None
    country_code: CountryId | None = None


class NewLineItem(msgspec.Struct):
    """So many of one product."""

    quantity: Quantity
    product_code: Annotated[Line, Meta(description="Unique within a vendor only.")] = ""
    prov_product_code: Annotated[Line | None, Meta(
        description="The `sku` of one of the product's provisioning items.")] = None
    product: Annotated[Id | None, Meta(
        description="The product's id, where its code alone is not enough (ours).")] = None


class NewBasket(msgspec.Struct):
    """A basket to keep: what is given must be possible, what an order needs may still lack."""

    line_items: list[NewLineItem] = []
    name: Line | None = None
    purchase_order_number: Annotated[str, Meta(max_length=100)] | None = None
    shipping_address: ShippingAddress | None = None
    shipping_type: Annotated[Id | None, Meta(description="See `/shipping_types`.")] = None
    provisioning_instructions: Annotated[str, Meta(max_length=4000)] | None = None
    organisation: Annotated[Id | None, Meta(
        description="For whom, below one's own organisation, which it is otherwise (ours).")] = None


class BasketPatch(msgspec.Struct):
    """What to change; what is left out stays, and `line_items` are replaced together."""

    line_items: list[NewLineItem] | UnsetType = UNSET
    name: Line | UnsetType | None = UNSET
    purchase_order_number: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    shipping_address: ShippingAddress | UnsetType | None = UNSET
    shipping_type: Id | UnsetType | None = UNSET
    provisioning_instructions: Annotated[str, Meta(max_length=4000)] | UnsetType | None = UNSET


class LineItem(msgspec.Struct):
    """So many of one product. `product` is null where only its code was given."""

    product_code: str
    quantity: int
    prov_product_code: str
    product: int | None


class Basket(msgspec.Struct):
    """A basket. `order` is the order that was made of it, which ends its changes."""

    id: int
    organisation: int
    name: str
    purchase_order_number: str
    shipping_address: ShippingAddress | None
    shipping_type: int | None
    provisioning_instructions: str
    line_items: list[LineItem]
    order: int | None
    created_at: datetime
    updated_at: datetime


class BasketQuery(Paging, frozen=True, kw_only=True):
    """Which baskets are wanted."""

    organisation: Annotated[tuple[Id, ...], Meta(description="Only those of these organisations (ours).")] = ()


@get("/baskets", dependencies={"filters": from_query(BasketQuery)}, tags=_TAGS,
     opt={"permission": Permission.BASKET_VIEW})
async def list_baskets(actor: NamedDependency[Actor], database: NamedDependency[Database],
                       filters: NamedDependency[BasketQuery]) -> Response[list[Basket]]:
    """Get a list of baskets.

    Those of one's own organisation and of its descendants, the newest first.
    """
    async with database.connection() as connection:
        found, total = await queries.list_baskets(
            connection, actor, filters.organisation, skip=filters.offset, limit=filters.per_page)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/baskets/{basket_id:int}", tags=_TAGS, opt={"permission": Permission.BASKET_VIEW})
async def get_basket(actor: NamedDependency[Actor], database: NamedDependency[Database],
                     basket_id: FromPath[int]) -> Basket:
    """Get one basket."""
    async with database.connection() as connection:
        return _written(await queries.find_basket(connection, actor, basket_id))


@post("/baskets", dependencies={"sent": from_body(NewBasket)}, tags=_TAGS,
      opt={"permission": Permission.BASKET_CREATE, "errors": (404, 409)})
async def create_basket(request: HubRequest, actor: NamedDependency[Actor], database: NamedDependency[Database],
                        sent: NamedDependency[NewBasket]) -> Response[Basket]:
    """Make a basket.

    Only products on one's price list; the country and the shipping type must fit where both are given. With the header
    `Idempotency-Key`, the same request again is answered as the first time, and makes nothing.
    """
    async def work(connection: Connection) -> Basket:
        basket_id = await baskets.create_basket(
            connection, actor, content_of(sent), PRICES, organisation_id=sent.organisation)
        return _written(await queries.visible_basket(connection, actor, basket_id))

    return await once(request, actor, database, work)


@patch("/baskets/{basket_id:int}", dependencies={"sent": from_body(BasketPatch)}, tags=_TAGS,
       opt={"permission": Permission.BASKET_CHANGE, "errors": (409,)})
async def change_basket(actor: NamedDependency[Actor], database: NamedDependency[Database], basket_id: FromPath[int],
                        sent: NamedDependency[BasketPatch]) -> Basket:
    """Change a basket (ours).

    A basket that was ordered does not change any more: 409.
    """
    async with database.transaction() as connection:
        basket = await baskets.lock_basket(connection, actor, basket_id)
        await baskets.change_basket(connection, actor, basket_id, _changed(basket.content, sent), PRICES)
        return _written(await queries.visible_basket(connection, actor, basket_id))


@delete("/baskets/{basket_id:int}", tags=_TAGS, opt={"permission": Permission.BASKET_CHANGE, "errors": (409,)})
async def delete_basket(actor: NamedDependency[Actor], database: NamedDependency[Database],
                        basket_id: FromPath[int]) -> None:
    """Delete a basket (ours)."""
    async with database.transaction() as connection:
        await baskets.delete_basket(connection, actor, basket_id)


Answer = TypeVar("Answer", bound=msgspec.Struct)


async def once(request: HubRequest, actor: Actor, database: Database,
               work: Callable[[Connection], Awaitable[Answer]]) -> Response[Answer]:
    """Do what is asked in one transaction, or answer what the same request was answered before.

    Args:
        request: its header Idempotency-Key names it; without one, it is done each time.
        actor: who asks.
        database: where.
        work: does it and returns what to answer with 201.
    """
    key = request.headers.get("idempotency-key", "")
    async with database.transaction() as connection:
        body = None
        if key:
            asked = request.scope["path"].encode() + b"\0" + await request.body()
            body = await request_keys.recall(connection, actor, key, asked)
        if body is None:
            body = msgspec.json.encode(await work(connection))
            if key:
                await request_keys.remember(connection, actor, key, body)
    return Response(body, status_code=201, media_type=MediaType.JSON)  # type: ignore[arg-type] # encoded already


def content_of(sent: NewBasket) -> core.Content:
    """Return what a request wants."""
    return core.Content(
        items_of(sent.line_items), sent.name or "", (sent.purchase_order_number or "").strip(),
        address_of(sent.shipping_address), sent.shipping_type, sent.provisioning_instructions or "")


def items_of(sent: Sequence[NewLineItem]) -> tuple[core.Item, ...]:
    """Return the lines that a request wants."""
    return tuple(core.Item(item.product_code, item.quantity, item.prov_product_code or "", item.product)
                 for item in sent)


def address_of(sent: ShippingAddress | None) -> core.Address | None:
    """Return the address of a request."""
    if sent is None:
        return None
    return core.Address(
        (sent.company_name or "").strip(), (sent.recipient_name or "").strip(), (sent.addr_line_1 or "").strip(),
        (sent.addr_line_2 or "").strip(), (sent.city or "").strip(), (sent.region or "").strip(),
        (sent.postal_code or "").strip(), sent.country_code or 0)


def written_address(address: core.Address | None) -> ShippingAddress | None:
    """Return an address as it is answered."""
    if address is None:
        return None
    return ShippingAddress(
        address.company_name, address.recipient_name, address.addr_line_1, address.addr_line_2, address.city,
        address.region, address.postal_code, address.country_id or None)


def _changed(content: core.Content, sent: BasketPatch) -> core.Content:
    def text(value: str | UnsetType | None, present: str) -> str:
        return present if isinstance(value, UnsetType) else value or ""

    lines = given(sent.line_items)
    return core.Content(
        content.items if lines is None else items_of(lines), text(sent.name, content.name),
        text(sent.purchase_order_number, content.purchase_order_number).strip(),
        content.shipping_address if isinstance(sent.shipping_address, UnsetType)
        else address_of(sent.shipping_address),
        content.shipping_type_id if isinstance(sent.shipping_type, UnsetType) else sent.shipping_type,
        text(sent.provisioning_instructions, content.provisioning_instructions))


def _written(basket: core.Basket) -> Basket:
    content = basket.content
    return Basket(
        basket.basket_id, basket.organisation_id, content.name, content.purchase_order_number,
        written_address(content.shipping_address), content.shipping_type_id, content.provisioning_instructions,
        [LineItem(item.product_code, item.quantity, item.prov_product_code, item.product_id)
         for item in content.items],
        basket.order_id, basket.created_at, basket.updated_at)


route_handlers = [list_baskets, get_basket, create_basket, change_basket, delete_basket]
