"""What a use case of this domain refuses with."""

from typing import ClassVar

from makola.kit.errors import DomainError


class DeliveryNotFoundError(DomainError):
    """There is no such delivery, or it is another organisation's."""

    code: ClassVar[str] = "callback_not_found"


class InvalidOverlapError(DomainError):
    """Two signing secrets cannot hold for so long."""

    code: ClassVar[str] = "invalid_overlap"
