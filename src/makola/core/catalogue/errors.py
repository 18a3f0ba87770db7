"""What the catalogue refuses."""

from makola.kit.errors import DomainError


class UnknownProductError(DomainError):
    """There is no such product among those that the buyer is offered."""

    code = "unknown_product"


class AmbiguousProductError(DomainError):
    """Several vendors have a product of this code: the vendor must be named."""

    code = "ambiguous_product"


class UnknownPartError(DomainError):
    """The product has no such provisioning item, or it is not offered to the buyer."""

    code = "unknown_part"


class InvalidProductError(DomainError):
    """A value that a product cannot have."""

    code = "invalid_product"


class InvalidPriceRuleError(DomainError):
    """A price rule that cannot be, such as a fixed price for a whole vendor."""

    code = "invalid_price_rule"


class UnknownPriceRuleError(DomainError):
    """There is no such price rule in the actor's sight."""

    code = "unknown_price_rule"


class UnknownFilterError(DomainError):
    """A list was asked for by a vendor or a type that does not exist."""

    code = "unknown_filter_value"
