"""How far the arms' covariates are apart, before and after weighting to a target."""

from collections.abc import Iterator

import numpy as np

from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import BalanceAnswer, Imbalance
from cxcausal.core.score_queries import BalanceQuery
from cxcausal.scoring.enough import why_too_few
from cxcausal.scoring.road import ScoreRoad
from cxcausal.scoring.weights import arm_weights
from cxcausal.stats.scores import covariance_of

_AT_ONCE = 8
"""Columns whose influence functions are in memory at a time."""


def answer(road: ScoreRoad, query: BalanceQuery) -> BalanceAnswer:
    """Return every column's standardised difference, arm against control, by the weights of the first split."""
    reason, incomplete = why_too_few(road), _incomplete(road)
    if reason is not None:
        return BalanceAnswer(rows=(), reason=reason, incomplete=incomplete)
    control = road.rows.arms[0]
    found = (row for contrast in road.contrasts if contrast[1] == control for row in _rows(road, query, contrast))
    return BalanceAnswer(rows=tuple(found), incomplete=incomplete)


def _incomplete(road: ScoreRoad) -> int:
    """Return how many units miss a value of any covariate."""
    rows, found = road.rows, np.zeros(road.rows.n, dtype=bool)
    for name in road.nuisances.covariates:
        if name in rows.numbers:
            found |= np.isnan(rows.numbers[name])
        elif "" in rows.texts[name].levels:
            found |= rows.texts[name].codes == rows.texts[name].levels.index("")
    return int(found.sum())


def _rows(road: ScoreRoad, query: BalanceQuery, contrast: tuple[str, str]) -> Iterator[Imbalance]:
    features, rows = road.nuisances.features, road.rows
    plain = [np.where(rows.units_of(arm), road.weight, 0.0) for arm in contrast]
    weights = [arm_weights(road, query.target, contrast, arm) for arm in contrast]
    for start in range(0, len(features.columns), _AT_ONCE):
        block = features.matrix[:, start : start + _AT_ONCE]
        spread = _spread(block, road.weight)
        before, _ = _gaps(block, plain)
        after, phi = _gaps(block, weights)
        errors = np.sqrt(np.clip(np.diag(covariance_of(phi, rows.clusters)), 0, None))
        for place, column in enumerate(features.columns[start : start + _AT_ONCE]):
            scale = float(spread[place]) or 1.0
            yield Imbalance(
                arm=contrast[0],
                column=column.covariate,
                level=column.level,
                before=float(before[place]) / scale,
                after=float(after[place]) / scale,
                se=float(errors[place]) / scale,
            )


def _spread(block: Floats, weight: Floats) -> Floats:
    """Return the standard deviation of every column's known values, shape (k,)."""
    known = ~np.isnan(block)
    mass = known.T @ weight
    filled = np.where(known, block, 0.0)
    center = filled.T @ weight / mass
    return np.asarray(np.sqrt((np.where(known, block - center, 0.0) ** 2).T @ weight / mass))


def _gaps(block: Floats, weights: list[Floats]) -> tuple[Floats, Floats]:
    """Return the difference of two weighted means per column, and its influence function; weights as if known.

    Where an arm has no value at all there is no difference, and the column of what is missing tells of it.

    Weights that were learned balance better than known ones would, so that this variance is rather too large
    (Hirano, Imbens & Ridder 2003, https://doi.org/10.1111/1468-0262.00442).

    Args:
        block: shape (n, k), NaN where a value is missing.
        weights: of the units of either arm, shape (n,) each.
    """
    known = ~np.isnan(block)
    filled = np.where(known, block, 0.0)
    means, parts = [], []
    for weight in weights:
        mass = known.T @ weight
        safe = np.where(mass > 0, mass, 1.0)
        center = filled.T @ weight / safe
        means.append(center)
        parts.append(np.where(known, block - center, 0.0) * weight[:, None] * (len(block) / safe))
    both = np.logical_and(*(known.T @ weight > 0 for weight in weights))
    return np.where(both, means[0] - means[1], 0.0), np.where(both, parts[0] - parts[1], 0.0)
