"""The catalogue of the demonstration world: some thirty products, and what each tier asks of the next."""

from collections.abc import Sequence
from decimal import Decimal

from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.types import (
    WHOLE,
    BillingFrequency,
    ChargeModel,
    ChargeType,
    Money,
    PriceRule,
    Product,
    ProductPrice,
    RatePlan,
    RatePlanCharge,
    RuleKind,
    ServiceItem,
)
from makola.kit.database import Connection
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

_CURRENCY = "GBP"
_IMAGES, _DOCUMENTS = "https://images.example.com", "https://documents.example.com"
_PENNY_UNITS = UNITS_PER_CURRENCY_UNIT // 100
_SHIPPING_UNITS = 9 * UNITS_PER_CURRENCY_UNIT
_BATCH_POPULARITY = 100

#: Vendor, type, code, name, description, cost, list price, stock.
_DEVICES = (
    ("Alderney", "Desk phones", "ALD-D10", "Alderney D10 desk phone", "2 lines, plain display", "38.40", "64", 420),
    ("Alderney", "Desk phones", "ALD-D20", "Alderney D20 desk phone", "4 lines, colour display", "61.20", "99", 310),
    ("Alderney", "Desk phones", "ALD-D40", "Alderney D40 desk phone", "12 lines, touch screen", "112.50", "179", 145),
    ("Alderney", "Desk phones", "ALD-D40W", "Alderney D40 desk phone with Wi-Fi", "12 lines, touch screen, Wi-Fi",
     "124.80", "199", 88),
    ("Alderney", "Conference phones", "ALD-C1", "Alderney C1 conference phone", "Small rooms, 3 m pick-up", "198.00",
     "319", 61),
    ("Alderney", "Conference phones", "ALD-C3", "Alderney C3 conference phone", "Large rooms, 6 m pick-up", "412.00",
     "649", 27),
    ("Alderney", "Power supplies", "PSU-5V", "Alderney 5 V power supply", "For all D phones", "4.10", "9.50", 2400),
    ("Brechin", "Cordless phones", "BRE-70", "Brechin 70 cordless handset", "Colour display, 18 h talk time", "54.30",
     "89", 260),
    ("Brechin", "Cordless phones", "BRE-75R", "Brechin 75R rugged handset", "IP65, alarm button", "121.00", "195", 74),
    ("Brechin", "Cordless phones", "BRE-B4", "Brechin B4 base station", "4 calls, 20 handsets", "82.90", "139", 133),
    ("Brechin", "Cordless phones", "BRE-B8", "Brechin B8 multicell base station", "8 calls, seamless hand-over",
     "154.00", "249", 52),
    ("Brechin", "Power supplies", "PSU-5V", "Brechin 5 V charger", "For all Brechin handsets", "6.20", "14", 900),
    ("Corran", "Headsets", "COR-H1", "Corran H1 wired headset", "USB-C, one ear", "27.60", "45", 510),
    ("Corran", "Headsets", "COR-H2", "Corran H2 wired headset", "USB-C, two ears", "33.10", "55", 470),
    ("Corran", "Headsets", "COR-W2", "Corran W2 wireless headset", "Bluetooth, noise cancelling", "96.00", "159", 205),
    ("Corran", "Headsets", "COR-W2D", "Corran W2 wireless headset with stand", "Bluetooth, charging stand", "113.00",
     "189", 97),
    ("Corran", "Cameras", "COR-V1", "Corran V1 webcam", "1080p, cover", "41.00", "69", 340),
    ("Corran", "Cameras", "COR-V4", "Corran V4 room camera", "4K, 120° view", "265.00", "429", 36),
    ("Dunlin", "Gateways", "DUN-G2", "Dunlin G2 analogue gateway", "2 FXS ports", "39.00", "65", 190),
    ("Dunlin", "Gateways", "DUN-G24", "Dunlin G24 analogue gateway", "24 FXS ports", "498.00", "799", 12),
    ("Dunlin", "Switches", "DUN-S8P", "Dunlin S8P switch", "8 ports, 120 W PoE", "88.00", "145", 150),
    ("Dunlin", "Switches", "DUN-S24P", "Dunlin S24P switch", "24 ports, 370 W PoE", "244.00", "389", 64),
    ("Dunlin", "Routers", "DUN-R5", "Dunlin R5 router", "5G and fibre, dual SIM", "219.00", "349", 41),
    ("", "", "CABLE-2M", "Patch cable, 2 m", "Cat. 6A, blue", "1.15", "2.90", 12000),
    ("", "", "CABLE-5M", "Patch cable, 5 m", "Cat. 6A, blue", "1.90", "4.50", 8000),
)
#: Code, name, description, price a month and user, price for setting up.
_SUBSCRIPTIONS = (
    ("EGR-UC-S", "Egret telephony, small", "Calls and voicemail", "3.20", "5"),
    ("EGR-UC-M", "Egret telephony, medium", "Calls, voicemail, meetings", "5.90", "5"),
    ("EGR-UC-L", "Egret telephony, large", "Calls, meetings, contact centre", "14.40", "25"),
    ("EGR-REC", "Egret call recording", "Twelve months of recordings", "1.80", "0"),
    ("EGR-SMS", "Egret text messages", "Text messages from the desk phone", "0.90", "0"),
)


