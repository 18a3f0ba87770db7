"""Accounts, holds and transfers."""

import enum
from dataclasses import dataclass
from uuid import UUID


class HoldState(enum.IntEnum):
    """A hold is closed once, one way or the other."""

    OPEN = 0
    POSTED = 1
    VOIDED = 2


@dataclass(frozen=True, slots=True)
class Leg:
    """One amount to move from one account to another, in 1/10,000 of their currency's unit."""

    debit_id: int
    credit_id: int
    amount_units: int


@dataclass(frozen=True, slots=True)
class NewHold:
    """Amounts to reserve together: all legs or none."""

    hold_id: UUID
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account's present figures, in 1/10,000 of `currency`'s unit. `credit_limit_units` None: no limit."""

    account_id: int
    owner_id: int
    purpose: str
    currency: str
    balance_units: int
    held_units: int
    credit_limit_units: int | None

    @property
    def available_units(self) -> int | None:
        """What may still be spent; None when there is no limit."""
        if self.credit_limit_units is None:
            return None
        return self.balance_units - self.held_units + self.credit_limit_units
