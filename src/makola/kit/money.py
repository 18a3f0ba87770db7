"""Money as it is written: amounts are whole numbers of 1/10,000 of a currency's unit, and no float ever."""

#: How many of the numbers that stand for money everywhere here make one unit of a currency.
UNITS_PER_CURRENCY_UNIT = 10_000

_DECIMALS = 4
_HARD_SPACE = "\u00a0"
_NARROW_SPACE = "\u202f"


def decimal_text(units: int, *, decimals: int = 2) -> str:
    """Write an amount exactly, with a point and without thousands: 12345 is `1.2345`, 500000 is `50.00`.

    Args:
        units: in 1/10,000 of the currency's unit.
        decimals: how many there are at least, 0 to 4; more only where the amount has them.
    """
    whole, rest = divmod(abs(units), UNITS_PER_CURRENCY_UNIT)
    digits = f"{rest:0{_DECIMALS}}"
    digits = digits[:decimals] + digits[decimals:].rstrip("0")
    return f"{'-' if units < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def amount_text(units: int, currency: str, language: str) -> str:
    """Write an amount as it is read: `GHS 1,234.50`, in French `1 234,50 GHS`; its spaces break no line.

    Args:
        units: in 1/10,000 of the currency's unit.
        currency: ISO 4217 code.
        language: `fr`; any other is written as in English.
    """
    sign = "-" if units < 0 else ""
    whole, _, digits = decimal_text(abs(units)).partition(".")
    grouped = f"{int(whole):,}"
    if language == "fr":
        return f"{sign}{grouped.replace(',', _NARROW_SPACE)},{digits}{_HARD_SPACE}{currency}"
    return f"{currency}{_HARD_SPACE}{sign}{grouped}.{digits}"
