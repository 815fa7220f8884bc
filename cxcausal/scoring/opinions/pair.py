"""Two arms by themselves: who of them has a value, how likely each was the treated one, and the scores between them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.crossfit import learner_named
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.measured import Values, values_of
from cxcausal.scoring.opinions.opining import Asked, answered_of, outcomes_of
from cxcausal.scoring.potential import Tilt, potential_means
from cxcausal.scoring.road import ScoreRoad

OF_PAIR = "of those for whom either of these two arms was possible"
_SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Pair:
    """n units, seen from two arms.

    Attributes:
        values: the measure. y: outcomes, 0 where there is none, shape (n,).
        use: units of either arm with a value, shape (n,). treated: 1 for those of the treated arm, shape (n,).
        share: the chance of the treated arm among the two, shape (n,).
        weight: of each unit in its population, over its chance of a value, shape (n,).
    """

    values: Values
    y: Floats
    use: Flags
    treated: Floats
    share: Floats
    weight: Floats


@dataclass(frozen=True, kw_only=True)
class PairScores:
    """The scores' effect of those for whom either arm was possible, its influence function and the control's mean."""

    point: float
    phi: Floats
    base: float


def pair_of(road: ScoreRoad, asked: Asked) -> Pair:
    """Return the units of a contrast."""
    one, base = asked.places(road)
    values = values_of(road.rows, asked.measure)
    shares = np.maximum(road.nuisances.propensity.shares[asked.repeat], _SMALLEST)
    treated = (road.rows.arm == one).astype(np.float64)
    weight = road.weight.copy()
    for place in (one, base):
        answered = answered_of(road, values, place, asked.repeat)
        if answered is not None:
            weight = np.where(road.rows.arm == place, weight / answered, weight)
    return Pair(
        values=values,
        y=outcomes_of(road, values),
        use=((road.rows.arm == one) | (road.rows.arm == base)) & values.seen,
        treated=treated,
        share=shares[:, one] / (shares[:, one] + shares[:, base]),
        weight=weight,
    )


def pooled_mean(road: ScoreRoad, pair: Pair, asked: Asked, stage: str) -> Floats:
    """Return predicted outcomes whatever the arm, out of fold, by the plan's learner, shape (n,)."""
    learner = learner_named(road.recipe.outcome)
    split = road.nuisances.split(asked.repeat, "opinion", stage, asked.measure.name, asked.arm, asked.control)
    with one_level():
        return learner.mean(road.nuisances.features, pair.y, pair.use, split)


def pair_scores(road: ScoreRoad, pair: Pair, asked: Asked) -> PairScores:
    """Return the scores' own effect on the two arms' overlap, h = 1 / (1/e₁ + 1/e₀)."""
    ends = asked.places(road)
    tilt = pair_tilt(road.nuisances.propensity.shares[asked.repeat], road.rows.arm, ends, road.weight)
    means = []
    for place in ends:
        inverse = road.inverse("ato", place, asked.repeat)
        answered = answered_of(road, pair.values, place, asked.repeat)
        inverse = inverse if answered is None else inverse / answered
        predicted = road.predicted(pair.values, place, asked.repeat)
        own = road.rows.arm == place
        means.append(potential_means(pair.values.of(place), pair.values.seen, own, predicted, inverse, tilt))
    (one, phi_one), (base, phi_base) = means
    return PairScores(point=one - base, phi=phi_one - phi_base, base=base)


def pair_tilt(shares: Floats, arm: npt.NDArray[np.int8], ends: tuple[int, int], weight: Floats) -> Tilt:
    """Return how units count in the overlap of two arms: `tilt_of`'s overlap, with the sums over these two.

    Args:
        shares: propensities of all arms, shape (n, arms).
        arm: place of each unit's arm, shape (n,).
        ends: places of the two.
        weight: of each unit in the population, shape (n,).
    """
    safe = np.maximum(shares[:, ends], _SMALLEST)
    h = 1 / np.sum(1 / safe, axis=1)
    own = arm[:, None] == np.array(ends)
    mass = h + np.sum((h[:, None] / safe) ** 2 * (own - safe), axis=1)
    return Tilt(h=weight * h, mass=weight * mass)
