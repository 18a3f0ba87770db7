"""What the family's handlers work with."""

from dataclasses import dataclass

from makola.api.common.credentials import Credentials
from makola.kit.database import Database
from makola.kit.sealing import Sealer


@dataclass(frozen=True, slots=True)
class HubContext:
    """What composition hands to the family.

    Attributes:
        credentials: who may call.
        max_body_bytes: a longer body is refused with 413.
        allow_private_callbacks: whether callbacks may go to loopback and private addresses.
        sealer: opens what applications are told when an authorization ends; without one they are not told.
    """

    database: Database
    credentials: Credentials
    max_body_bytes: int
    allow_private_callbacks: bool = False
    sealer: Sealer | None = None
