"""`makola orders …`: the warehouse's side of an order."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from makola.commands.options import with_settings
from makola.commands.session import as_decimal, in_session
from makola.commands.visible import say
from makola.core.ordering import queries
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.errors import InvalidShipmentError
from makola.core.ordering.queries import OrderFilter
from makola.core.ordering.service import acceptance, warehouse
from makola.core.ordering.service.changes import Locked, lock_order
from makola.core.ordering.types import Order, OrderState, Origin, OriginKind, Parcel, ShippedItem
from makola.kit.database import Connection, Database
from makola.kit.whole_numbers import read_whole_number
from makola.settings import Loaded

T = TypeVar("T")

_Deed = Callable[[Connection, Locked], Awaitable[object]]
_STATES = click.Choice([str(state) for state in OrderState], case_sensitive=False)

_by = click.option("--by", metavar="NAME", envvar="USER", default="", show_envvar=True,
                   help="Who says so, for the history.")
_note = click.option("--note", default="", help="Why, for the warehouse alone.")


_ID = click.IntRange(1, 2**63 - 1)
_MOST_LINES = 9_999
_MOST_QUANTITY = 999_999_999


class _OfLine(click.ParamType[tuple[int, str]]):
    """A line's number, a colon, and a value."""

    name = "line:value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """Split at the first colon."""
        line, colon, rest = str(value).partition(":")
        number = read_whole_number(line, largest=_MOST_LINES)
        if number is None or not (colon and rest):
            self.fail(f"{value!r} is not a line's number, a colon and a value", param, ctx)
        return number, rest


@click.group()
def orders() -> None:
    """Accept orders, ship them, and say what is wrong with them."""


@orders.command("list")
@click.option("--state", "states", type=_STATES, multiple=True, help="Only those in this state; repeatable.")
@click.option("--organisation", "organisation_ids", type=_ID, multiple=True, help="Only this organisation's.")
@click.option("--number", "numbers", multiple=True, help="Only those with this purchase order number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@with_settings
def list_orders(loaded: Loaded, states: tuple[str, ...], organisation_ids: tuple[int, ...], numbers: tuple[str, ...],
                limit: int) -> None:
    """Show the newest orders."""
    wanted = OrderFilter(organisation_ids, [OrderState(state.upper()) for state in states], numbers)

    async def use_case(database: Database) -> tuple[Sequence[Order], int]:
        async with database.connection() as connection:
            return await queries.list_all_orders(connection, wanted, skip=0, limit=limit)

    found, total = in_session(loaded, use_case)
    for each in found:
        say(f"{each.order_id:>8}  {each.created_at:%Y-%m-%d %H:%M:%S}  {each.state:<18}"
            f"  organisation {each.organisation_id}  {len(each.line_items)} lines"
            f"  {each.content.purchase_order_number}")
    if total > len(found):
        click.echo(f"{total - len(found)} more; see --limit")


@orders.command("show")
@click.argument("order_id", type=_ID)
@with_settings
def show(loaded: Loaded, order_id: int) -> None:
    """Show ORDER_ID with the prices of every tier."""

    async def use_case(database: Database) -> tuple[Order, str]:
        async with database.connection() as connection:
            order = await queries.find_any_order(connection, order_id)
            type_id = order.content.shipping_type_id
            name = (await queries.find_shipping_type(connection, type_id)).name if type_id is not None else ""
            return order, name

    order, shipping_type = in_session(loaded, use_case)
    for line in _described(order, shipping_type):
        say(line)


@orders.command("accept")
@click.argument("order_id", type=_ID)
@_by
@with_settings
@click.pass_context
def accept(context: click.Context, loaded: Loaded, order_id: int, by: str) -> None:
    """Accept ORDER_ID: freeze every tier's price and reserve its money.

    Exit code 1 where it needs attention instead.
    """
    async def deed(connection: Connection, order: Locked) -> OrderState:
        return await acceptance.accept(connection, order, CataloguePrices(), _warehouse(by))

    order = _do(loaded, order_id, deed)
    if order.state is not OrderState.ACCEPTED:
        context.exit(1)


@orders.command("attention")
@click.argument("order_id", type=_ID)
@click.option("--reason", required=True, help="What the reseller must resolve before it resubmits.")
@_note
@_by
@with_settings
def attention(loaded: Loaded, order_id: int, reason: str, note: str, by: str) -> None:
    """Put ORDER_ID aside until its reseller has resolved something."""
    async def deed(connection: Connection, order: Locked) -> None:
        await acceptance.require_attention(connection, order, _warehouse(by), reason=reason, note=note)

    _do(loaded, order_id, deed)


@orders.command("ship")
@click.argument("order_id", type=_ID)
@click.option("--line", "lines", type=_OfLine(), multiple=True, metavar="LINE:QUANTITY",
              help="What is in the parcel; repeatable. Everything that is left, without.")
@click.option("--serial", "serials", type=_OfLine(), multiple=True, metavar="LINE:NUMBER",
              help="A serial number; repeatable.")
@click.option("--mac", "macs", type=_OfLine(), multiple=True, metavar="LINE:ADDRESS", help="A MAC address; repeatable.")
@click.option("--carrier", default="", help="Who carries it.")
@click.option("--tracking", default="", help="The carrier's number for it.")
@click.option("--tracking-url", default="", help="Where it can be followed.")
@click.option("--shipment", "external_id", help="Your own name for it: the same one twice is one shipment.")
@_by
@with_settings
def ship(loaded: Loaded, order_id: int, lines: Sequence[tuple[int, str]], serials: Sequence[tuple[int, str]],
         macs: Sequence[tuple[int, str]], carrier: str, tracking: str, tracking_url: str, external_id: str | None,
         by: str) -> None:
    """Record that a parcel of ORDER_ID has left, and post its money."""
    async def deed(connection: Connection, order: Locked) -> OrderState:
        whole = await queries.find_any_order(connection, order_id)
        parcel = Parcel(_items(whole, lines, serials, macs), carrier, tracking, tracking_url, external_id)
        return await warehouse.ship(connection, order, parcel, _warehouse(by))

    _do(loaded, order_id, deed)


@orders.command("complete")
@click.argument("order_id", type=_ID)
@click.option("--reason", default="", help="Why, for the reseller.")
@_by
@with_settings
def complete(loaded: Loaded, order_id: int, reason: str, by: str) -> None:
    """End ORDER_ID well; what cannot be shipped counts as delivered."""
    async def deed(connection: Connection, order: Locked) -> None:
        await warehouse.complete(connection, order, _warehouse(by), reason=reason)

    _do(loaded, order_id, deed)


@orders.command("fail")
@click.argument("order_id", type=_ID)
@click.option("--reason", required=True, help="Why, for the reseller.")
@_note
@_by
@with_settings
def fail(loaded: Loaded, order_id: int, reason: str, note: str, by: str) -> None:
    """Give ORDER_ID up; what was not shipped is not owed."""
    async def deed(connection: Connection, order: Locked) -> None:
        await warehouse.fail(connection, order, _warehouse(by), reason=reason, note=note)

    _do(loaded, order_id, deed)


def _warehouse(name: str) -> Origin:
    return Origin(OriginKind.WAREHOUSE, name=name)


def _do(loaded: Loaded, order_id: int, deed: _Deed) -> Order:
    """Do something to an order in one transaction, and say what became of it."""

    async def use_case(database: Database) -> Order:
        async with database.transaction() as connection:
            await deed(connection, await lock_order(connection, order_id))
            return await queries.find_any_order(connection, order_id)

    order = in_session(loaded, use_case)
    last = order.history[-1]
    said = (f"Order {order_id} is {order.state}.", last.reason, last.note)
    say("  ".join(part for part in said if part))
    return order


def _items(order: Order, lines: Sequence[tuple[int, str]], serials: Sequence[tuple[int, str]],
           macs: Sequence[tuple[int, str]]) -> tuple[ShippedItem, ...] | None:
    """Return what is in a parcel; None for everything, where nothing is said of any line."""
    if not (lines or serials or macs):
        return None
    of_line: dict[str, dict[int, list[str]]] = {"serials": defaultdict(list), "macs": defaultdict(list)}
    for name, values in (("serials", serials), ("macs", macs)):
        for line, value in values:
            of_line[name][line].append(value)
    left = {line.number: line.quantity - line.shipped_quantity for line in order.line_items}
    quantities = {line: _quantity(written) for line, written in lines} if lines else {
        number: quantity for number, quantity in left.items() if quantity}
    if strange := {*of_line["serials"], *of_line["macs"]} - quantities.keys():
        raise InvalidShipmentError(f"Line {min(strange)} is not in this parcel.", field="line")
    if len(quantities) < len(lines):
        raise InvalidShipmentError("A line is named twice.", field="line")
    return tuple(ShippedItem(line, quantity, tuple(of_line["serials"][line]), tuple(of_line["macs"][line]))
                 for line, quantity in quantities.items())


def _quantity(written: str) -> int:
    quantity = read_whole_number(written, largest=_MOST_QUANTITY)
    if quantity is None:
        raise InvalidShipmentError(f"{written!r} is not a quantity.", field="line")
    return quantity


def _described(order: Order, shipping_type: str) -> list[str]:
    content, address = order.content, order.content.shipping_address
    lines = [f"Order {order.order_id} of organisation {order.organisation_id}: {order.state}",
             f"  purchase order {content.purchase_order_number or '(none)'}   reference {order.reference}"]
    if address is not None:
        parts = (address.recipient_name, address.company_name, address.addr_line_1, address.addr_line_2, address.city,
                 address.region, address.postal_code)
        lines.append(f"  ship by {shipping_type or '(nothing)'} to " + ", ".join(part for part in parts if part))
    if content.provisioning_instructions:
        lines.append(f"  instructions: {content.provisioning_instructions}")
    for line in order.line_items:
        lines.append(f"  line {line.number}: {line.quantity} x {line.product_code} {line.prov_product_code}"
                     f"  {line.name}   shipped {line.shipped_quantity}"
                     f"   shipping {as_decimal(line.shipping_units)} {line.currency}")
        prices = line.tiers or ()
        lines += [f"      organisation {tier.organisation_id} pays {as_decimal(tier.price_units)} {tier.currency}"
                  for tier in prices]
        if not prices:
            lines.append(f"      offered at {as_decimal(line.quoted_units)} {line.currency}")
    for shipment in order.shipments:
        lines.append(f"  {shipment.shipped_at:%Y-%m-%d %H:%M:%S}  shipped by {shipment.carrier or '(nobody named)'}"
                     f"  {shipment.tracking_number}")
        for item in shipment.items:
            numbers = " ".join((*item.serial_numbers, *item.mac_addresses))
            lines.append(f"      line {item.line_number}: {item.quantity}  {numbers}".rstrip())
    for entry in order.history:
        who = entry.origin.name or (f"user {entry.origin.user_id}" if entry.origin.user_id is not None else "")
        lines.append(f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.state:<18}  {entry.origin.kind} {who}"
                     f"  {entry.reason}  {entry.note}".rstrip())
    return lines
