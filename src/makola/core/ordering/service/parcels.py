"""What may be in a parcel."""

import re
from collections.abc import Mapping

from makola.core.ordering.errors import InvalidShipmentError
from makola.core.ordering.types import LineItem, Parcel, ShippedItem

_MOST_CHARACTERS = 200
_MOST_URL_CHARACTERS = 2000
_NOT_HEX = re.compile(r"[:.\-\s]")
_MAC = re.compile(r"[0-9A-F]{12}")


def checked_items(parcel: Parcel, lines: Mapping[int, LineItem]) -> list[ShippedItem]:
    """Return what is in a parcel, MAC addresses in one form; everything that is left where it names nothing.

    Args:
        parcel: as the warehouse told of it.
        lines: the order's, by number.

    Raises:
        InvalidShipmentError: a line is not there, or less of it is left, or there are too many serial numbers.
    """
    _check_texts(parcel)
    if parcel.items is None:
        return [ShippedItem(line.number, line.quantity - line.shipped_quantity) for line in lines.values()
                if line.shipped_quantity < line.quantity]
    if not parcel.items:
        raise InvalidShipmentError("must name at least one line", field="line_items")
    if len({item.line_number for item in parcel.items}) < len(parcel.items):
        raise InvalidShipmentError("must name each line once", field="line_items")
    return [_checked(index, item, lines) for index, item in enumerate(parcel.items)]


def _check_texts(parcel: Parcel) -> None:
    for field, value, most in (("carrier", parcel.carrier, _MOST_CHARACTERS),
                               ("tracking_number", parcel.tracking_number, _MOST_CHARACTERS),
                               ("tracking_url", parcel.tracking_url, _MOST_URL_CHARACTERS),
                               ("external_id", parcel.external_id or "", _MOST_CHARACTERS)):
        if len(value) > most or "\0" in value:
            raise InvalidShipmentError(f"must have at most {most} characters, none of them NUL", field=field)
    if parcel.tracking_url and not parcel.tracking_url.startswith(("https://", "http://")):
        raise InvalidShipmentError("must begin with https:// or http://", field="tracking_url")


def _checked(index: int, item: ShippedItem, lines: Mapping[int, LineItem]) -> ShippedItem:
    at = f"line_items[{index}]"
    line = lines.get(item.line_number)
    if line is None:
        raise InvalidShipmentError("is not a line of this order", field=f"{at}.line")
    left = line.quantity - line.shipped_quantity
    if not 1 <= item.quantity <= left:
        raise InvalidShipmentError(f"must be from 1 to {left}, which is left" if left else "nothing is left to ship",
                                   field=f"{at}.quantity")
    for name, numbers in (("serial_numbers", item.serial_numbers), ("mac_addresses", item.mac_addresses)):
        if len(numbers) > item.quantity:
            raise InvalidShipmentError(f"must be at most {item.quantity}, one for each", field=f"{at}.{name}")
        if any(not number or len(number) > _MOST_CHARACTERS or "\0" in number for number in numbers):
            raise InvalidShipmentError(f"must each have from 1 to {_MOST_CHARACTERS} characters", field=f"{at}.{name}")
    return ShippedItem(item.line_number, item.quantity, item.serial_numbers,
                       tuple(_mac(address, f"{at}.mac_addresses") for address in item.mac_addresses))


def _mac(written: str, field: str) -> str:
    """Return a MAC address as six pairs of hex digits with colons between them."""
    digits = _NOT_HEX.sub("", written).upper()
    if not _MAC.fullmatch(digits):
        raise InvalidShipmentError(f"{written!r} is not a MAC address", field=field)
    return ":".join(digits[place:place + 2] for place in range(0, 12, 2))