async def create_demonstration_catalogue(connection: Connection, chain: Sequence[int]) -> None:
    """Make the products, and prices that differ at each tier.

    Args:
        connection: the transaction in which the organisations were made.
        chain: the five tiers, the root of the tree first.
    """
    products = [_device(*device, popularity) for device, popularity in zip(
        _DEVICES, range(len(_DEVICES) * _BATCH_POPULARITY, 0, -_BATCH_POPULARITY), strict=True)]
    products += [_subscription(*each) for each in _SUBSCRIPTIONS]
    product_ids = await save_products(connection, products)
    ids = {product.product_code: product_id for product, product_id in zip(products, product_ids, strict=True)}
    platform, distributor, wholesaler, reseller, _ = chain
    await save_rules(connection, [
        _markup(platform, "8"),
        _markup(distributor, "6"),
        _fixed(distributor, ids["ALD-D20"], "70"),
        _fixed(distributor, ids["ALD-D20"], "66", min_quantity=50),
        _markup(wholesaler, "9"),
        PriceRule(0, wholesaler, RuleKind.WITHHELD, product_id=ids["DUN-G24"]),
        _markup(reseller, "15", rounding_units=_PENNY_UNITS),
        _markup(reseller, "20", product_id=ids["COR-W2"], rounding_units=_PENNY_UNITS),
    ])


def _units(amount: str) -> int:
    return int(Decimal(amount) * UNITS_PER_CURRENCY_UNIT)


def _markup(seller_id: int, per_cent: str, *, product_id: int | None = None, rounding_units: int = 1) -> PriceRule:
    return PriceRule(0, seller_id, RuleKind.MARKUP, int(Decimal(per_cent) * WHOLE / 100), product_id=product_id,
                     rounding_units=rounding_units)


def _fixed(seller_id: int, product_id: int, price: str, *, min_quantity: int = 1) -> PriceRule:
    return PriceRule(0, seller_id, RuleKind.FIXED, _units(price), product_id=product_id, currency=_CURRENCY,
                     min_quantity=min_quantity)


def _device(vendor: str, type_: str, code: str, name: str, description: str, cost: str, rrp: str, stock: int,
            popularity: int) -> Product:
    path = f"{vendor.lower() or 'others'}/{code.lower()}"
    is_cable = not vendor
    return Product(
        code, name, vendor, type_, description, f"{name}: {description}.\nMade for the demonstration world.",
        "\n".join(description.split(", ")), f"{_IMAGES}/{path}/thumb.png", f"{_IMAGES}/{path}/main.png",
        f"{_DOCUMENTS}/{path}/datasheet.pdf", "" if is_cable else f"{_DOCUMENTS}/{path}/guide.pdf",
        "" if is_cable else f"{_DOCUMENTS}/{path}/quickstart.pdf", stock, "", True, not is_cable, popularity,
        prices=(ProductPrice(_CURRENCY, _units(cost), _units(rrp), _SHIPPING_UNITS),),
        provisioning=() if is_cable else (
            ServiceItem(f"{code}-PROV", f"{name}: provisioning", costs=(Money(_CURRENCY, _units("4.50")),)),),
        maintenance=() if is_cable else (
            ServiceItem(f"{code}-MNT1", f"{name}: replacement next day, 1 year",
                        costs=(Money(_CURRENCY, _units(cost) // 10),)),
            ServiceItem(f"{code}-MNT3", f"{name}: replacement next day, 3 years", dovetail=True,
                        costs=(Money(_CURRENCY, _units(cost) // 4),))))


def _subscription(code: str, name: str, description: str, monthly: str, set_up: str) -> Product:
    def plan(plan_name: str, months: int, frequency: BillingFrequency, factor: str, *, default: bool) -> RatePlan:
        charges = [RatePlanCharge("Licence", ChargeType.RECURRING, ChargeModel.PER_UNIT, "User",
                                  (Money(_CURRENCY, _units(monthly) * int(Decimal(factor) * 100) // 100),))]
        if Decimal(set_up):
            charges.append(RatePlanCharge("Setting up", ChargeType.ONE_TIME, ChargeModel.FLAT_FEE, "Order",
                                          (Money(_CURRENCY, _units(set_up)),)))
        return RatePlan(plan_name, months, frequency, months, default, 1, 1000, tuple(charges))

    return Product(
        code, name, "Egret", "Subscriptions", description, f"{name}: {description}.", description,
        subscription_type="EGRET", is_shippable=False, popularity=_BATCH_POPULARITY,
        prices=(ProductPrice(_CURRENCY, 0, None, 0),),
        rate_plans=(plan("Monthly", 1, BillingFrequency.MONTHLY, "1", default=False),
                    plan("Two years", 24, BillingFrequency.MONTHLY, "0.85", default=True)))
