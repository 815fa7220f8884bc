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
MOST_FOR_TREE = 8
"""Columns beyond which a tree finds neighbours no faster than looking at all."""
MOST_PAIRS = 2e10
"""Pairs of units × columns beyond which looking at all takes minutes."""
_PAIRS_AT_ONCE = 4_000_000
_SMALLEST = 1e-6
_RANK = 1e-9

Places = npt.NDArray[np.int64]


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
        if columns > MOST_FOR_TREE and float(road.rows.n) ** 2 * columns > MOST_PAIRS:
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


def match_weights(nearest: Places, pool: Flags, represented: Flags, weight: Floats) -> Floats:
    """Return how many represented units each unit of a pool stands for: itself, and a share of whom it is matched to.

    Args:
        nearest: every unit's nearest ones of the pool, shape (n, neighbours).
        pool: the units of one arm that have a value, shape (n,).
        represented: of whom the mean is, shape (n,).
        weight: of each unit in its population, shape (n,).

    Example:
        >>> pool, everybody = np.array([True, False, True, False]), np.ones(4, dtype=bool)
        >>> nearest = neighbours(np.array([[0.0], [1.0], [5.0], [6.0]]), pool, 1)
        >>> match_weights(nearest, pool, everybody, np.ones(4)).tolist()
        [2.0, 0.0, 2.0, 0.0]
    """
    seekers = represented & ~pool
    given = np.repeat(weight[seekers] / nearest.shape[1], nearest.shape[1])
    matched = np.bincount(nearest[seekers].ravel(), weights=given, minlength=len(pool))
    return np.asarray(np.where(pool & represented, weight, 0.0) + matched)


def as_noise(stands_for: Floats, mass: Floats, few: int) -> Floats:
    """Return by what a unit's residual, less its neighbours' mean, is multiplied to vary as its whole noise does.

    A unit that stands for w adds w·ε. Seen against k neighbours, whose mean residual r stands in its own prediction
    with its mass m, it adds m·r + u·(ε − r), whose variance is that of w·ε where u² + (m − u)² / k = w².

    Args:
        stands_for: w, at least m, shape (n,).
        mass: m, shape (n,).
        few: k.

    Example:
        >>> u = as_noise(np.array([3.0]), np.array([1.0]), 4)
        >>> round(float(u[0] ** 2 + (1 - u[0]) ** 2 / 4), 9)
        9.0
    """
    root = (mass / few) ** 2 - (1 + 1 / few) * (mass**2 / few - stands_for**2)
    return np.asarray((mass / few + np.sqrt(np.maximum(root, 0.0))) / (1 + 1 / few))


def neighbours(points: Floats, pool: Flags, most: int) -> Places:
    """Return the places of every unit's nearest ones of a pool, itself aside, shape (n, at most `most`).

    Args:
        points: shape (n, columns).
        pool: at least two units, shape (n,).
        most: how many are nearest.
    """
    places, others = np.flatnonzero(pool), np.flatnonzero(~pool)
    few = min(most, len(places) - 1)
    found = np.empty((len(points), few), dtype=np.int64)
    found[others] = places[_nearest(points[places], points[others], few)]
    around = _nearest(points[places], points[places], few + 1)
    strangers = around != np.arange(len(places))[:, None]
    strangers[strangers.all(axis=1), -1] = False  # copies of a unit may hide it from itself
    found[places] = places[around[strangers].reshape(len(places), few)]
    return found


def _nearest(pool: Floats, seekers: Floats, few: int) -> Places:
    from scipy.spatial import KDTree  # noqa: PLC0415 - heavy

    if pool.shape[1] <= MOST_FOR_TREE:
        return np.asarray(KDTree(pool).query(seekers, k=few)[1], dtype=np.int64).reshape(len(seekers), few)
    chunks = np.array_split(np.arange(len(seekers)), len(seekers) * len(pool) // _PAIRS_AT_ONCE + 1)
    return np.concatenate([_nearest_by_all(pool, seekers[chunk], few) for chunk in chunks])


def _nearest_by_all(pool: Floats, seekers: Floats, few: int) -> Places:
    """Return the nearest by every distance: faster than a tree where there are many columns."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415 - heavy

    apart = cdist(seekers, pool, "sqeuclidean")
    near = np.argpartition(apart, few - 1, axis=1)[:, :few]
    order = np.argsort(np.take_along_axis(apart, near, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(near, order, axis=1), dtype=np.int64)


def _mean(
    road: ScoreRoad, values: Values, place: int, asked: Asked, points: Floats, represented: Flags
) -> tuple[float, Floats]:
    pool, mass = counted(road, values, place), np.where(represented, road.weight, 0.0)
    nearest = neighbours(points, pool, NEIGHBOURS)
    stands_for = match_weights(nearest, pool, represented, road.weight)
    predicted, y = road.predicted(values, place, asked.repeat), values.of(place)
    tilt = Tilt(h=np.ones(road.rows.n), mass=mass)
    point, _ = potential_means(y, values.seen, pool, predicted, stands_for, tilt)
    nearby = np.where(pool, y - predicted, 0.0)[nearest].mean(axis=1)
    rest = np.where(pool, as_noise(stands_for, mass, nearest.shape[1]) * (y - predicted - nearby), 0.0)
    phi = mass * (predicted + nearby - point) + rest
    return point, (phi - phi.mean()) / float(mass.mean())
