"""Overlap weighting: each arm's mean under weights that make both arms look like those for whom either was possible."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.measured import Values
from cxcausal.scoring.opinions.balancing import Refined, refined
from cxcausal.scoring.opinions.opining import Asked, Heard, answered_of, counted, parts_of
from cxcausal.scoring.potential import ratio
from cxcausal.scoring.road import ScoreRoad

_SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class OverlapWeighting:
    """Weighted means without any outcome model (Li, Morgan & Zaslavsky 2018, https://doi.org/10.1080/01621459.2016.1260466).

    Weights are h(x) / e(x, a), h = 1 / Σ 1/eₐ over all arms; its effect is of the overlap, whatever the plan asks for.
    The learned propensities are refined on all units until the weights balance covariates, and the standard error
    counts that step (Lunceford & Davidian 2004, https://doi.org/10.1002/sim.1903).
    """

    name: ClassVar[str] = "overlap_weighting"
    splits: ClassVar[int] = 1_000
    _refined: dict[int, Refined] = field(default_factory=dict, compare=False)

    def target(self, asked: Target) -> Target:
        """Return the overlap."""
        del asked  # it has one population only
        return "ato"

    def why_not(self, road: ScoreRoad, measure: Measure) -> None:
        """Return nothing: every measure has weighted means."""
        del road, measure

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the difference of the weighted means."""
        upper, lower = parts_of(road, asked.measure)
        by = self._by(road, asked.repeat)
        means = []
        for place in asked.places(road):
            found = _mean(road, upper, by, place, asked.repeat)
            means.append(found if lower is None else ratio(found, _mean(road, lower, by, place, asked.repeat)))
        (one, phi_one), (base, phi_base) = means
        return Heard(point=one - base, phi=phi_one - phi_base, base=base)

    def _by(self, road: ScoreRoad, repeat: int) -> Refined:
        """Return a split's refined propensities, the same for all contrasts."""
        if repeat not in self._refined:
            learned = road.nuisances.propensity.shares[repeat]
            found = refined(learned, road.nuisances.features.filled, road.rows.arm, road.weight)
            self._refined[repeat] = found
        return self._refined[repeat]


def weighted_mean(y: Floats, weight: Floats) -> tuple[float, Floats]:
    """Return Σ w·y / Σ w, with its influence function of shape (n,) where weights are known.

    Args:
        y: finite values, shape (n,).
        weight: 0 where a unit doesn't count, shape (n,).

    Example:
        >>> point, phi = weighted_mean(np.array([1.0, 3.0, 9.0]), np.array([1.0, 1.0, 0.0]))
        >>> point, phi.tolist()
        (2.0, [-1.5, 1.5, 0.0])
    """
    total = float(np.sum(weight))
    point = float(np.sum(weight * y)) / total if total else float("nan")
    return point, np.asarray(len(y) * weight * (y - point) / total) if total else np.full(len(y), np.nan)


def _mean(road: ScoreRoad, values: Values, by: Refined, place: int, repeat: int) -> tuple[float, Floats]:
    safe = np.maximum(by.shares, _SMALLEST)
    h = 1 / np.sum(1 / safe, axis=1)
    weight = road.weight * h / safe[:, place]
    answered = answered_of(road, values, place, repeat)
    if answered is not None:
        weight = weight / answered
    own = counted(road, values, place)
    point, phi = weighted_mean(np.where(own, values.of(place), 0.0), np.where(own, weight, 0.0))
    # ∂ log(h / eₐ) / ∂β_c = (h / e_c − 1{a = c}) x̃
    slopes = [phi * (h / safe[:, arm] - (arm == place)) @ by.x / len(phi) for arm in range(1, safe.shape[1])]
    return point, phi + by.moved(np.concatenate(slopes))
