"""Statistical bugs planted one at a time: each must break a named test of the suite (bar V18)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.measure import Measure
from cxcausal.core.measures import measure_of
from cxcausal.core.queries import MomentQuery
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.estimators import adjustment, comparison, difference_in_means
from cxcausal.estimators import multiplicity as families
from cxcausal.estimators.comparison import Comparison
from cxcausal.stats import cluster, difference, moments, multiplicity, newcombe, regression
from cxcausal.stats.difference import Difference, Interval, Relative
from cxcausal.stats.multiplicity import Adjusted
from cxcausal.stats.proportions import srm_p
from tests.estimators import test_adjusted_ratios as ratios
from tests.estimators import test_difference_in_means as rows
from tests.estimators import test_guardrails as guardrails
from tests.estimators import test_multiplicity as several
from tests.stats import test_cluster, test_difference, test_rates
from tests.twins import Values

TABLE = (56, 70, 48, 80)


@dataclass(frozen=True, kw_only=True)
class Bug:
    """What is replaced by what, and the test that must notice."""

    name: str
    where: Any
    attribute: str
    by: Any
    caught_by: Callable[[], None]


def _rescaled(power: int, *, ddof: int = 1) -> Callable[[Moments], moments.Mean]:
    def wrong(cell: Moments) -> moments.Mean:
        right = moments.linearise(cell)
        return replace(right, variance=right.variance * (cell.n - 1) / (cell.n - ddof) / cell.n**power)

    return wrong


def _without_between(cells: list[Moments]) -> Moments:
    return replace(moments.merge(cells), m2=np.sum([cell.m2 for cell in cells if cell.n], axis=0))


def _numerator_only(mean: Values) -> Values:
    return np.array([1.0, 0.0]) / mean[1] if len(mean) > 1 else np.array([1.0])


def _symmetric(self: Difference, level: float) -> Relative:
    point, se = self.point / self.mean_control, self.se / self.mean_control
    half = difference.quantile(level, self.df) * se
    return Relative(point=point, se=se, interval=Interval(low=point - half, high=point + half))


def _bonferroni(p: list[float], alpha: float) -> Adjusted:
    m = len(p)
    return Adjusted(
        p=tuple(min(1.0, m * x) for x in p), rejected=tuple(x <= alpha / m for x in p), alpha=(alpha / m,) * m
    )


def _untouched(p: list[float], alpha: float) -> Adjusted:
    return Adjusted(p=tuple(p), rejected=tuple(x <= alpha for x in p), alpha=(alpha,) * len(p))


def _flipped_harm(effect: Difference, metric: Metric) -> float:
    return 1 - comparison_harm(effect, metric)


def _no_margin(effect: Difference, metric: Metric) -> float:
    return comparison_harm(effect, metric.model_copy(update={"margin": None}))


def _no_response(metric: Metric, weight: str | None = None) -> Measure:
    return replace(measure_of(metric, weight), response=None)


def _no_weight(metric: Metric, weight: str | None = None) -> Measure:
    del weight
    return measure_of(metric)


def _first_name(patterns: dict[tuple[str, ...], ClusterPatterns]) -> Difference:
    return cluster.clustered(next(iter(patterns.values())))


def _wald(events: int, n: int, z: float) -> tuple[float, float]:
    rate = events / n
    half = z * (rate * (1 - rate) / n) ** 0.5
    return rate - half, rate + half


def _alphabetical(spec: ExperimentSpec) -> str:
    return min(spec.design.treatment.arms)


comparison_harm = comparison.harm_p
right_at = Comparison.at


def _hc2_rows() -> None:
    test_difference.test_hc2_is_the_regression_of_statsmodels(0)


def _full_matrix() -> None:
    test_cluster.test_cr2_is_the_full_matrix(20, nested=True)


def _clustered_rows() -> None:
    rows.test_shared_fates_take_cr2({"cluster": "household"})


def _survey() -> None:
    rows.test_survey_metrics_count_respondents_only(
        {"type": "ordinal", "column": "csat"}, lambda c: c["csat"], "points"
    )


def _everybody(measure: Measure, segment: str | None) -> MomentQuery:
    del segment
    return MomentQuery(measure=measure)


IN_ROWS, IN_STATS = difference_in_means, difference
WELCH = lambda: test_difference.test_welch_is_that_of_scipy(0)  # noqa: E731 - reads as a name in the list below
BUGS = [
    Bug(name="SE over n", where=IN_STATS, attribute="linearise", by=_rescaled(1), caught_by=_hc2_rows),
    Bug(name="ddof 0", where=IN_STATS, attribute="linearise", by=_rescaled(0, ddof=0), caught_by=_hc2_rows),
    Bug(name="ddof 2", where=IN_STATS, attribute="linearise", by=_rescaled(0, ddof=2), caught_by=_hc2_rows),
    Bug(name="SD for SE", where=IN_STATS, attribute="linearise", by=_rescaled(-1), caught_by=_hc2_rows),
    Bug(name="one-sided p", where=Difference, attribute="p", by=property(Difference.p_above), caught_by=WELCH),
    Bug(
        name="normal for t",
        where=IN_STATS,
        attribute="quantile",
        by=lambda level, _: -float(ndtri((1 - level) / 2)),
        caught_by=WELCH,
    ),
    Bug(name="90 % for 95 %", where=IN_STATS, attribute="quantile", by=lambda *_: 1.645, caught_by=WELCH),
    Bug(name="pooled df", where=IN_STATS, attribute="welch_df", by=lambda t, c: t.n + c.n - 2.0, caught_by=WELCH),
    Bug(
        name="pooled variance",
        where=cluster,
        attribute="hc2",
        by=difference.pooled,
        caught_by=rows.test_a_mean_is_welchs_test,
    ),
    Bug(
        name="swapped arms",
        where=cluster,
        attribute="hc2",
        by=lambda t, c: difference.hc2(c, t),
        caught_by=rows.test_a_mean_is_welchs_test,
    ),
    Bug(
        name="alphabetical control",
        where=ExperimentSpec,
        attribute="control",
        by=property(_alphabetical),
        caught_by=lambda: rows.test_arm_names_do_not_matter(("a", "gig")),
    ),
    Bug(
        name="ratio without its denominator's noise",
        where=moments,
        attribute="influence",
        by=_numerator_only,
        caught_by=rows.test_a_ratio_metric_is_the_delta_method,
    ),
    Bug(
        name="merging forgets the spread between cells",
        where=test_difference,
        attribute="merge",
        by=_without_between,
        caught_by=test_difference.test_merging_keeps_precision_far_from_zero,
    ),
    Bug(
        name="symmetric relative interval",
        where=Difference,
        attribute="relative",
        by=_symmetric,
        caught_by=test_difference.test_fieller_limits_are_where_the_ratio_is_just_rejected,
    ),
    Bug(
        name="clusters ignored",
        where=ExperimentSpec,
        attribute="clusters",
        by=property(lambda _: ()),
        caught_by=_clustered_rows,
    ),
    Bug(
        name="wrong cluster",
        where=ExperimentSpec,
        attribute="clusters",
        by=property(lambda _: ("agent",)),
        caught_by=_clustered_rows,
    ),
    Bug(
        name="CR0",
        where=cluster,
        attribute="_inverse_root",
        by=lambda m: np.ones_like(m) * np.eye(2),
        caught_by=_full_matrix,
    ),
    Bug(
        name="CR3",
        where=cluster,
        attribute="_inverse_root",
        by=np.linalg.inv,
        caught_by=_full_matrix,
    ),
    Bug(
        name="clusters minus one as df",
        where=cluster,
        attribute="satterthwaite",
        by=lambda _, __, count: float(count.sum() - 1),
        caught_by=_full_matrix,
    ),
    Bug(
        name="only the first of several cluster names",
        where=cluster,
        attribute="multiway",
        by=_first_name,
        caught_by=rows.test_several_cluster_names_are_all_asked_for,
    ),
    Bug(
        name="Bonferroni called Holm",
        where=families,
        attribute="holm",
        by=_bonferroni,
        caught_by=several.test_holm_covers_success_metrics_times_arms,
    ),
    Bug(
        name="no Holm at all",
        where=families,
        attribute="holm",
        by=_untouched,
        caught_by=several.test_holm_covers_success_metrics_times_arms,
    ),
    Bug(
        name="adjusted p beside unadjusted intervals",
        where=Comparison,
        attribute="at",
        by=lambda self, _: right_at(self, 0.05),
        caught_by=several.test_holm_covers_success_metrics_times_arms,
    ),
    Bug(
        name="segments unadjusted",
        where=families,
        attribute="benjamini_hochberg",
        by=_untouched,
        caught_by=several.test_segments_are_a_family_per_metric,
    ),
    Bug(
        name="segments that are everybody",
        where=IN_ROWS,
        attribute="moment_query",
        by=_everybody,
        caught_by=rows.test_segments_and_further_contrasts,
    ),
    Bug(
        name="guardrail tests the good side",
        where=comparison,
        attribute="harm_p",
        by=_flipped_harm,
        caught_by=lambda: guardrails.test_an_absolute_margin_is_a_shifted_one_sided_test("increase"),
    ),
    Bug(
        name="guardrail without its margin",
        where=comparison,
        attribute="harm_p",
        by=_no_margin,
        caught_by=lambda: guardrails.test_an_absolute_margin_is_a_shifted_one_sided_test("decrease"),
    ),
    Bug(
        name="normal interval for rare events",
        where=IN_ROWS,
        attribute="small_rates",
        by=lambda *_: False,
        caught_by=rows.test_small_rates_take_newcombe_and_large_ones_do_not,
    ),
    Bug(
        name="Wald limits called Wilson's",
        where=newcombe,
        attribute="wilson",
        by=_wald,
        caught_by=lambda: test_rates.test_newcombe_is_that_of_statsmodels(TABLE, 0.95),
    ),
    Bug(
        name="non-respondents counted",
        where=IN_ROWS,
        attribute="measure_of",
        by=_no_response,
        caught_by=_survey,
    ),
    Bug(
        name="weights ignored",
        where=IN_ROWS,
        attribute="measure_of",
        by=_no_weight,
        caught_by=rows.test_a_weighted_mean_is_a_ratio_of_sums,
    ),
    Bug(
        name="adjusted ratio without its denominator's noise",
        where=regression,
        attribute="influence",
        by=_numerator_only,
        caught_by=ratios.test_a_ratio_is_that_of_two_regressions_on_the_same_columns,
    ),
    Bug(
        name="weights ignored in adjustment",
        where=adjustment,
        attribute="measure_of",
        by=_no_weight,
        caught_by=ratios.test_a_weighted_mean_is_that_of_weighted_values_and_weights,
    ),
    Bug(
        name="only the first of several strata",
        where=adjustment,
        attribute="strata_of",
        by=lambda spec, _=None: spec.design.strata[:1],
        caught_by=ratios.test_two_strata_count_by_their_combinations,
    ),
    Bug(
        name="sample ratio against equal shares",
        where=test_rates,
        attribute="srm_p",
        by=lambda counts, shares: srm_p(counts, [1 / len(shares)] * len(shares)),
        caught_by=lambda: test_rates.test_srm_is_pearsons_test([90, 60, 70], [0.5, 0.25, 0.25]),
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.caught_by()
    monkeypatch.setattr(bug.where, bug.attribute, bug.by)
    with pytest.raises(AssertionError):
        bug.caught_by()


def test_there_are_enough_of_them() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20
    assert multiplicity.holm([0.01], 0.05).rejected == (True,)
