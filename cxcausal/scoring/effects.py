"""Adjusted effects: every contrast, over everybody or per value of a segment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_answers import ScoreEffect, ScoreEffects
from cxcausal.core.score_queries import EffectQuery
from cxcausal.core.small_cells import SMALLEST_CELL
from cxcausal.scoring.measured import values_of
from cxcausal.scoring.potential import Potential
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.scores import (
    codes_of,
    covariance_of,
    degrees_of_freedom,
    effective_size,
    median_over_repeats,
    sums_within,
)

FEWEST_TO_LEARN = 20
"""Units of an arm with a value, outside any fold, below which nothing is learned of it."""


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One effect with its influence function in the first repeat, shape (n,); None where it has none."""

    effect: ScoreEffect
    phi: Floats | None = None


def answer(road: ScoreRoad, query: EffectQuery) -> ScoreEffects:
    """Return the effects of a measure."""
    found = {
        (treated, control, value): _effect(road, query, treated, control, members)
        for value, members in _populations(road, query.by)
        for treated, control in road.contrasts
    }
    base = road.rows.arms[0]
    told = tuple(key for key, each in found.items() if key[1] == base and each.phi is not None)
    correlation = _correlation(road, [found[key].phi for key in told]) if query.by is not None else np.eye(len(told))
    return ScoreEffects(effects={key: each.effect for key, each in found.items()}, told=told, correlation=correlation)


def _populations(road: ScoreRoad, by: str | None) -> Iterator[tuple[str, Flags | None]]:
    if by is None:
        yield "", None
        return
    text = road.rows.texts[by]
    for place, level in enumerate(text.levels):
        yield level, text.codes == place


def _effect(road: ScoreRoad, query: EffectQuery, treated: str, control: str, members: Flags | None) -> _Told:
    rows = road.rows
    seen = values_of(rows, query.measure).seen
    places = rows.arms.index(treated), rows.arms.index(control)
    counted = [(rows.arm == place) & seen & (True if members is None else members) for place in places]
    n = int(counted[0].sum()), int(counted[1].sum())
    reason = _why_not(road, query, (treated, control), n, seen)
    if reason is not None:
        return _Told(effect=ScoreEffect(n=n, reason=reason))
    segment = None if members is None else members.astype(np.float64)
    target = treated if query.target == "att" else rows.arms[0]
    repeats = road.potential(query.measure, query.target, target, segment)
    weights = np.zeros(rows.n)
    for place, own in zip(places, counted, strict=True):
        weights[own] = (road.tilt(query.target, target, 0).h * road.inverse(query.target, place, 0))[own]
    told = _over_repeats(road, repeats, places, weights)
    return replace(told, effect=replace(told.effect, n=n))


def _over_repeats(road: ScoreRoad, repeats: list[Potential], places: tuple[int, int], weights: Floats) -> _Told:
    """Return the effect over several splits; `weights` are of units in their arm's mean, shape (n,)."""
    means = np.array([found.mean[list(places)] for found in repeats])
    phis = [found.phi[:, list(places)] for found in repeats]
    covariances = np.array([covariance_of(phi, road.rows.clusters) for phi in phis])
    one = np.array([1.0, -1.0])
    points = means @ one
    variances = np.einsum("i,rij,j->r", one, covariances, one)
    if not np.isfinite(points).all() or not np.isfinite(variances).all():
        return _Told(effect=ScoreEffect(n=(0, 0), reason="a mean in the denominator is zero"))
    point, variance, nearest = median_over_repeats(points, variances)
    base = float(means[nearest, 1])
    grown = variance / variances[nearest] if variances[nearest] > 0 else 1.0
    difference = phis[nearest] @ one
    arm, clusters = road.rows.arm, road.rows.clusters
    effective = tuple(effective_size(weights[arm == place]) for place in places)
    effect = ScoreEffect(
        n=(0, 0),
        effective=(effective[0], effective[1]),
        mean=(base + point, base),
        covariance=covariances[nearest] * grown,
        df=degrees_of_freedom(difference, arm, weights, clusters),
        spread=float(np.max(np.abs(points - point))),
        repeats=len(points),
        points=tuple(map(float, points)),
    )
    return _Told(effect=effect, phi=difference)


def _why_not(
    road: ScoreRoad, query: EffectQuery, names: tuple[str, str], n: tuple[int, int], seen: Flags
) -> str | None:
    if query.by is not None and min(n) < SMALLEST_CELL:
        return f"fewer than {SMALLEST_CELL} customers of this segment in an arm: not shown"
    for name, count in zip(names, n, strict=True):
        if count == 0:
            return f"no customer in arm '{name}' has a value"
    for arm in road.rows.arms:
        own = road.rows.units_of(arm) & seen
        left = min(
            int((own & (fold != place)).sum()) for fold in road.nuisances.folds for place in range(road.recipe.folds)
        )
        if left < FEWEST_TO_LEARN:
            return (
                f"arm '{arm}' has {int(own.sum())} customers with a value: too few to learn from "
                f"(at least {FEWEST_TO_LEARN} outside every fold)"
            )
    return None


def _correlation(road: ScoreRoad, phis: list[Floats | None]) -> Floats:
    """Return the correlation matrix of effects; those of different segments share nothing but clusters."""
    columns = np.column_stack([phi for phi in phis if phi is not None]) if phis else np.zeros((road.rows.n, 0))
    clusters = road.rows.clusters
    codes = codes_of([next(iter(clusters.values()))]) if clusters else np.arange(road.rows.n)
    sums = sums_within(columns, codes) if clusters and columns.shape[1] else columns
    products = sums.T @ sums
    scale = np.sqrt(np.diag(products))
    return np.asarray(products / np.maximum(np.outer(scale, scale), 1e-300))
