"""Second opinions: another method's effects, and how far they lie from the scores' own on the same units."""

from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.registry import Registry
from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import Contrast, Opinion, OpinionAnswer, ScoreEffect
from cxcausal.core.score_queries import EffectQuery, OpinionQuery, Target
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring import effects
from cxcausal.scoring.opinions.opining import Asked, Heard, Method
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.scores import covariance_of, degrees_of_freedom, median_over_repeats


@dataclass(frozen=True, kw_only=True)
class _Own:
    """The scores' own effect in every split, with its influence functions, each of shape (n,)."""

    points: Floats
    phis: tuple[Floats, ...]


def answer(road: ScoreRoad, query: OpinionQuery) -> OpinionAnswer:
    """Return a method's effect of every contrast.

    Raises:
        PlanError: there is no such method.
    """
    method: Method = Registry(kind="opinions").load(query.method)()
    target = method.target(query.target)
    scored = effects.answer(road, EffectQuery(measure=query.measure, target=target)).effects
    why = method.why_not(road, query.measure)
    found = {
        contrast: _opinion(road, replace(query, target=target), method, contrast, scored[(*contrast, "")], why)
        for contrast in road.contrasts
    }
    return OpinionAnswer(opinions=found)


def _opinion(
    road: ScoreRoad, query: OpinionQuery, method: Method, contrast: Contrast, scored: ScoreEffect, why: str | None
) -> Opinion:
    reason = scored.reason or why
    if reason is not None:
        return Opinion(target=query.target, n=scored.n, reason=reason)
    arm, control = contrast
    splits = range(min(method.splits, road.recipe.repeats))
    asked = [
        Asked(measure=query.measure, target=query.target, arm=arm, control=control, repeat=place) for place in splits
    ]
    with one_level():
        heard = [method.heard(road, each) for each in asked]
    own = _own(road, query.target, heard, asked[0])
    if not all(np.isfinite(each.point) and np.isfinite(each.phi).all() for each in heard):
        return Opinion(target=query.target, n=scored.n, reason="a weight in the denominator is zero")
    return replace(_told(road, heard, own), target=query.target, n=scored.n)


def _own(road: ScoreRoad, target: Target, heard: list[Heard], asked: Asked) -> _Own:
    given = [each.own for each in heard if each.own is not None]
    if given:
        return _Own(points=np.array([point for point, _ in given]), phis=tuple(phi for _, phi in given))
    treated, control = asked.places(road)
    base = asked.arm if target == "att" else road.rows.arms[0]
    found = road.potential(asked.measure, target, base)
    points = np.array([each.mean[treated] - each.mean[control] for each in found])
    return _Own(points=points, phis=tuple(each.phi[:, treated] - each.phi[:, control] for each in found))


def _told(road: ScoreRoad, heard: list[Heard], own: _Own) -> Opinion:
    """Return an opinion over its splits.

    Its distance is that of the two medians. Its variance is the median over the splits of the variance of
    φ_opinion − φ_scores in a split plus the squared distance of that split's distance from the one that is told.
    """
    clusters = road.rows.clusters
    points = np.array([each.point for each in heard])
    variances = np.array([_variance(road, each.phi) for each in heard])
    point, variance, nearest = median_over_repeats(points, variances)
    gap = point - float(np.median(own.points))
    apart = [_variance(road, each.phi - phi) for each, phi in zip(heard, own.phis, strict=False)]
    moved = (points - own.points[: len(points)] - gap) ** 2
    own_variance = median_over_repeats(own.points, np.array([_variance(road, phi) for phi in own.phis]))[1]
    chosen = heard[nearest]
    return Opinion(
        point=point,
        se=float(np.sqrt(variance)),
        gap=gap,
        gap_se=float(np.sqrt(np.median(np.array(apart) + moved))),
        base=chosen.base,
        note=chosen.note,
        df=degrees_of_freedom(chosen.phi, road.rows.arm, np.ones(road.rows.n), clusters),
        scores_se=float(np.sqrt(own_variance)),
    )


def _variance(road: ScoreRoad, phi: Floats) -> float:
    return float(covariance_of(phi[:, None], road.rows.clusters)[0, 0])
