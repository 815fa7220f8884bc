"""Newcombe against statsmodels, and the agreement of interval, p-value and ratio; sample-ratio tests."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as reference
from statsmodels.stats.power import GofChisquarePower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cxcausal.stats.difference import NO_BASE
from cxcausal.stats.newcombe import RateDifference, is_rate, newcombe, small_rates, wilson
from cxcausal.stats.proportions import smallest_detectable_imbalance, srm_p
from tests.twins import moments_of

counts = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
TABLES = [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (2, 900, 11, 850), (1, 30, 0, 30)]


def _of(table: tuple[int, int, int, int]) -> RateDifference:
    return RateDifference(events_treated=table[0], n_treated=table[1], events_control=table[2], n_control=table[3])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_newcombe_is_that_of_statsmodels(table: tuple[int, int, int, int], level: float) -> None:
    expected = confint_proportions_2indep(*table, method="newcomb", compare="diff", alpha=1 - level)
    found = _of(table).interval(level)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_wilson_is_that_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    expected = proportion_confint(table[0], table[1], alpha=0.05, method="wilson")
    z = reference.norm.ppf(0.975)
    assert wilson(table[0], table[1], z) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_newcombes_own_example() -> None:
    """Newcombe 1998, table II, example (a) by method 10: 56/70 against 48/80 gives .0524 to .3339."""
    found = _of((56, 70, 48, 80)).interval(0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(one=counts, two=counts, alpha=st.floats(0.001, 0.5))
def test_interval_p_and_ratio_never_disagree(one: tuple[int, int], two: tuple[int, int], alpha: float) -> None:
    found = _of((*one, *two))
    assume(abs(found.p - alpha) > 1e-9)
    limits = found.interval(1 - alpha)
    excludes = limits.low > 0 or limits.high < 0
    assert (found.p < alpha) == excludes
    assert limits.low - 1e-12 <= found.point <= limits.high + 1e-12
    told = found.relative(1 - alpha)
    if told.interval is None:
        assert told.reason == NO_BASE
        assert two[0] == 0
        return
    assert (told.interval.low > 0 or told.interval.high < 0) == excludes
    assert told.point is not None
    assert told.interval.low - 1e-9 <= told.point <= told.interval.high + 1e-9


@given(one=counts, two=counts, null=st.floats(-0.4, 0.4))
def test_one_sided_p_at_a_shifted_null_inverts_the_interval(
    one: tuple[int, int], two: tuple[int, int], null: float
) -> None:
    found = _of((*one, *two))
    for p, side in ((found.p_above(null), "low"), (found.p_below(null), "high")):
        if 1e-6 < p < 0.49:
            assert getattr(found.interval(1 - 2 * p), side) == pytest.approx(null, abs=1e-7)


@given(one=counts, two=counts)
def test_swapped_arms_mirror(one: tuple[int, int], two: tuple[int, int]) -> None:
    a, b = _of((*one, *two)), _of((*two, *one))
    assert a.p == pytest.approx(b.p, rel=1e-9)
    assert a.interval(0.95).low == pytest.approx(-b.interval(0.95).high, abs=1e-12)


def test_a_large_margin_is_certain_and_no_difference_is_not() -> None:
    found = _of((5, 50, 5, 50))
    assert found.p == 1.0
    assert found.p_above(-0.999) < 1e-12


def test_newcombe_stands_in_only_for_small_rates() -> None:
    rare, many = np.repeat([1.0, 0.0], [19, 500]), np.repeat([1.0, 0.0], [60, 500])
    assert small_rates(moments_of(rare), moments_of(many))
    assert small_rates(moments_of(many), moments_of(1 - rare))
    assert not small_rates(moments_of(many), moments_of(many))
    assert newcombe(moments_of(rare), moments_of(many)).p == _of((19, 519, 60, 560)).p


def test_what_is_not_zero_or_one_is_no_rate() -> None:
    assert not is_rate(moments_of(np.array([0.0, 0.5, 1.0])))
    assert not is_rate(moments_of(np.array([0.0, 2.0])))
    assert not is_rate(moments_of(np.array([0.0, 1.0]), np.array([1.0, 2.0])))
    assert is_rate(moments_of(np.zeros(4)))


@pytest.mark.parametrize(("observed", "shares"), [([480, 520], [0.5, 0.5]), ([90, 60, 70], [0.5, 0.25, 0.25])])
def test_srm_is_pearsons_test(observed: list[int], shares: list[float]) -> None:
    expected = reference.chisquare(observed, np.sum(observed) * np.array(shares)).pvalue
    assert srm_p(observed, shares) == pytest.approx(expected, rel=1e-9)


def test_units_in_an_arm_that_should_have_none_are_impossible() -> None:
    assert srm_p([50, 50, 1], [0.5, 0.5, 0.0]) == 0.0
    assert srm_p([50, 50, 0], [0.5, 0.5, 0.0]) == 1.0


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.5, 0.25, 0.25]])
def test_the_smallest_imbalance_has_the_power_promised(shares: list[float]) -> None:
    n, alpha = 20_000, 0.001
    shift = smallest_detectable_imbalance(n, shares, alpha)
    worst = max(shares, key=lambda share: share * (1 - share))
    size = shift / np.sqrt(worst * (1 - worst))
    power = GofChisquarePower().power(effect_size=size, nobs=n, alpha=alpha, n_bins=len(shares))
    assert power == pytest.approx(0.8, abs=1e-6)
