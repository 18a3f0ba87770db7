"""What is to be reached, and whether it is."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Target:
    """One figure and its bound. `relation` is one of < <= >= >."""

    text: str
    value: float
    relation: str
    bound: float

    @property
    def is_reached(self) -> bool:
        """Whether the figure is as it is to be."""
        return _RELATIONS[self.relation](self.value, self.bound)

    def __str__(self) -> str:
        said = "reached" if self.is_reached else "NOT REACHED"
        return f"  {self.text:<48} {self.value:>9,.2f}  target {f'{self.relation} {self.bound:,.4g}':<10} {said}"
