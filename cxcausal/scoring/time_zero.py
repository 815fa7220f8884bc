"""How much later an arm's time zero lies than the control's, once the arms are made comparable."""

import numpy as np

from cxcausal.core.rows import TIME_ZERO, Floats
from cxcausal.core.score_answers import TimeZeroAnswer, TimeZeroGap
from cxcausal.core.score_queries import Target, TimeZeroQuery
from cxcausal.nuisance.learners.linear import Linear
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.enough import why_too_few
from cxcausal.scoring.potential import potential_means
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.scores import covariance_of


def answer(road: ScoreRoad, query: TimeZeroQuery) -> TimeZeroAnswer:
    """Return every treated arm's gap, adjusted as effects are, with a linear model of time zero and the first split."""
    days = road.rows.numbers.get(TIME_ZERO)
    if days is None:
        return TimeZeroAnswer(gaps=())
    reason = why_too_few(road)
    if reason is not None:
        return TimeZeroAnswer(gaps=(), reason=reason)
    known = ~np.isnan(days)
    if not known.any() or float(days[known].min()) == float(days[known].max()):
        return TimeZeroAnswer(gaps=())
    since = days - float(days[known].min())
    spread = float(np.std(since[known]))
    control = road.rows.arms[0]
    told = (contrast[0] for contrast in road.contrasts if contrast[1] == control)
    return TimeZeroAnswer(gaps=tuple(_gap(road, query.target, arm, since, spread) for arm in told))


def _gap(road: ScoreRoad, target: Target, arm: str, since: Floats, spread: float) -> TimeZeroGap:
    known = ~np.isnan(since)
    tilt = road.tilt(target, arm, 0)
    means, phis = [], []
    for name in (arm, road.rows.arms[0]):
        place, own = road.rows.arms.index(name), road.rows.units_of(name)
        with one_level():
            split = road.nuisances.split(0, "time zero", name)
            mean = Linear().mean(road.nuisances.features, np.where(known, since, 0.0), own & known, split)
        point, phi = potential_means(since, known, own, mean, road.inverse(target, place, 0), tilt)
        means.append(point)
        phis.append(phi)
    gap = means[0] - means[1]
    variance = covariance_of((phis[0] - phis[1])[:, None], road.rows.clusters)[0, 0]
    return TimeZeroGap(arm=arm, days=gap, se=float(np.sqrt(max(variance, 0.0))), standardised=gap / spread)
