"""Sensitivity: how strong an unmeasured difference would have to be to change what an effect says."""

from dataclasses import dataclass
from math import exp, isfinite, sqrt

import numpy as np
from scipy.stats import t

from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import Benchmark, ScoreEffect, ScoreEffects, Sensitivity, SensitivityAnswer
from cxcausal.core.score_queries import EffectQuery, SensitivityQuery
from cxcausal.scoring import effects
from cxcausal.scoring.representer import Representer, representer_of, told_of
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.omitted import (
    Bounded,
    Likeness,
    e_value,
    equal_strengths,
    multiple_reaching,
    strength_of,
    undoing_strength,
)
from cxcausal.stats.partial_r2 import partial_r2
from cxcausal.stats.scores import covariance_of

MOST_BENCHMARKS = 5
GRID = 13
MULTIPLES = (0.5, 1.0, 2.0, 3.0)
_FEWEST_TOP, _MOST_TOP = 0.1, 0.9
_RISK_PER_DEVIATION = 0.91
"""Of a logarithmic risk ratio per standard deviation of the outcome (VanderWeele & Ding 2017)."""
_LARGEST_LOG = 700.0
"""Of a risk ratio that a computer can tell from infinity; what lies beyond is no effect, but a column in disguise."""


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """S with its influence function, shape (n,); and the effect's bias per unit of a linear confounder's strength."""

    value: float
    phi: Floats
    linear: float


def answer(road: ScoreRoad, query: SensitivityQuery) -> SensitivityAnswer:
    """Return every contrast's bounds, benchmarks and E-values."""
    told = effects.answer(road, EffectQuery(measure=query.measure, target=query.target))
    assert isinstance(told, ScoreEffects)  # noqa: S101 - narrows
    return SensitivityAnswer(
        found={
            (treated, control): _sensitivity(road, query, treated, control, told.effects[treated, control, ""])
            for treated, control in road.contrasts
        }
    )


def _sensitivity(
    road: ScoreRoad, query: SensitivityQuery, treated: str, control: str, effect: ScoreEffect
) -> Sensitivity:
    if effect.reason is not None:
        return Sensitivity(reason=effect.reason)
    one = np.array([1.0, -1.0])
    point, se = float(effect.mean[0] - effect.mean[1]), sqrt(max(float(one @ effect.covariance @ one), 0.0))
    quantile = float(t.ppf(1 - query.alpha / 2, effect.df))
    bounded, linear = _bounded(road, query, (treated, control), point, se)
    if bounded.scale <= 0:
        return Sensitivity(point=point, se=se, reason="the outcome does not vary beyond what covariates predict")
    likenesses = _likenesses(road, query, treated, control)
    undoing = undoing_strength(bounded, quantile)
    equal, equal_interval = equal_strengths(undoing_strength(bounded)), equal_strengths(undoing)
    strongest = likenesses[0][1] if likenesses else None
    found = [Benchmark(column=name, **_of(likeness)) for name, likeness in likenesses]
    grid = _grid(equal, found)
    ratio, limit = _e_values(road, query, treated, control, effect, quantile)
    multiple = multiple_reaching(strongest, undoing) if strongest is not None else None
    return Sensitivity(
        point=point,
        se=se,
        scale=bounded.scale,
        scale_se=bounded.scale_se,
        scale_covariance=bounded.covariance,
        robustness=equal,
        robustness_interval=equal_interval,
        benchmarks=tuple(found),
        grid=grid,
        bound=np.array([[bounded.nearest(strength_of(y, d)) for y in grid] for d in grid]),
        e_value=ratio,
        e_value_limit=limit,
        simulated=() if strongest is None else tuple(_simulated(bounded, linear, strongest)),
        multiple=multiple if multiple is not None and isfinite(multiple) else None,
    )


def _of(likeness: Likeness) -> dict[str, float]:
    outcome, treatment = likeness.at(1.0)
    return {"outcome": outcome, "treatment": treatment}


def _bounded(
    road: ScoreRoad, query: SensitivityQuery, contrast: tuple[str, str], point: float, se: float
) -> tuple[Bounded, float]:
    """Return the effect with the scale of its bias, and a linear confounder's scale: medians over the splits.

    Standard errors are those of the split whose effect is nearest to the median.
    """
    target = contrast[0] if query.target == "att" else road.rows.arms[0]
    places = [road.rows.arms.index(name) for name in contrast]
    potentials = road.potential(query.measure, query.target, target)
    points = np.array([each.mean[places[0]] - each.mean[places[1]] for each in potentials])
    scales = [
        _scale(representer_of(road, told_of(road, query.measure, query.target, target, repeat), *contrast))
        for repeat in range(len(potentials))
    ]
    nearest = int(np.argmin(np.abs(points - point)))
    phi = potentials[nearest].phi[:, places[0]] - potentials[nearest].phi[:, places[1]]
    joint = covariance_of(np.column_stack([phi, scales[nearest].phi]), road.rows.clusters)
    own = sqrt(max(float(joint[0, 0]), 0.0))
    grown = se / own if own > 0 else 1.0
    bounded = Bounded(
        point=point,
        se=se,
        scale=float(np.median([each.value for each in scales])),
        scale_se=sqrt(max(float(joint[1, 1]), 0.0)),
        covariance=float(joint[0, 1]) * grown,
    )
    return bounded, float(np.median([each.linear for each in scales]))


