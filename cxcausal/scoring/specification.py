"""A measure's effects under other reasonable choices of learners, covariates, splits and units."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.choices import BOOSTED, FEWER, LINEAR, ONE_SPLIT, TRIMMED
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_answers import Contrast, Opinion, SpecificationAnswer
from cxcausal.core.score_queries import SpecificationQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.enough import why_too_few
from cxcausal.scoring.measured import values_of
from cxcausal.scoring.overlap import limits_of
from cxcausal.scoring.potential import Potential
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.scores import covariance_of, median_over_repeats

_LEARNERS = {LINEAR: ("linear", "logistic"), BOOSTED: ("lightgbm", "lightgbm")}
_TRIM = (0.05, 0.95)


@dataclass(frozen=True, kw_only=True)
class _Effect:
    """One effect with its influence function, shape (n,)."""

    point: float
    phi: Floats


def answer(road: ScoreRoad, query: SpecificationQuery) -> SpecificationAnswer:
    """Return the effects of every choice; those of other learners and covariates from one split of their own."""
    reason = why_too_few(road, values_of(road.rows, query.measure).seen)
    if reason is not None:
        return SpecificationAnswer(choices={each: {"all": Opinion(reason=reason)} for each in road.contrasts})
    others = dict(_others(road, query.without))
    return SpecificationAnswer(choices={each: _choices(road, others, query, each) for each in road.contrasts})


def _others(road: ScoreRoad, without: tuple[str, ...]) -> Iterator[tuple[str, ScoreRoad]]:
    """Yield the score roads of other choices, each made once for all measures."""
    recipe, nuisances = replace(road.recipe, repeats=1), road.nuisances
    for name, (outcome, propensity) in _LEARNERS.items():
        if (road.recipe.outcome, road.recipe.propensity) != (outcome, propensity):
            other = replace(recipe, outcome=outcome, propensity=propensity)
            yield name, _road(road, name, nuisances.covariates, other)
    fewer = tuple(name for name in nuisances.covariates if name not in without)
    if fewer != nuisances.covariates:
        yield FEWER, _road(road, FEWER, fewer, recipe)


def _road(road: ScoreRoad, name: str, covariates: tuple[str, ...], recipe: Recipe) -> ScoreRoad:
    key = (name, covariates)
    if key not in road.others:
        nuisances = Nuisances(
            rows=road.rows,
            covariates=covariates,
            recipe=recipe,
            known=road.nuisances.known,
            weight=road.nuisances.weight,
        )
        road.others[key] = ScoreRoad(rows=road.rows, nuisances=nuisances, contrasts=road.contrasts)
    return road.others[key]


def _choices(
    road: ScoreRoad, others: dict[str, ScoreRoad], query: SpecificationQuery, contrast: Contrast
) -> dict[str, Opinion]:
    measure, target = query.measure, query.target
    split, own = _own(road, measure, target, contrast)
    found = {name: _first(other, measure, target, contrast) for name, other in others.items()}
    if road.recipe.repeats > 1:
        found[ONE_SPLIT] = split
    told = {name: _opinion(road, target, own, effect) for name, effect in found.items()}
    inside = _inside(road)
    if 0 < inside.sum() < road.rows.n:
        trimmed = _first(road, measure, target, contrast, inside.astype(np.float64))
        told[TRIMMED] = replace(_opinion(road, target, own, trimmed), target="trimmed")
    return told


def _own(road: ScoreRoad, measure: Measure, target: Target, contrast: Contrast) -> tuple[_Effect, _Effect]:
    """Return the plan's own effect, in the first split and over all: the median, with the split nearest to it."""
    splits = [_effect(road, found, contrast) for found in road.potential(measure, target, contrast[0])]
    points = np.array([each.point for each in splits])
    variances = np.array([covariance_of(each.phi[:, None], road.rows.clusters)[0, 0] for each in splits])
    point, _, nearest = median_over_repeats(points, variances)
    return splits[0], _Effect(point=point, phi=splits[nearest].phi)


def _first(
    road: ScoreRoad, measure: Measure, target: Target, contrast: Contrast, segment: Floats | None = None
) -> _Effect:
    """Return the effect in a road's first split, over everybody or those of a segment."""
    found = road.potential(measure, target, contrast[0], segment)[0]
    return _effect(road, found, contrast)


def _effect(road: ScoreRoad, found: Potential, contrast: Contrast) -> _Effect:
    one, other = (road.rows.arms.index(arm) for arm in contrast)
    return _Effect(point=float(found.mean[one] - found.mean[other]), phi=found.phi[:, one] - found.phi[:, other])


def _opinion(road: ScoreRoad, target: Target, own: _Effect, other: _Effect) -> Opinion:
    clusters = road.rows.clusters
    pair = covariance_of(np.column_stack([other.phi, other.phi - own.phi, own.phi]), clusters)
    if not (np.isfinite(other.point) and np.isfinite(pair).all()):
        return Opinion(target=target, reason="a mean in the denominator is zero")
    return Opinion(
        point=other.point,
        se=float(np.sqrt(max(pair[0, 0], 0.0))),
        gap=other.point - own.point,
        gap_se=float(np.sqrt(max(pair[1, 1], 0.0))),
        target=target,
        scores_se=float(np.sqrt(max(pair[2, 2], 0.0))),
    )


def _inside(road: ScoreRoad) -> Flags:
    """Return who had a choice between all arms, shape (n,)."""
    shares, arms = road.nuisances.propensity.shares[0], len(road.rows.arms)
    inside = np.ones(road.rows.n, dtype=bool)
    for place in range(arms):
        low, high = limits_of(float(np.mean(road.rows.arm == place)), arms, _TRIM)
        inside &= (shares[:, place] >= low) & (shares[:, place] <= high)
    return inside
