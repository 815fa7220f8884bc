"""A contrast's residuals and weights per unit: what bounds, placebos and subsets are made of."""

from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.measured import Values, denominator_of, values_of
from cxcausal.scoring.potential import Tilt, potential_means
from cxcausal.scoring.road import ScoreRoad


@dataclass(frozen=True, kw_only=True)
class Told:
    """One measure in one split of the units; of a ratio its linearisation, (numerator − ratio · denominator) / mean.

    Attributes:
        y: each unit's value in its own arm, shape (n,), 0 where it has none. seen: who has one.
        mean: predicted values in every arm, shape (n, arms).
        inverse: one over the chance to be of an arm and to have a value, shape (n, arms).
        shares: propensities as they divide, floored and summing to 1, shape (n, arms).
        tilt: how units count in the target population.
    """

    y: Floats
    seen: Flags
    mean: Floats
    inverse: Floats
    shares: Floats
    tilt: Tilt


@dataclass(frozen=True, kw_only=True)
class Representer:
    """One contrast's weights, with the population's mass divided out.

    Attributes:
        use: units of either arm with a value, shape (n,).
        residual: outcome minus prediction, 0 elsewhere, shape (n,).
        alpha: what multiplies each residual in the effect, beside the unit's weight; 0 elsewhere, shape (n,).
        weight: of each unit in the population, mean 1, shape (n,).
        assigned: treated minus its chance among the two arms, 0 elsewhere, shape (n,).
        twice: the mass-weighted difference of the arms' weights, whose mean is that of alpha², shape (n,).
        mass: each unit's in the target population, mean 1, shape (n,).
    """

    use: Flags
    residual: Floats
    alpha: Floats
    weight: Floats
    assigned: Floats
    twice: Floats
    mass: Floats


def told_of(road: ScoreRoad, measure: Measure, target: Target, treated: str, repeat: int) -> Told:
    """Return a measure's values, predictions and weights in one split."""
    upper, lower = values_of(road.rows, measure), denominator_of(road.rows, measure)
    arms = range(len(road.rows.arms))
    raw = np.column_stack([road.inverse(target, place, repeat) for place in arms])
    shares = (1 / raw) / (1 / raw).sum(axis=1, keepdims=True)
    tilt = road.tilt(target, treated, repeat)
    frame = Told(y=raw[:, 0], seen=upper.seen, mean=raw, inverse=raw, shares=shares, tilt=tilt)
    found = _plain(road, upper, repeat, frame)
    if lower is None:
        return found
    below = _plain(road, lower, repeat, frame)
    tops, bottoms = _means(road, found), _means(road, below)
    ratios = tops / bottoms
    return replace(
        found,
        y=np.where(found.seen, (found.y - ratios[road.rows.arm] * below.y) / bottoms[road.rows.arm], 0.0),
        mean=(found.mean - ratios * below.mean) / bottoms,
    )


def representer_of(road: ScoreRoad, told: Told, treated: str, control: str) -> Representer:
    """Return a contrast's residuals and weights."""
    places = road.rows.arms.index(treated), road.rows.arms.index(control)
    one, other = (road.rows.arm == place for place in places)
    use = (one | other) & told.seen
    mass = float(np.mean(told.tilt.mass))
    weight = np.maximum(road.weight, 1e-12)
    plain = told.tilt.h / weight  # without the units' weights, which enter the squares once and not twice
    signed = one * told.inverse[:, places[0]] - other * told.inverse[:, places[1]]
    both = told.inverse[:, places[0]] + told.inverse[:, places[1]]
    own = np.where(one, told.mean[:, places[0]], told.mean[:, places[1]])
    chance = told.shares[:, places[0]] / (told.shares[:, places[0]] + told.shares[:, places[1]])
    return Representer(
        use=use,
        residual=np.where(use, told.y - own, 0.0),
        alpha=np.where(use, plain * signed, 0.0) / mass,
        weight=weight,
        assigned=np.where(use, one - chance, 0.0),
        twice=told.tilt.mass * plain * both / mass**2,
        mass=told.tilt.mass / mass,
    )


def _plain(road: ScoreRoad, values: Values, repeat: int, frame: Told) -> Told:
    """Return the frame with the values and predictions of one side of a measure."""
    arms = range(len(road.rows.arms))
    y = np.zeros(road.rows.n)
    for place in arms:
        own = (road.rows.arm == place) & values.seen
        y[own] = values.of(place)[own]
    mean = np.column_stack([road.predicted(values, place, repeat) for place in arms])
    answered = next((found.answered for found in road.learned(values) if found.answered is not None), None)
    inverse = frame.inverse if answered is None else frame.inverse / answered[repeat]
    return replace(frame, y=y, seen=values.seen, mean=mean, inverse=inverse)


def _means(road: ScoreRoad, told: Told) -> Floats:
    """Return every arm's mean in the target population, shape (arms,)."""
    return np.array(
        [
            potential_means(
                told.y, told.seen, road.rows.arm == place, told.mean[:, place], told.inverse[:, place], told.tilt
            )[0]
            for place in range(len(road.rows.arms))
        ]
    )
