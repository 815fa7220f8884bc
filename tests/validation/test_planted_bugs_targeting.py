"""Statistical bugs in what is told of predictions: each must break a test (V18)."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from cxcausal.core.held_out import HeldOut
from cxcausal.heterogeneity import telling
from cxcausal.stats import observed_uplift, ranks, targeting, told
from cxcausal.stats.multiplicity import Adjusted
from cxcausal.stats.ranks import Ranked
from tests.heterogeneity import test_telling
from tests.stats import test_observed_uplift, test_targeting, test_told
from tests.twins import Values
from tests.validation.targeting import FOLDS, MOST, NULL_WORLDS, rejections
from tests.validation.test_planted_bugs import Bug

right_ranked, right_judged, right_qini = ranks.ranked, telling.judged_of, observed_uplift._qini
right_area = ranks.area


def _ranked_by_order(predicted: Values, weight: Values | None = None) -> Ranked:
    return right_ranked(predicted - 1e-9 * np.arange(len(predicted)), weight)


def _ranked_unweighted(predicted: Values, weight: Values | None = None) -> Ranked:
    return right_ranked(predicted)


def _backwards(predicted: Values, weight: Values | None = None) -> Ranked:
    return right_ranked(-predicted, weight)


def _ranks_taken_as_known(ranks: Ranked, values: Values, whole: Any, slope: Any) -> tuple[float, Values]:
    point, _ = right_area(ranks, values, whole, slope)
    levels = np.diff(whole(ranks.edges)) / np.diff(ranks.edges)
    phi = values * levels[ranks.block] * ranks.share * len(values)
    return point, phi - phi.mean()


def _judged_where_learned(held: HeldOut, arm: int, alpha: float) -> telling.Judged:
    return right_judged(
        replace(held, turns=tuple(replace(turn, judged=turn.learned) for turn in held.turns)), arm, alpha
    )


def _customers_not_households(held: HeldOut, arm: int, alpha: float) -> telling.Judged:
    found = right_judged(held, arm, alpha)
    return replace(found, sample=replace(found.sample, clusters={}))


def _unscaled(y: Values, t: Any, ranks: Ranked) -> observed_uplift._Drawn:
    found = right_qini(y, t, ranks)
    outcome, _ = observed_uplift._so_far(y, t, ranks)
    return replace(found, value=outcome[1] - outcome[0])


def _finds_nothing() -> None:
    found = rejections(replace(NULL_WORLDS[1], n=1_200), 60)
    assert max(found.values()) < 3 * MOST


def _intercept_forgotten(gain: Values, predicted: Values, weight: Values, turn: Any) -> tuple[float, Values]:
    slope = float(np.sum(weight * predicted * gain) / np.sum(weight * predicted**2))
    return slope, weight * predicted * (gain - slope * predicted)


def _unadjusted(p: Any, alpha: float) -> Adjusted:
    return Adjusted(p=tuple(p), rejected=(), alpha=())


def _two_sided(points: Values, phi: Values, sample: told.Sample) -> float:
    return min(number.p or 0.0 for number in told.told(points, phi, sample))


_TIES = test_targeting.test_ties_are_the_mean_over_all_ways_to_break_them
_CLUSTERS = test_telling.test_clusters_widen_what_depends_and_leave_points
_LARGER = partial(test_told.test_the_larger_of_two_has_the_chance_of_both_normals, 0.6, 0.03)
BUGS = [
    Bug(name="ties by order", where=test_targeting, attribute="ranked", by=_ranked_by_order, caught_by=_TIES),
    Bug(
        name="weights forgotten",
        where=test_targeting,
        attribute="ranked",
        by=_ranked_unweighted,
        caught_by=lambda: test_targeting.test_areas_equal_the_integral_over_ranks("qini", 4, weighted=True),
    ),
    Bug(
        name="least promising first",
        where=telling,
        attribute="ranked",
        by=_backwards,
        caught_by=test_telling.test_a_difference_that_is_there_is_found_in_the_right_size,
    ),
    Bug(
        name="ranks taken as known",
        where=targeting,
        attribute="area",
        by=_ranks_taken_as_known,
        caught_by=lambda: test_targeting.test_the_influence_is_the_derivative_by_each_units_weight("autoc", 0),
    ),
    Bug(
        name="judged where it was learned",
        where=telling,
        attribute="judged_of",
        by=_judged_where_learned,
        caught_by=_finds_nothing,
    ),
    Bug(
        name="households taken for customers",
        where=telling,
        attribute="judged_of",
        by=_customers_not_households,
        caught_by=_CLUSTERS,
    ),
    Bug(
        name="controls not scaled",
        where=observed_uplift,
        attribute="_qini",
        by=_unscaled,
        caught_by=test_observed_uplift.test_curves_worked_out_by_hand,
    ),
    Bug(
        name="slope without intercept",
        where=targeting,
        attribute="best_linear_predictor",
        by=_intercept_forgotten,
        caught_by=lambda: test_targeting.test_the_line_and_the_groups_equal_their_twins(weighted=False),
    ),
    Bug(
        name="arms and aims unadjusted",
        where=telling,
        attribute="holm",
        by=_unadjusted,
        caught_by=test_telling.test_arms_and_aims_are_adjusted_together,
    ),
    Bug(
        name="smaller of two p-values",
        where=test_told,
        attribute="p_any_above",
        by=_two_sided,
        caught_by=_LARGER,
    ),
    Bug(
        name="wrong way counts as found",
        where=telling,
        attribute="p_any_above",
        by=_two_sided,
        caught_by=test_telling.test_predictions_that_point_the_wrong_way_are_not_a_finding,
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.caught_by()
    monkeypatch.setattr(bug.where, bug.attribute, bug.by)
    with pytest.raises(AssertionError):
        bug.caught_by()


def test_ordinary_folds_are_seen_to_find_what_is_not_there() -> None:
    assert rejections(replace(FOLDS, n=1_200), 150)["slope"] > MOST
