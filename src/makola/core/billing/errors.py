"""What billing refuses."""

from makola.kit.errors import DomainError


class InvalidTariffError(DomainError):
    """A tariff that cannot be: a negative price, or one for the root of the tree."""

    code = "invalid_tariff"
