"""One number per unit, as an expression that the engine can compute."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number per unit, as an expression the engine can compute.

    The value is `sum(coefficient × column)` over `terms`, then `transform`ed. With a `denominator` the metric is a
    ratio of means. Units whose value is missing, or whose `response` column is not true, do not count.
    `at_least` belongs to the transform `top_box` (1 where the value is at least that, else 0); `nps` maps 0–6 to
    −100, 7–8 to 0 and 9–10 to 100; `answered` is 1 for the units that would count under `identity` and 0 for all
    others, so that every unit counts; `nonzero` is 1 where the value isn't zero, else 0; `per_nonzero` is the value
    over that indicator, so that a ratio of means is the mean among units whose value isn't zero. `weight` multiplies
    numerator and denominator (a weighted mean is a ratio).

    Money needs what differs by arm (a contact costs, no contact doesn't): `arm_terms` adds the terms of a unit's own
    arm to the sum, and `arm_constant` its own arm's constant; an arm that isn't named there gets nothing added. A
    column with coefficient 0 adds nothing but must still be present: parts that shall sum to a whole say so that way.
    """

    name: str
    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0
    transform: Literal["identity", "top_box", "nps", "answered", "nonzero", "per_nonzero"] = "identity"
    at_least: float | None = None
    denominator: str | None = None
    response: str | None = None
    weight: str | None = None
    arm_terms: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    arm_constant: tuple[tuple[str, float], ...] = ()

    @property
    def is_ratio(self) -> bool:
        """Whether cells carry two components (numerator, denominator) instead of one."""
        return self.denominator is not None or self.weight is not None or self.transform == "per_nonzero"
