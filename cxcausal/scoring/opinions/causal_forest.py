"""A causal forest, by EconML: effects that vary with covariates, predicted out of fold and made doubly robust."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats
from cxcausal.core.score_queries import Target
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.opinions.given import GivenMean, GivenShares, places
from cxcausal.scoring.opinions.opining import NO_RATIO, Asked, Heard, answered_of
from cxcausal.scoring.opinions.pair import Pair, pair_of
from cxcausal.scoring.potential import potential_means
from cxcausal.scoring.road import ScoreRoad

TREES = 32
"""Per fold; EconML wants a multiple of 4."""
_ONE = 1
"""Threads: with more, forests add their trees up in any order, and no two runs are alike to the bit."""
MOST_UNITS = 50_000
"""Units that one fold's forests learn from at most: more would take memory by the ten gigabytes."""
_SMALLEST_LEAF = 5


@dataclass(frozen=True, kw_only=True)
class CausalForest:
    """The plan's own target, from doubly robust scores around a forest's effects.

    Its outcome model is a random forest of both arms at once, m; with its effects τ the arms' means are m + (1 − e)τ
    and m − eτ, e being the scores' propensities (Athey, Tibshirani & Wager 2019, https://doi.org/10.1214/18-AOS1709).
    On the overlap of two arms τ cancels, and what is left is partialling out. EconML's own interval of the average is
    not used: it is four times too wide.
    """

    name: ClassVar[str] = "causal_forest"
    splits: ClassVar[int] = 1

    def target(self, asked: Target) -> Target:
        """Return the plan's own."""
        return asked

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why there is nothing to grow a forest on."""
        if not road.nuisances.features.columns:
            return "there is no covariate for a forest to split on"
        return NO_RATIO if measure.is_ratio else None

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the difference of the two means."""
        pair = pair_of(road, asked)
        split = road.nuisances.split(asked.repeat, "opinion", self.name, asked.measure.name, asked.arm, asked.control)
        x = road.nuisances.features.filled
        with one_level():
            mean, effect = grown(x, pair, split.fold, split.seed)
        tilt = road.tilt(asked.target, asked.arm, asked.repeat)
        means = []
        for place, predicted in zip(
            asked.places(road), (mean + (1 - pair.share) * effect, mean - pair.share * effect), strict=True
        ):
            inverse = road.inverse(asked.target, place, asked.repeat)
            answered = answered_of(road, pair.values, place, asked.repeat)
            inverse = inverse if answered is None else inverse / answered
            own = road.rows.arm == place
            means.append(potential_means(pair.y, pair.values.seen, own, predicted, inverse, tilt))
        (one, phi_one), (base, phi_base) = means
        return Heard(point=one - base, phi=phi_one - phi_base, base=base)


def grown(x: Floats, pair: Pair, fold: npt.NDArray[np.int16], seed: int) -> tuple[Floats, Floats]:
    """Return predicted outcomes whatever the arm, and effects, both out of fold and of shape (n,).

    Args:
        x: covariates without gaps, shape (n, p).
        pair: the two arms.
        fold: of every unit, shape (n,).
        seed: of the draws.
    """
    mean, effect = np.zeros(len(x)), np.zeros(len(x))
    numbers = np.unique(fold)
    for place in numbers:
        mean[fold == place] = _regression(x, pair, fold, int(place), seed)
    for place in numbers:
        learn = np.flatnonzero(pair.use & (fold != place))[:MOST_UNITS]  # in the order of a hash: any of them
        effect[fold == place] = forest(x, pair, mean, learn, seed + int(place) + 1, x[fold == place])
    return mean, effect


def _regression(x: Floats, pair: Pair, fold: npt.NDArray[np.int16], place: int, seed: int) -> Floats:
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - heavy

    learn = np.flatnonzero(pair.use & (fold != place))[:MOST_UNITS]
    made = RandomForestRegressor(
        n_estimators=TREES,
        min_samples_leaf=_SMALLEST_LEAF,
        max_features=max(1, x.shape[1] // 2),
        n_jobs=_ONE,
        random_state=seed,
    )
    made.fit(x[learn], pair.y[learn], sample_weight=pair.weight[learn])
    return np.asarray(made.predict(x[fold == place]))


def forest(x: Floats, pair: Pair, mean: Floats, learn: npt.NDArray[np.int64], seed: int, asked: Floats) -> Floats:
    """Return EconML's forest's effects for the covariates `asked`, learned from the units `learn`.

    The control is category 0, whatever the arms' names (EconML takes the alphabetically first by itself).
    """
    from econml.dml import CausalForestDML  # noqa: PLC0415 - takes seconds

    made = CausalForestDML(
        model_y=GivenMean(mean[learn], column=-1),
        model_t=GivenShares(np.column_stack([1 - pair.share, pair.share])[learn], column=-1),
        discrete_treatment=True,
        categories=[0, 1],
        cv=2,
        drate=False,
        n_estimators=TREES,
        min_samples_leaf=_SMALLEST_LEAF,
        inference=False,
        n_jobs=_ONE,
        random_state=seed,
    )
    with one_level(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it speaks of what it would do with models that learn
        treated = pair.treated[learn].astype(np.int64)
        made.fit(pair.y[learn], treated, X=x[learn], W=places(len(learn)), sample_weight=pair.weight[learn])
        found = made.effect(asked, T0=0, T1=1)
    return np.asarray(found).ravel()
