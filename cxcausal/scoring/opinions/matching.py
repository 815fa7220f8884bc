"""Matching: each unit beside the nearest ones of the other arm, what is left of the distance corrected by models."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.measured import Values
from cxcausal.scoring.opinions.opining import Asked, Heard, counted, parts_of
from cxcausal.scoring.potential import Tilt, potential_means, ratio
from cxcausal.scoring.road import ScoreRoad

NEIGHBOURS = 4
"""Matches per unit, as Abadie & Imbens (2011) recommend."""
MOST_PAIRS = 4e9
"""Pairs of units × columns beyond which distances take too long."""
_OWN_SHARE = (NEIGHBOURS / (NEIGHBOURS + 1)) ** 0.5
"""What a residual is multiplied by, whose neighbours' mean was taken off it, so that it varies as the noise does."""
_SMALLEST = 1e-6
_RANK = 1e-9


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Nearest neighbours with replacement, in Mahalanobis' distance of covariates and log odds of the propensities.

    Corrected for bias by the cross-fitted outcome models (Abadie & Imbens 2011, https://doi.org/10.1198/jbes.2009.07333).
    Its standard error comes from its linear form (Otsu & Rai 2017, https://doi.org/10.1080/01621459.2016.1231613),
    with noise seen against neighbours in the same arm (Abadie & Imbens 2006), so that clusters count and models may be
    wrong. It has no weights, hence no effect of the overlap: where the plan asks for that, it tells the
    effect on everybody.
    """

    name: ClassVar[str] = "matching"
    splits: ClassVar[int] = 1

    def target(self, asked: Target) -> Target:
        """Return the plan's target, or everybody in place of the overlap."""
        return "ate" if asked == "ato" else asked

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why distances can't be taken."""
        del measure  # every measure can be compared between neighbours
        if not road.nuisances.features.columns:
            return "there is no covariate to match on"
        columns = road.nuisances.features.filled.shape[1] + len(road.rows.arms) - 1
        if float(road.rows.n) ** 2 * columns > MOST_PAIRS:
            return "too many customers and covariates to compare each with each"
        return None

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the difference of the matched means."""
        rows, (upper, lower) = road.rows, parts_of(road, asked.measure)
        represented = rows.units_of(asked.arm) if asked.target == "att" else np.ones(rows.n, dtype=bool)
        points = space(road.nuisances.features.filled, road.nuisances.propensity.shares[asked.repeat])
        means = []
        for place in asked.places(road):
            found = _mean(road, upper, place, asked, points, represented)
            means.append(
                found if lower is None else ratio(found, _mean(road, lower, place, asked, points, represented))
            )
        (one, phi_one), (base, phi_base) = means
        return Heard(point=one - base, phi=phi_one - phi_base, base=base)


def space(filled: Floats, shares: Floats) -> Floats:
    """Return the units' places in a space whose plain distance is Mahalanobis', shape (n, rank).

    Args:
        filled: covariates without gaps, shape (n, p).
        shares: propensities, shape (n, arms); their log odds against the control are columns beside the covariates.
    """
    safe = np.clip(shares, _SMALLEST, None)
    columns = np.column_stack([filled, np.log(safe[:, 1:] / safe[:, :1])])
    columns = columns - columns.mean(axis=0)
    values, vectors = np.linalg.eigh(columns.T @ columns / len(columns))
    kept = values > _RANK * max(float(values.max()), _RANK)
    return np.asarray(columns @ (vectors[:, kept] / np.sqrt(values[kept])))


def match_weights(points: Floats, pool: Flags, represented: Flags, weight: Floats, neighbours: int) -> Floats:
    """Return how many represented units each unit of a pool stands for: itself, and a share of whom it is matched to.

    Args:
        points: shape (n, columns).
        pool: the units of one arm that have a value, shape (n,).
        represented: of whom the mean is, shape (n,).
        weight: of each unit in its population, shape (n,).
        neighbours: matches per unit.

    Example:
        >>> points = np.array([[0.0], [1.0], [5.0], [6.0]])
        >>> pool = np.array([True, False, True, False])
        >>> match_weights(points, pool, np.ones(4, dtype=bool), np.ones(4), 1).tolist()
        [2.0, 0.0, 2.0, 0.0]
    """
    found = np.where(pool & represented, weight, 0.0)
    places, seekers = np.flatnonzero(pool), np.flatnonzero(represented & ~pool)
    if len(seekers) and len(places):
        nearest = _nearest(points[places], points[seekers], min(neighbours, len(places)))
        given = np.repeat(weight[seekers] / nearest.shape[1], nearest.shape[1])
        found += np.bincount(places[nearest.ravel()], weights=given, minlength=len(found))
    return found


def left_nearby(points: Floats, pool: Flags, left: Floats, neighbours: int) -> Floats:
    """Return what models leave on average in the nearest units of a pool, a unit's own share aside, shape (n,).

    Args:
        points: shape (n, columns).
        pool: units of one arm that have a value, shape (n,).
        left: outcomes less predictions, shape (n,); looked at in the pool only.
        neighbours: how many are nearest.
    """
    places, others = np.flatnonzero(pool), np.flatnonzero(~pool)
    found = np.zeros(len(points))
    few = min(neighbours, len(places) - 1)
    if few < 1:
        return found
    if len(others):
        found[others] = left[places][_nearest(points[places], points[others], few)].mean(axis=1)
    around = _nearest(points[places], points[places], few + 1)
    strangers = around != np.arange(len(places))[:, None]
    strangers[strangers.all(axis=1), -1] = False  # copies of a unit may hide it from itself
    found[places] = left[places][around[strangers].reshape(len(places), few)].mean(axis=1)
    return found


def _nearest(pool: Floats, seekers: Floats, neighbours: int) -> npt.NDArray[np.int64]:
    from scipy.spatial import KDTree  # noqa: PLC0415 - heavy

    _, found = KDTree(pool).query(seekers, k=neighbours)
    return np.asarray(found, dtype=np.int64).reshape(len(seekers), neighbours)


def _mean(
    road: ScoreRoad, values: Values, place: int, asked: Asked, points: Floats, represented: Flags
) -> tuple[float, Floats]:
    pool = counted(road, values, place)
    stands_for = match_weights(points, pool, represented, road.weight, NEIGHBOURS)
    tilt = Tilt(h=np.ones(road.rows.n), mass=np.where(represented, road.weight, 0.0))
    predicted, y = road.predicted(values, place, asked.repeat), values.of(place)
    point, _ = potential_means(y, values.seen, pool, predicted, stands_for, tilt)
    nearby = left_nearby(points, pool, np.where(pool, y - predicted, 0.0), NEIGHBOURS)
    mass = tilt.mass
    rest = np.where(pool, stands_for * _OWN_SHARE * (y - predicted - nearby), 0.0)
    phi = mass * (predicted + nearby - point) + rest
    return point, (phi - phi.mean()) / float(mass.mean())