def _scale(found: Representer) -> _Scale:
    """Return S = σν with its influence function.

    σ² is the residuals' variance among the contrast's arms, and ν² that of the weights, from the score 2 m(α) − α²
    (Chernozhukov et al. 2022, https://arxiv.org/abs/2112.13398, section 4), whose mean hardly moves with an error in
    the propensities; where so little overlap is left that it is negative, the mean of α² itself.
    """
    squares, weights = found.weight * found.residual**2, found.weight * found.alpha**2
    variance = float(np.mean(squares))
    scores = 2 * found.twice - weights
    size = float(np.mean(scores))
    if size <= 0:
        scores, size = weights, float(np.mean(weights))
    value = sqrt(variance * size)
    phi_size = scores - size - 2 * size * (found.mass - 1)
    phi = (variance * phi_size + size * (squares - variance)) / (2 * value) if value > 0 else np.zeros(len(squares))
    apart = float(np.mean(found.weight * found.assigned**2))
    return _Scale(value=value, phi=phi, linear=sqrt(variance / apart) if apart > 0 else 0.0)


def _likenesses(road: ScoreRoad, query: SensitivityQuery, treated: str, control: str) -> list[tuple[str, Likeness]]:
    """Return the covariates whose like would move the effect most, in a linear regression of the contrast's units."""
    target = treated if query.target == "att" else road.rows.arms[0]
    told = told_of(road, query.measure, query.target, target, 0)
    one = road.rows.units_of(treated)
    use = (one | road.rows.units_of(control)) & told.seen
    features = road.nuisances.features
    groups: dict[str, list[int]] = {}
    for place, column in enumerate(features.columns):
        groups.setdefault(column.covariate, []).append(place)
    if not groups:
        return []
    columns, weight = features.filled[use], road.weight[use]
    both = np.column_stack([columns, one[use]])
    outcome = partial_r2(both, told.y[use], list(groups.values()), weight)
    treatment = partial_r2(columns, one[use].astype(np.float64), list(groups.values()), weight)
    found = [(name, Likeness(outcome=y, treatment=d)) for name, y, d in zip(groups, outcome, treatment, strict=True)]
    return sorted(found, key=lambda each: (-each[1].strength(), each[0]))[:MOST_BENCHMARKS]


def _grid(robustness: float, benchmarks: list[Benchmark]) -> Floats:
    """Return strengths that reach beyond the robustness value and the benchmarks, shape (g,)."""
    reached = max([robustness, *(max(each.outcome, each.treatment) for each in benchmarks)])
    return np.linspace(0.0, min(max(1.25 * reached, _FEWEST_TOP), _MOST_TOP), GRID)


def _simulated(bounded: Bounded, linear: float, strongest: Likeness) -> list[tuple[float, float]]:
    """Return what is left of the effect once a confounder that moves the arm linearly is adjusted for.

    A confounder drawn on the residuals of outcome and arm with given partial R² moves the partialled-out effect by
    √(R²_y R²_d / (1 − R²_d)) · σ / sd(arm's residual), exactly (Frisch–Waugh–Lovell), so that nothing need be drawn.
    """
    as_linear = Bounded(point=bounded.point, se=bounded.se, scale=linear)
    return [(multiple, as_linear.nearest(strongest.strength(multiple))) for multiple in MULTIPLES]


def _e_values(
    road: ScoreRoad, query: SensitivityQuery, treated: str, control: str, effect: ScoreEffect, quantile: float
) -> tuple[float | None, float | None]:
    """Return the E-values of the point and of the interval's end nearest to no effect.

    Of shares on the risk ratio; of means by the risk ratio that a difference of so many standard deviations is like.
    """
    told = told_of(road, query.measure, query.target, treated, 0)
    values = [told.y[road.rows.units_of(name) & told.seen] for name in (treated, control)]
    if query.measure.denominator is None and all(np.isin(each, (0.0, 1.0)).all() for each in values):
        if min(effect.mean) <= 0:
            return None, None
        slope = np.array([1 / effect.mean[0], -1 / effect.mean[1]])
        log = float(np.log(effect.mean[0] / effect.mean[1]))
        se = sqrt(max(float(slope @ effect.covariance @ slope), 0.0))
    else:
        pooled = sqrt(sum(((each - each.mean()) ** 2).sum() for each in values) / (sum(map(len, values)) - 2))
        one = np.array([1.0, -1.0])
        if pooled <= 0:
            return None, None
        log = _RISK_PER_DEVIATION * float(effect.mean[0] - effect.mean[1]) / pooled
        se = _RISK_PER_DEVIATION * sqrt(max(float(one @ effect.covariance @ one), 0.0)) / pooled
    if abs(log) > _LARGEST_LOG:
        return None, None
    return e_value(exp(abs(log))), e_value(exp(max(abs(log) - quantile * se, 0.0)))
