"""The values of a request, read as tolerantly as the clients of this API family need (reference, section 0).

Names are lower-cased before they come here. What cannot be read is refused with the sub-code of its field.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from makola.api.unity.errors import UnityError

Values = Mapping[str, object]

_TRUE = {"true", "1", "yes", "y", "on"}
_FALSE = {"false", "0", "no", "n", "off"}

#: `yyyy-MM-dd`, then `HH:mm` with seconds and a fraction of any length where given, then a zone where given. A `+`
#: before the zone may have become a space in a query.
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|z|GMT|UTC|[+\- ]\d{2}:?\d{2}|[+\-]\d{2})?\Z", re.ASCII)


def text(values: Values, name: str, *, code: str = "invalid_parameter", field: str) -> str:
    """Return a text; empty when it is missing. A JSON number is read as its digits."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnityError(code, "This must be a text.", field=field)


def boolean(values: Values, name: str, *, field: str, default: bool = False) -> bool:
    """Return a yes or no in any of the ways in which clients write it."""
    value = values.get(name)
    if value is None or value == "":
        return default
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UnityError("invalid_parameter", "This must be true or false.", field=field)


def integer(values: Values, name: str, *, field: str, default: int, least: int, most: int) -> int:
    """Return a whole number between `least` and `most`."""
    value = values.get(name)
    if value is None or value == "":
        return default
    digits = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if re.fullmatch(r"[+-]?[0-9]{1,18}", digits) and least <= int(digits) <= most:
        return int(digits)
    raise UnityError("invalid_parameter", f"This must be a whole number from {least} to {most}.", field=field)


def time(values: Values, name: str, *, field: str, zone: str) -> datetime | None:
    """Return a moment; None when it is missing. Without a zone it is in the account's, `zone`.

    Raises:
        UnityError: it is not a time (sub-code 5).
    """
    value = values.get(name)
    if value is None or value == "":
        return None
    match = _TIME.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise UnityError("invalid_time", "This must be a time such as 2030-01-31 23:59:59.", field=field)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3, 4, 5, 6))
    microsecond = int((match.group(7) or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
        named = match.group(8)
        if named is None:
            return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if named.upper() in {"Z", "GMT", "UTC"}:
            return moment
        sign = "-" if named[0] == "-" else "+"
        digits = named[1:].replace(":", "").ljust(4, "0")
        offset = datetime.strptime(f"{sign}{digits}", "%z").tzinfo
        return moment.replace(tzinfo=offset).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnityError("invalid_time", "There is no such time.", field=field) from error


def format_time(moment: datetime, zone: str) -> str:
    """Write a moment as this family does: `yyyy-MM-dd HH:mm:ss` in the account's time zone."""
    local = moment if zone in {"GMT", "UTC"} else moment.astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M:%S")


def rate(price_units: int) -> int | float:
    """Write money as a JSON number: whole where it is whole."""
    whole, rest = divmod(price_units, 10_000)
    return whole if rest == 0 else price_units / 10_000
