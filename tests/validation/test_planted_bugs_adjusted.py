"""More statistical bugs, in the adjusted road, exact sums, clusters, rates and checks; each must break a test (V18)."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import chdtrc

from cxcausal.checks import srm, validated_region
from cxcausal.core.answers import ClusterPatterns, Moments, Regression
from cxcausal.core.queries import CountQuery
from cxcausal.core.spec.models import Metric
from cxcausal.data import cells, lines, squares, tallies
from cxcausal.estimators import adjustment, comparison
from cxcausal.estimators import multiplicity as families
from cxcausal.stats import cluster, difference, moments, multiplicity, newcombe, regression
from cxcausal.stats.difference import Difference, Relative
from cxcausal.stats.multiplicity import Adjusted
from cxcausal.stats.newcombe import RateDifference
from tests.checks import test_assignment, test_validated_region
from tests.data import test_regressions as in_engine
from tests.data import test_short_cuts as short_cuts
from tests.estimators import test_adjustment as adjusted_rows
from tests.estimators import test_difference_in_means as rows
from tests.estimators import test_guardrails as guardrails
from tests.estimators import test_multiplicity as several
from tests.stats import test_cluster, test_degrees_of_freedom, test_difference, test_rates, test_regression
from tests.stats import test_multiplicity as rules
from tests.validation.adjusted import lin_gap, ols_gap
from tests.validation.test_planted_bugs import Bug

TABLE = (56, 70, 48, 80)
right_lin, right_line = regression.lin, lines._line
right_spread, right_limit, right_harm = lines._spread, RateDifference._limit, comparison.harm_p


def _in_folder(test: Callable[..., None], *more: str) -> Callable[[], None]:
    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder), *more)

    return run


def _twins() -> None:
    assert max(gap(np.random.default_rng(5)) for gap in (lin_gap, ols_gap)) < 1e-9


def _degrees() -> None:
    test_degrees_of_freedom.test_lins_degrees_of_freedom_are_satterthwaites_over_its_three_parts(1)


def _full_matrix() -> None:
    test_cluster.test_cr2_is_the_full_matrix(20, nested=True)


def _newcombe() -> None:
    test_rates.test_newcombe_is_that_of_statsmodels(TABLE, 0.95)


def _arms_centre(arms: Any, kept: Any) -> Any:
    return np.mean([arm.mean[kept] for arm in arms.values()], axis=0)


def _first_centre(arms: Any, kept: Any) -> Any:
    return next(iter(arms.values())).mean[kept]


def _swapped_slopes(center: Any, large: Any, kept: Any, *, common: bool) -> Any:
    del common
    (one, first), (two, second) = large.items()
    return {
        one: right_line(first, second, kept, center, center - first.mean[kept]),
        two: right_line(second, first, kept, center, center - second.mean[kept]),
    }


def _common_for_all(center: Any, large: Any, kept: Any, *, common: bool) -> Any:
    del common
    both = lines.Sums(
        n=sum(arm.n for arm in large.values()),
        mean=center,
        gram=np.sum([arm.gram for arm in large.values()], axis=0),
        cross=np.sum([arm.cross for arm in large.values()], axis=0),
    )
    return {name: right_line(arm, both, kept, center, center - arm.mean[kept]) for name, arm in large.items()}


def _within_only(arms: Any, kept: Any, found: Any) -> Any:
    spread = right_spread(arms, kept, found)
    within = np.sum([arm.gram[np.ix_(kept, kept)] for arm in arms.values()], axis=0)
    return replace(spread, covariance=within / (spread.n - 1))


def _not_leaning(arm: Any, fitted: Any, kept: Any, center: Any, direction: Any) -> Any:
    return right_line(arm, fitted, kept, center, np.zeros_like(direction))


def _independent_means(fits: Regression, treated: str, control: str, *, population: bool = True) -> Difference:
    return replace(right_lin(fits, treated, control, population=population), covariance=0.0)


def _mean_degrees(parts: Sequence[tuple[float, int]]) -> float:
    return float(np.mean([df for _, df in parts]))


def _no_columns_counted(parts: Sequence[tuple[float, int]]) -> float:
    total = sum(variance for variance, _ in parts)
    return 1 / sum((variance / total) ** 2 / (df + 3 * (place < 2)) for place, (variance, df) in enumerate(parts))


def _by_place(p: Sequence[float], alpha: float) -> Adjusted:
    m = len(p)
    tests = [alpha / (m - place) for place in range(m)]
    told = tuple(min(1.0, value * (m - place)) for place, value in enumerate(p))
    return Adjusted(p=told, rejected=tuple(v <= t for v, t in zip(p, tests, strict=True)), alpha=tuple(tests))


def _selected_at_full_level(p: Sequence[float], q: float) -> Adjusted:
    return replace(multiplicity.benjamini_hochberg(p, q), alpha=(q,) * len(p))


def _all_at_the_last_level(p: Sequence[float], q: float) -> Adjusted:
    found = multiplicity.benjamini_hochberg(p, q)
    return replace(found, alpha=(q * sum(found.rejected) / len(p),) * len(p))


def _fieller_sign(self: Difference, level: float) -> Relative:
    squared = difference.quantile(level, self.df) ** 2
    middle = self.point * self.mean_control + squared * (self.covariance - self.var_control)
    constant = self.point**2 - squared * self._variance(1.0)
    curvature = self.mean_control**2 - squared * self.var_control
    return Relative(point=0.0, se=0.0, interval=difference._roots(curvature, middle, constant))


def _cr1(matrices: Any) -> Any:
    return np.ones_like(matrices) * np.eye(2) * np.sqrt(20 / 19)


def _singles_alone(by_names: dict[tuple[str, ...], ClusterPatterns]) -> Difference:
    return cluster.multiway({names: found for names, found in by_names.items() if len(names) == 1})


def _diagonal(cell: Moments) -> moments.Mean:
    return moments.linearise(replace(cell, m2=np.diag(np.diag(cell.m2))))


def _sides_swapped(self: RateDifference, z: float, ratio: float, *, side: int) -> float:
    middle = self.mean_treated - ratio * self.mean_control
    return 2 * middle - right_limit(self, z, ratio, side=-side)


def _added_not_squared(one: float, two: float) -> float:
    return abs(one) + abs(two)


def _too_many_degrees(counts: Sequence[int], shares: Sequence[float]) -> float:
    expected = sum(counts) * np.asarray(shares)
    return float(chdtrc(len(counts), np.sum((np.asarray(counts) - expected) ** 2 / expected)))


def _two_sided(effect: Any, metric: Metric) -> float:
    return min(1.0, 2 * right_harm(effect, metric))


def _noiseless_margin(effect: Any, metric: Metric) -> float:
    if metric.margin is None or metric.margin.relative is None:
        return right_harm(effect, metric)
    margin = {"absolute": metric.margin.relative * effect.mean_control}
    return right_harm(effect, Metric.model_validate({**metric.model_dump(), "margin": margin}))


def _signs_forgotten(units: int, n: int, total: int, squared: int) -> tallies.Tally:
    return tallies.Tally(units=units, n=units, events=squared, sums=[total], crosses=[squared], low=0.0, high=1.0)


ENGINE = _in_folder(in_engine.test_arm_wise_fits_are_those_of_one_interacted_regression, "x.parquet")
LIN_ROWS = adjusted_rows.test_the_numbers_are_those_of_one_interacted_regression_over_all_arms
MARGIN = partial(test_degrees_of_freedom.test_a_relative_margin_is_a_test_of_rescaled_rows, "increase")
BY_HAND = rules.test_false_coverage_levels_by_hand
FIELLER = test_difference.test_fieller_limits_are_where_the_ratio_is_just_rejected
HOUSEHOLDS = test_assignment.test_srm_asks_for_randomised_units_and_needs_planned_shares_and_units
ADJUSTED = [
    Bug(
        name="HC0: leverage dropped",
        where=squares,
        attribute="_part",
        by=lambda known, t, one, two: known[f"{t}weight"] ** 2 * known[f"{t}e{one}"] * known[f"{t}e{two}"],
        caught_by=ENGINE,
    ),
    Bug(
        name="HC3 called HC2",
        where=squares,
        attribute="_part",
        by=lambda known, t, one, two: (
            known[f"{t}weight"] ** 2 * known[f"{t}e{one}"] * known[f"{t}e{two}"] / (1 - known[f"{t}leverage"]) ** 2
        ),
        caught_by=ENGINE,
    ),
    Bug(
        name="population's part dropped",
        where=adjustment,
        attribute="lin",
        by=partial(right_lin, population=False),
        caught_by=LIN_ROWS,
    ),
    Bug(
        name="adjusted means taken for independent",
        where=test_regression,
        attribute="lin",
        by=_independent_means,
        caught_by=test_regression.test_covariances_serve_the_relative_effect,
    ),
    Bug(
        name="centre at the mean of the arms' means",
        where=lines,
        attribute="_center",
        by=_arms_centre,
        caught_by=_twins,
    ),
    Bug(name="centre at one arm's mean", where=lines, attribute="_center", by=_first_centre, caught_by=_twins),
    Bug(name="slopes swapped between arms", where=lines, attribute="_lines", by=_swapped_slopes, caught_by=_twins),
    Bug(name="common slopes called Lin's", where=lines, attribute="_lines", by=_common_for_all, caught_by=_twins),
    Bug(
        name="covariance of covariates within arms", where=lines, attribute="_spread", by=_within_only, caught_by=_twins
    ),
    Bug(name="noise of the slopes forgotten", where=lines, attribute="_line", by=_not_leaning, caught_by=_twins),
    Bug(
        name="mean degrees of freedom",
        where=regression,
        attribute="_satterthwaite",
        by=_mean_degrees,
        caught_by=_degrees,
    ),
    Bug(
        name="covariates cost no degrees of freedom",
        where=regression,
        attribute="_satterthwaite",
        by=_no_columns_counted,
        caught_by=_degrees,
    ),
]
ELSEWHERE = [
    Bug(
        name="Holm by place, not by rank",
        where=families,
        attribute="holm",
        by=_by_place,
        caught_by=several.test_holm_covers_success_metrics_times_arms,
    ),
    Bug(
        name="selected intervals at the full level",
        where=rules,
        attribute="benjamini_hochberg",
        by=_selected_at_full_level,
        caught_by=BY_HAND,
    ),
    Bug(
        name="not selected, with the selected's level",
        where=rules,
        attribute="benjamini_hochberg",
        by=_all_at_the_last_level,
        caught_by=BY_HAND,
    ),
    Bug(name="Fieller with a wrong sign", where=Difference, attribute="relative", by=_fieller_sign, caught_by=FIELLER),
    Bug(name="CR1 called CR2", where=cluster, attribute="_inverse_root", by=_cr1, caught_by=_full_matrix),
    Bug(
        name="a ratio's parts taken for independent",
        where=difference,
        attribute="linearise",
        by=_diagonal,
        caught_by=rows.test_a_ratio_metric_is_the_delta_method,
    ),
    Bug(
        name="two cluster names added, and their crossing not subtracted",
        where=test_cluster,
        attribute="multiway",
        by=_singles_alone,
        caught_by=test_cluster.test_two_names_are_inclusion_and_exclusion,
    ),
    Bug(
        name="Newcombe's sides swapped",
        where=RateDifference,
        attribute="_limit",
        by=_sides_swapped,
        caught_by=_newcombe,
    ),
    Bug(name="Wilson's halves added", where=newcombe, attribute="hypot", by=_added_not_squared, caught_by=_newcombe),
    Bug(
        name="an arm too many in the split's degrees of freedom",
        where=test_rates,
        attribute="srm_p",
        by=_too_many_degrees,
        caught_by=lambda: test_rates.test_srm_is_pearsons_test([90, 60, 70], [0.5, 0.25, 0.25]),
    ),
    Bug(
        name="the split of customers instead of households",
        where=srm,
        attribute="count_query",
        by=lambda _: CountQuery(of="unit", by=()),
        caught_by=HOUSEHOLDS,
    ),
    Bug(
        name="guardrail with two sides",
        where=comparison,
        attribute="harm_p",
        by=_two_sided,
        caught_by=lambda: guardrails.test_an_absolute_margin_is_a_shifted_one_sided_test("increase"),
    ),
    Bug(
        name="relative margin without noise",
        where=comparison,
        attribute="harm_p",
        by=_noiseless_margin,
        caught_by=MARGIN,
    ),
    Bug(
        name="missing rates counted",
        where=tallies,
        attribute="_of_signs",
        by=_signs_forgotten,
        caught_by=_in_folder(short_cuts.test_values_of_minus_one_zero_and_one_with_some_missing),
    ),
    Bug(
        name="missing segments called None",
        where=cells,
        attribute="_text",
        by=str,
        caught_by=_in_folder(short_cuts.test_a_missing_segment_and_an_empty_one_are_one_group),
    ),
    Bug(
        name="unequal arms taken for equal",
        where=validated_region,
        attribute="skewness_of_difference",
        by=lambda *_: 0.0,
        caught_by=test_validated_region.test_skewed_spend_in_unequal_arms_warns_and_never_fails,
    ),
]
BUGS = [*ADJUSTED, *ELSEWHERE]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.caught_by()
    monkeypatch.setattr(bug.where, bug.attribute, bug.by)
    with pytest.raises(AssertionError):
        bug.caught_by()


def test_there_are_enough_of_them() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25
