"""Whether a column that can't change a measure goes with it all the same, given the arm and the covariates."""

import numpy as np

from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_answers import Tested
from cxcausal.core.score_queries import ExposureQuery
from cxcausal.nuisance.crossfit import learner_named
from cxcausal.nuisance.features import Features, features_of
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.enough import why_too_few
from cxcausal.scoring.measured import Values, values_of
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.scores import codes_of, covariance_of

_NOTHING_LEFT = 1e-6
"""Of a column's variance: what the arm and the covariates don't explain."""
_MOST_LEVELS = 20
_CONSTANT = "it does not vary among those present"


def answer(road: ScoreRoad, query: ExposureQuery) -> Tested:
    """Return the partially linear test of the column, in the first split.

    The outcome's residual Y − μ(x, a) is regressed on the column's own, Z − E[Z | x, a], both out of fold (Robinson
    1988; Chernozhukov et al. 2018, https://doi.org/10.1111/ectj.12097); of a text, on its levels' jointly (Wald's
    test, by F with the units' or clusters' degrees of freedom).
    """
    values = values_of(road.rows, query.measure)
    seen = values.seen & _known(road, query.column)
    reason = why_too_few(road, seen) or _why_not(query)
    if reason is not None:
        return Tested(n=int(seen.sum()), reason=reason)
    exposure = features_of(road.rows, (query.column,))
    columns = [place for place, each in enumerate(exposure.columns) if _varies(exposure, place, seen)][:_MOST_LEVELS]
    if not columns:
        return Tested(n=int(seen.sum()), reason=_CONSTANT)
    outcome = np.where(seen, _own(road, values) - _predicted(road, values), 0.0)
    left = np.column_stack([_left(road, query.column, exposure, place, seen) for place in columns])
    spread = np.var(exposure.matrix[seen][:, columns], axis=0)
    kept = np.mean(left[seen] ** 2, axis=0) > _NOTHING_LEFT * spread
    if not kept.any() or float(np.var(outcome[seen])) == 0.0:
        return Tested(n=int(seen.sum()), reason="nothing of it is left once the other columns are known")
    return _tested(road, outcome, np.where(seen[:, None], left, 0.0)[:, kept], seen)


def _why_not(query: ExposureQuery) -> str | None:
    return "a ratio of sums has no value per customer" if query.measure.denominator is not None else None


def _known(road: ScoreRoad, column: str) -> Flags:
    """Return which units have a value; where a text is empty, that is a value."""
    rows = road.rows
    return ~np.isnan(rows.numbers[column]) if column in rows.numbers else np.ones(rows.n, dtype=bool)


def _varies(exposure: Features, place: int, seen: Flags) -> bool:
    values = exposure.matrix[seen, place]
    return bool(values.min() < values.max())


def _own(road: ScoreRoad, values: Values) -> Floats:
    """Return every unit's value in its own arm, shape (n,)."""
    found = np.zeros(road.rows.n)
    for place in range(len(road.rows.arms)):
        own = road.rows.arm == place
        found[own] = values.of(place)[own]
    return found


def _predicted(road: ScoreRoad, values: Values) -> Floats:
    """Return every unit's predicted value in its own arm, shape (n,)."""
    found = np.zeros(road.rows.n)
    for place in range(len(road.rows.arms)):
        own = road.rows.arm == place
        found[own] = road.predicted(values, place, 0)[own]
    return found


def _left(road: ScoreRoad, name: str, exposure: Features, place: int, seen: Flags) -> Floats:
    """Return what of one column the arm and the covariates don't predict, shape (n,)."""
    values = np.where(seen, exposure.matrix[:, place], 0.0)
    left = np.zeros(len(values))
    for at, arm in enumerate(road.rows.arms):
        own = road.rows.arm == at
        split = road.nuisances.split(0, "exposure", name, exposure.columns[place].level, arm)
        with one_level():
            mean = learner_named(road.recipe.outcome).mean(road.nuisances.features, values, own & seen, split)
        left[own] = (values - mean)[own]
    return left


def _tested(road: ScoreRoad, outcome: Floats, left: Floats, seen: Flags) -> Tested:
    """Return the slopes' joint test; `point` and `se` are of the first column where there is one alone."""
    from scipy.stats import f as fisher  # noqa: PLC0415 - heavy

    weight, count = road.weight * seen, int(seen.sum())
    gram = (left * weight[:, None]).T @ left / len(seen)
    inverse = np.linalg.pinv(gram, hermitian=True)
    slopes = inverse @ (left.T @ (weight * outcome) / len(seen))
    phi = (left * (weight * (outcome - left @ slopes))[:, None]) @ inverse
    covariance = covariance_of(phi, road.rows.clusters)
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if rank == 0:
        return Tested(n=count, reason=_CONSTANT)
    wald = float(slopes @ np.linalg.pinv(covariance, hermitian=True) @ slopes)
    df = _df(road, count)
    se = float(np.sqrt(covariance[0, 0]))
    return Tested(point=float(slopes[0]), se=se, p=float(fisher.sf(wald / rank, rank, max(df - rank, 1))), n=count)


def _df(road: ScoreRoad, count: int) -> int:
    clusters = road.rows.clusters.values()
    return min((int(codes_of([keys]).max()) for keys in clusters), default=count - 1)
