"""The doubly robust learner, by EconML: one outcome model of all arms at once, and an effect on everybody."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_queries import Target
from cxcausal.nuisance.crossfit import learner_named
from cxcausal.nuisance.features import Column, Features
from cxcausal.nuisance.learning import Split
from cxcausal.nuisance.threads import one_level
from cxcausal.scoring.measured import values_of
from cxcausal.scoring.opinions.given import GivenMean, GivenShares, places
from cxcausal.scoring.opinions.linear_dml import Folds, folds_in
from cxcausal.scoring.opinions.opining import NO_RATIO, Asked, Heard, answered_of, outcomes_of
from cxcausal.scoring.potential import Tilt, potential_means
from cxcausal.scoring.road import ScoreRoad


@dataclass(frozen=True, kw_only=True)
class DrLearner:
    """An average over everybody, whatever the plan asks for.

    Given the scores' own nuisances it would be the scores' number; so its outcome model is one for all arms, in which
    the arm is a column, learned by the plan's learner on the same folds. Propensities are raised to the same floor.
    """

    name: ClassVar[str] = "dr_learner"
    splits: ClassVar[int] = 1

    def target(self, asked: Target) -> Target:
        """Return everybody."""
        del asked  # it has one population only
        return "ate"

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why a ratio has none."""
        del road
        return NO_RATIO if measure.is_ratio else None

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the difference of two of its arms."""
        rows, repeat, values = road.rows, asked.repeat, values_of(road.rows, asked.measure)
        y, arms = outcomes_of(road, values), len(rows.arms)
        split = road.nuisances.split(repeat, "opinion", self.name, asked.measure.name)
        with one_level():
            mean = by_arm(road, y, values.seen, split)
        inverse = np.column_stack([road.inverse("ate", place, repeat) for place in range(arms)])
        for place in range(arms):
            answered = answered_of(road, values, place, repeat)
            inverse[:, place] *= 1.0 if answered is None else 1 / answered
        whole = np.where(values.seen, y, mean[np.arange(rows.n), rows.arm])  # what is missing moves no score
        found = effects(whole, rows.arm, mean, 1 / inverse, road.weight, folds_in(split.fold))
        one, base = asked.places(road)
        tilt = Tilt(h=road.weight, mass=road.weight)
        means = [
            potential_means(y, values.seen, rows.arm == place, mean[:, place], inverse[:, place], tilt)
            for place in (one, base)
        ]
        return Heard(point=float(found[one] - found[base]), phi=means[0][1] - means[1][1], base=means[1][0])


def by_arm(road: ScoreRoad, y: Floats, seen: Flags, split: Split) -> Floats:
    """Return predictions of one model under every arm, out of fold, shape (n, arms).

    The units are asked about once more per arm, under that arm; only as they were, are they learned from.
    """
    n, arms, features = road.rows.n, len(road.rows.arms), road.nuisances.features
    told = np.concatenate([road.rows.arm, np.repeat(np.arange(arms), n)])
    stacked = Features(
        matrix=np.asfortranarray(
            np.column_stack([np.tile(features.matrix, (arms + 1, 1)), told[:, None] == np.arange(1, arms)])
        ),
        columns=(*features.columns, *(Column(covariate="arm", level=name) for name in road.rows.arms[1:])),
    )
    again = Split(
        fold=np.tile(split.fold, arms + 1),
        folds=split.folds,
        seed=split.seed,
        weight=None if split.weight is None else np.tile(split.weight, arms + 1),
    )
    use = np.concatenate([seen, np.zeros(arms * n, dtype=bool)])
    found = learner_named(road.recipe.outcome).mean(stacked, np.tile(y, arms + 1), use, again)
    return np.asarray(found[n:].reshape(arms, n).T)


def effects(
    y: Floats,
    arm: npt.NDArray[np.int8],
    mean: Floats,
    share: Floats,
    weight: Floats,
    folds: Folds,
) -> Floats:
    """Return EconML's average effect of every arm against arm 0 (which has 0), shape (arms,).

    Nothing is drawn: the seed is for what EconML would learn by itself.

    Args:
        y: outcomes, shape (n,).
        arm: place of each unit's arm, shape (n,).
        mean: predicted means by arm, shape (n, arms).
        share: propensities, shape (n, arms).
        weight: of each unit, shape (n,).
        folds: of the units.
    """
    from econml.dr import LinearDRLearner  # noqa: PLC0415 - takes seconds

    arms = mean.shape[1]
    made = LinearDRLearner(
        model_propensity=GivenShares(share),
        model_regression=GivenMean(mean),
        min_propensity=0.0,
        categories=list(range(arms)),
        cv=folds,
        random_state=0,
    )
    with one_level(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it speaks of what it would do with models that learn
        made.fit(y, arm.astype(np.int64), X=None, W=places(len(y)), sample_weight=weight, inference=None)
        found = [float(np.asarray(made.effect(T0=0, T1=place)).ravel()[0]) for place in range(1, arms)]
    return np.array([0.0, *found])
