"""How far apart the arms are: what is left of each after weighting, and who had almost no choice."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_answers import ArmOverlap, OverlapAnswer
from cxcausal.core.score_queries import OverlapQuery
from cxcausal.core.small_cells import SMALLEST_CELL, is_small
from cxcausal.scoring.enough import why_too_few
from cxcausal.scoring.road import ScoreRoad
from cxcausal.scoring.weights import arm_weights
from cxcausal.stats.scores import effective_size

AT = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BINS = 20


def answer(road: ScoreRoad, query: OverlapQuery) -> OverlapAnswer:
    """Return how the arms overlap, by the propensities of the first split."""
    reason = why_too_few(road)
    if reason is not None:
        return OverlapAnswer(arms={}, floor=0.0, discrimination={}, units=road.rows.n, reason=reason)
    shares = road.nuisances.propensity.shares[0]
    arms = {arm: _arm(road, query, place, shares) for place, arm in enumerate(road.rows.arms)}
    outside, clipped = _divided(road, query, shares)
    return OverlapAnswer(
        arms=arms,
        floor=min(road.floor(place) for place in range(len(arms))),
        discrimination={
            arm: discrimination(shares[:, place], road.rows.arm == place) for place, arm in enumerate(road.rows.arms)
        },
        units=road.rows.n,
        outside=outside,
        clipped=clipped,
    )


def limits_of(share: float, arms: int, limits: tuple[float, float]) -> tuple[float, float]:
    """Return the propensities below and above which a unit has almost no choice about an arm of this share.

    Where arms are of one size they are the plan's; that of an arm which few get is as much smaller as the arm is.

    Example:
        >>> limits_of(0.5, 2, (0.05, 0.95)), limits_of(0.02, 2, (0.05, 0.95))
        ((0.05, 0.95), (0.002, 0.95))
    """
    low = limits[0] * min(1.0, share * arms)
    high = 1 - (1 - limits[1]) * min(1.0, (1 - share) * arms / (arms - 1))
    return low, high


def discrimination(score: Floats, own: Flags) -> float:
    """Return the chance that one of `own` has the higher score than another unit, ties counted half (AUC).

    Example:
        >>> discrimination(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
        0.875
    """
    n = int(own.sum())
    if n in {0, len(own)}:
        return 0.5
    ranks = rankdata(score)
    return float((ranks[own].sum() - n * (n + 1) / 2) / (n * (len(own) - n)))


def told_histogram(counts: npt.NDArray[np.int64]) -> Floats:
    """Return counts of which none is of one to nine units: such a bin is added to the next one towards the right.

    What is left at the end is added to the last bin that is told; where there is none, nothing is told.

    Example:
        >>> told_histogram(np.array([3, 8, 0, 40, 2])).tolist()
        [0.0, 11.0, 0.0, 42.0, 0.0]
    """
    told, waiting, last = np.zeros(len(counts)), 0, None
    for place, found in enumerate(counts):
        waiting += int(found)
        if waiting >= SMALLEST_CELL and found:
            told[place], waiting, last = waiting, 0, place
    if waiting and last is not None:
        told[last] += waiting
    return told


def _arm(road: ScoreRoad, query: OverlapQuery, place: int, shares: Floats) -> ArmOverlap:
    rows, own = road.rows, shares[:, place]
    members = rows.arm == place
    limits = _limits(road, query, place)
    of = {name: rows.arm == other for other, name in enumerate(rows.arms)}
    return ArmOverlap(
        units=int(members.sum()),
        effective=_effective(road, query, rows.arms[place]),
        quantiles=np.quantile(own, AT),
        histogram={name: told_histogram(_histogram(own[units])) for name, units in of.items()},
        below=_told(own < limits[0]),
        above=_told(own > limits[1]),
        clipped=_told(own < road.floor(place)) if query.target != "ato" else 0,
        limits=limits,
        unlikely={
            name: _told(shares[members, other] < _limits(road, query, other)[0])
            for other, name in enumerate(rows.arms)
            if other != place
        },
    )


def _limits(road: ScoreRoad, query: OverlapQuery, place: int) -> tuple[float, float]:
    return limits_of(float(np.mean(road.rows.arm == place)), len(road.rows.arms), query.limits)


def _effective(road: ScoreRoad, query: OverlapQuery, arm: str) -> float:
    """Return Kish's effective size of an arm, the smallest over the contrasts that it stands in."""
    found = (
        effective_size(arm_weights(road, query.target, contrast, arm)) for contrast in road.contrasts if arm in contrast
    )
    return min(found, default=0.0)


def _divided(road: ScoreRoad, query: OverlapQuery, shares: Floats) -> tuple[float, float]:
    """Return the shares of the target's units that almost never get what it divides by, and that were clipped.

    Everybody (ate): what any arm's units must stand for. Those of one arm (att): the arms they are compared with, the
    worst contrast. The overlap divides by nothing small; who is outside is told, and nobody is clipped.
    """
    places = range(len(road.rows.arms))
    lower = np.array([_limits(road, query, place)[0] for place in places])
    upper = np.array([_limits(road, query, place)[1] for place in places])
    floors = np.array([road.floor(place) for place in places])
    weight = road.weight
    if query.target != "att":
        outside = np.asarray(((shares < lower) | (shares > upper)).any(axis=1))
        clipped = np.asarray((shares < floors).any(axis=1) & (query.target == "ate"))
        return float(np.average(outside, weights=weight)), float(np.average(clipped, weights=weight))
    found = []
    for treated, other in road.contrasts:
        members, place = road.rows.units_of(treated), road.rows.arms.index(other)
        own, mass = shares[members, place], weight[members]
        found.append((np.average(own < lower[place], weights=mass), np.average(own < floors[place], weights=mass)))
    return float(max(pair[0] for pair in found)), float(max(pair[1] for pair in found))


def _histogram(values: Floats) -> npt.NDArray[np.int64]:
    return np.histogram(values, bins=BINS, range=(0.0, 1.0))[0].astype(np.int64)


def _told(flags: Flags) -> int:
    counted = int(flags.sum())
    return 0 if is_small(counted) else counted
