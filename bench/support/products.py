"""Products for the catalogue benchmark: nested as in the Hub API's example, every one different."""

import random

from makola.core.catalogue.types import (
    BillingFrequency,
    ChargeModel,
    ChargeType,
    Money,
    Product,
    ProductPrice,
    RatePlan,
    RatePlanCharge,
    ServiceItem,
)

_MAKES = ("Desk", "Conference", "Cordless", "Video", "Wireless", "Rugged", "Compact", "Executive", "Hotel", "Softphone")
_KINDS = ("Phone", "Headset", "Gateway", "Switch", "Camera", "Speaker", "Router", "Licence", "Adapter", "Handset")
_WORDS = ("echo", "panorama", "crystal", "harbour", "lantern", "meadow", "orchid", "pepper", "quartz", "saffron",
          "timber", "velvet", "willow", "zephyr", "cobalt", "ember", "falcon", "granite", "hazel", "indigo")
VENDOR_COUNT, TYPE_COUNT = 40, 25


def product(number: int) -> Product:
    """Return product `number`: about 1.4 KiB of JSON."""
    chance = random.Random(number)
    word, make, kind = chance.choice(_WORDS), chance.choice(_MAKES), chance.choice(_KINDS)
    code = f"{chance.randrange(36**4):06X}-{number:05d}"
    cost = chance.randrange(50_000, 9_000_000, 100)

    def item(suffix: str, text: str) -> ServiceItem:
        return ServiceItem(f"{code}-{suffix}", f"{make} {kind.lower()} {text}",
                           costs=(Money("GBP", chance.randrange(10_000, 500_000, 100)),))

    return Product(
        code, f"{word.title()} {make} {kind} {number}", f"Vendor {number % VENDOR_COUNT}",
        f"Type {number % TYPE_COUNT}", "100 Lines, Full Colour, Makes Toast Too",
        "This phone is everything you need in a new device. It makes toast, orders lunch, and even has been known to"
        " save lives*\n*T&Cs apply", "100 lines\nFull colour screen\nIn-built toaster",
        f"https://images.example.com/products/{number}/thumb.png",
        f"https://images.example.com/products/{number}/main.png",
        f"https://documents.example.com/products/{number}/datasheet.pdf",
        f"https://documents.example.com/products/{number}/guide.pdf",
        f"https://documents.example.com/products/{number}/quickstart.pdf", chance.randrange(10_000), "DROPBOX",
        popularity=chance.randrange(100_000), prices=(ProductPrice("GBP", cost, cost * 2, 200_000),),
        provisioning=(item("P", "provisioning"),), maintenance=(item("M", "maintenance"),),
        rate_plans=(RatePlan(
            "Monthly Gold", 24, BillingFrequency.MONTHLY, 12, True, 1, 100,
            (RatePlanCharge("Monthly maintenance fee", ChargeType.RECURRING, ChargeModel.PER_UNIT, "User",
                            (Money("GBP", chance.randrange(10_000, 200_000, 100)),)),)),))
