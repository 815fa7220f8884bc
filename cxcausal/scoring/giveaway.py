"""How closely each covariate alone goes with what is measured: one that tells it all but surely was measured after."""

import numpy as np
from scipy.stats import rankdata

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.score_answers import GiveawayAnswer
from cxcausal.core.score_queries import GiveawayQuery
from cxcausal.scoring.overlap import discrimination
from cxcausal.scoring.road import ScoreRoad

_FEWEST = 20
"""Units of an arm with a value, of either value where there are two, and of a text's level: fewer tell by chance."""


def answer(road: ScoreRoad, query: GiveawayQuery) -> GiveawayAnswer:
    """Return for every covariate how closely it goes with the measure within an arm; nothing has to be learned."""
    outcomes = list(_by_arm(road, query.measure))
    return GiveawayAnswer(
        alone={
            name: max((_closeness(road.rows, name, units, y) for units, y in outcomes), default=0.0)
            for name in road.nuisances.covariates
        }
    )


def _by_arm(road: ScoreRoad, measure: Measure) -> list[tuple[Flags, Floats]]:
    """Return for every arm with enough of them the units that have a value, and their values."""
    values = road.values(measure)[0]
    arms = [(road.rows.units_of(arm) & values.seen, values.of(place)) for place, arm in enumerate(road.rows.arms)]
    return [(units, y[units]) for units, y in arms if _enough(y[units])]


def _enough(y: Floats) -> bool:
    if len(y) < _FEWEST or y.min() == y.max():
        return False
    return not _binary(y) or min((y == y.min()).sum(), (y == y.max()).sum()) >= _FEWEST


def _closeness(rows: Rows, name: str, units: Flags, y: Floats) -> float:
    """Return how closely one covariate goes with the values (m,) of one arm's m units."""
    if name not in rows.numbers:
        text = rows.texts[name]
        return _by_level(text.codes[units].astype(np.int64), y)
    found = rows.numbers[name][units]
    gaps = np.isnan(found)
    return max(_by_rank(found[~gaps], y[~gaps]), _by_level(gaps.astype(np.int64), y))


def _by_rank(found: Floats, y: Floats) -> float:
    """Return Somers' D where y has two values, the correlation of ranks otherwise; 0 where too few are left."""
    if not _enough(y) or found.min() == found.max():
        return 0.0
    if _binary(y):
        return abs(2 * discrimination(found, y == y.max()) - 1)
    return abs(float(np.corrcoef(rankdata(found), rankdata(y))[0, 1]))


def _by_level(codes: np.ndarray[tuple[int], np.dtype[np.int64]], y: Floats) -> float:
    """Return the same of levels, each as the mean rank of its units; levels with few units in the arm are one."""
    ranks = rankdata(y)
    rare = np.bincount(codes) < _FEWEST
    merged = np.where(rare[codes], len(rare), codes)
    sizes = np.maximum(np.bincount(merged), 1)
    means = (np.bincount(merged, weights=ranks) / sizes)[merged]
    if means.min() == means.max():
        return 0.0
    if _binary(y):
        return abs(2 * discrimination(means, y == y.max()) - 1)
    return float(np.std(means) / np.std(ranks))


def _binary(y: Floats) -> bool:
    return bool(np.isin(y, (y.min(), y.max())).all())
