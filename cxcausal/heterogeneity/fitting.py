"""Base regressions of effects: planes with a ridge penalty, and boosted trees."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.formulas import Formula, Plane, Trees, columns_of, constant, linear_terms, square_terms
from cxcausal.heterogeneity.later import later
from cxcausal.heterogeneity.lesson import Ground
from cxcausal.heterogeneity.ridge import crossed, ridge
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.binned import Boost, Goal, Sizes

BOOSTED = "boosted"
KINDS = ("linear", "quadratic", BOOSTED)
"""Of base regressions."""
_BLOCK = 20_000
MOST_SQUARED = 30
"""Columns above which products of two are left out."""
_FEWEST_PER_TERM = 2
SLOW = Sizes(trees=120, rate=0.05, leaves=5, fewest_in_leaf=20, ridge=1.0)
"""Effects are small and smooth beside outcomes: few leaves, slowly."""
QUICK = Sizes(trees=60, rate=0.1, leaves=8, fewest_in_leaf=50, ridge=1.0)
"""Where more than `QUICK_FROM` units are learned from, noise is small beside what time costs."""
QUICK_FROM = 50_000
QUICK_KINDS = ("linear", BOOSTED)
"""What arms are learned by there; scores are regressed by all kinds."""
STAGES = (40,)
"""After how many slow trees effects are told besides, so that the choice can stop early."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """What is regressed on the modifiers of some units.

    Attributes:
        units: places among the ground's units, ascending, shape (m,). y: shape (m,). weight: shape (m,).
        times: what multiplies every column, shape (m,); None where nothing does. With it, the plane is an effect's:
            y ≈ times × plane.
    """

    units: Places
    y: Floats
    weight: Floats
    times: Floats | None = None

    def itself(self) -> "Target":
        """Return it, where one is asked for that others work out only then."""
        return self


def shapes_of(ground: Ground, units: int) -> dict[str, npt.NDArray[np.intp]]:
    """Return the planes that so many units can tell, by name."""
    found = {"linear": linear_terms(ground.columns)}
    if 0 < ground.columns <= MOST_SQUARED:
        terms = square_terms(ground.columns, ground.varied)
        if len(terms) * _FEWEST_PER_TERM <= units:
            found["quadratic"] = terms
    return found


def plane(ground: Ground, target: Target, terms: npt.NDArray[np.intp]) -> Plane:
    """Return the plane that fits best, its slopes but for the constant penalised."""
    products = crossed(_blocks(ground, target, terms))
    return Plane(terms=terms, slopes=ridge(products, len(target.units), 1))


def _blocks(ground: Ground, target: Target, terms: npt.NDArray[np.intp]) -> Iterator[tuple[Floats, Floats, Floats]]:
    for start in range(0, len(target.units), _BLOCK):
        part = slice(start, start + _BLOCK)
        columns = columns_of(np.asfortranarray(ground.table.filled[target.units[part]]), terms)
        if target.times is not None:
            columns *= target.times[part][:, None]
        yield columns, target.y[part], target.weight[part]


def boosted(features: Features, target: Target, sizes: Sizes, seed: int, *, binary: bool = False) -> Trees | Plane:
    """Return the trees that fit, on the log odds of what is binary; one mean where there is nothing to split."""
    if not features.columns or np.ptp(target.y) == 0:
        return constant(float(np.average(target.y, weights=target.weight)))
    y, weight = np.zeros(len(features.matrix)), np.zeros(len(features.matrix))
    y[target.units], weight[target.units] = target.y, target.weight / target.weight.mean()
    boost = Boost(
        features=features, y=y, weight=weight, goal=Goal(kind="binary" if binary else "regression"), seed=seed
    )
    return Trees(model=boost.model(target.units, sizes, sizes.trees), trees=sizes.trees)


def stages_of(sizes: Sizes) -> dict[str, int]:
    """Return after how many trees effects are told, by name."""
    early = {f"{BOOSTED}_{stage}": stage for stage in STAGES if sizes is SLOW and stage < sizes.trees}
    return {**early, BOOSTED: sizes.trees}


def staged(formula: Trees | Plane, sizes: Sizes) -> dict[str, Formula]:
    """Return boosted trees after each of `stages_of` their sizes, by name."""
    if isinstance(formula, Plane):
        return dict.fromkeys(stages_of(sizes), formula)
    return {
        name: Trees(model=formula.model, trees=trees, more=formula.more) for name, trees in stages_of(sizes).items()
    }


def regressed(
    ground: Ground, units: int, target: Callable[[], Target], seed: int, only: Sequence[str] = KINDS
) -> dict[str, Formula]:
    """Return base regressions by name, of boosted trees after each of `STAGES`, learned when they are asked.

    Args:
        ground: the modifiers.
        units: how many there are to learn from.
        target: what is regressed.
        seed: for trees.
        only: of which kinds.
    """
    found: dict[str, Formula] = {}
    for name, terms in shapes_of(ground, units).items():
        if name in only:
            found |= later((name,), partial(_plane_alone, ground, target, name, terms))
    if BOOSTED not in only:
        return found
    sizes = QUICK if units > QUICK_FROM else SLOW
    return found | later(tuple(stages_of(sizes)), partial(_trees, ground, target, sizes, seed))


def _plane_alone(
    ground: Ground, target: Callable[[], Target], name: str, terms: npt.NDArray[np.intp]
) -> dict[str, Formula]:
    return {name: plane(ground, target(), terms)}


def _trees(ground: Ground, target: Callable[[], Target], sizes: Sizes, seed: int) -> dict[str, Formula]:
    told = target()
    y, weight = told.y, told.weight
    if told.times is not None:
        y, weight = y / told.times, weight * told.times**2
    found = boosted(ground.features, Target(units=told.units, y=y, weight=weight), sizes, seed)
    return staged(found, sizes)
