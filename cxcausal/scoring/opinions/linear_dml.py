"""Partialling out, by EconML's LinearDML: a slope between what covariates leave of outcome and treatment."""

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
from cxcausal.scoring.opinions.opining import NO_RATIO, Asked, Heard
from cxcausal.scoring.opinions.pair import OF_PAIR, pair_of, pair_scores, pooled_mean
from cxcausal.scoring.road import ScoreRoad

Folds = list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
"""(places to learn from, places to predict) of every fold."""


@dataclass(frozen=True, kw_only=True)
class LinearDml:
    """One effect for all, which weighs customers by how open their choice was: that of the overlap.

    With two arms its estimate is the overlap's own doubly robust one if both have the same nuisances (the identity is
    a test); so it has an outcome model of its own, learned from both arms at once on the same folds. Among more than
    two arms it compares two, and is of those for whom either of the two was possible.
    """

    name: ClassVar[str] = "linear_dml"
    splits: ClassVar[int] = 1_000

    def target(self, asked: Target) -> Target:
        """Return the overlap."""
        del asked  # it has one population only
        return "ato"

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why a ratio has none."""
        del road
        return NO_RATIO if measure.is_ratio else None

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the slope."""
        pair = pair_of(road, asked)
        mean = pooled_mean(road, pair, asked, self.name)
        y, treated, use = pair.y, pair.treated, pair.use
        fold = road.nuisances.folds[asked.repeat]
        point = slope(y[use], treated[use], mean[use], pair.share[use], pair.weight[use], folds_in(fold[use]))
        rest = np.where(use, treated - pair.share, 0.0)
        score = pair.weight * rest * (np.where(use, y - mean, 0.0) - point * rest)
        phi = score / float(np.mean(pair.weight * rest**2))
        own = pair_scores(road, pair, asked)
        many = len(road.rows.arms) > 2  # noqa: PLR2004 - as many as are compared
        return Heard(
            point=point, phi=phi, base=own.base, own=(own.point, own.phi) if many else None, note=OF_PAIR * many or None
        )


def folds_in(fold: npt.NDArray[np.int16]) -> Folds:
    """Return (places to learn from, places to predict) of every fold."""
    return [(np.flatnonzero(fold != place), np.flatnonzero(fold == place)) for place in np.unique(fold)]


def slope(
    y: Floats,
    treated: Floats,
    mean: Floats,
    share: Floats,
    weight: Floats,
    folds: Folds,
) -> float:
    """Return EconML's slope of y − mean on treated − share, all of shape (n,).

    Nothing is drawn: the seed is for what EconML would learn by itself.
    The control is category 0, whatever the arms' names (EconML takes the alphabetically first by itself).
    """
    from econml.dml import LinearDML  # noqa: PLC0415 - takes seconds

    made = LinearDML(
        model_y=GivenMean(mean),
        model_t=GivenShares(np.column_stack([1 - share, share])),
        discrete_treatment=True,
        categories=[0, 1],
        cv=folds,
        random_state=0,
    )
    with one_level(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it speaks of what it would do with models that learn
        made.fit(y, treated.astype(np.int64), X=None, W=places(len(y)), sample_weight=weight, inference=None)
        found = made.effect(T0=0, T1=1)
    return float(np.asarray(found).ravel()[0])
