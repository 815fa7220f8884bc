"""Formulas that are learned when they are first asked, so that what the choice drops costs nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.formulas import Effect, Formula, Table, Trees

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True, eq=False)
class Once(Generic[Made]):
    """What is made at the first call, and the same at all others; it belongs to one thread."""

    make: Callable[[], Made]
    made: list[Made] = field(default_factory=list)

    def __call__(self) -> Made:
        """Return it."""
        if not self.made:
            self.made.append(self.make())
        return self.made[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Later:
    """One of the formulas that are learned together, at `place` among them."""

    place: str
    learned: Once[Mapping[str, Formula]]

    def now(self) -> Formula:
        """Return the formula."""
        return self.learned()[self.place]

    def of(self, table: Table) -> Floats:
        """Return the numbers, shape (n,)."""
        return self.now().of(table)


def later(names: tuple[str, ...], learn: Callable[[], Mapping[str, Formula]]) -> dict[str, Formula]:
    """Return formulas by name, which are learned by one call when the first of them is asked.

    Example:
        >>> from cxcausal.heterogeneity.formulas import constant
        >>> found = later(("one", "two"), lambda: {"one": constant(1.0), "two": constant(2.0)})
        >>> float(now(found["two"]).slopes[0])
        2.0
    """
    learned = Once(make=learn)
    return {name: Later(place=name, learned=learned) for name in names}


def now(formula: Formula) -> Formula:
    """Return a formula that is learned."""
    return formula.now() if isinstance(formula, Later) else formula


def learned(effect: Effect) -> Effect:
    """Return an effect whose formulas are learned."""
    return Effect(arms=tuple(tuple((times, now(formula)) for times, formula in terms) for terms in effect.arms))


def lasting(effect: Effect) -> Effect:
    """Return an effect whose formulas are learned, and keep nothing of the units that they were learned from."""
    found = learned(effect)
    for formula in (formula for terms in found.arms for _, formula in terms):
        if isinstance(formula, Trees):
            formula.forget()
    return found
