"""The split of a ramp-up, held to each epoch's own shares."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, chisquare

from cxcausal.checks.epochs import count_query, mixed_epochs
from cxcausal.checks.pre_period_balance import PrePeriodBalance
from cxcausal.checks.srm import Srm
from cxcausal.checks.srm_by_segment import SrmBySegment
from cxcausal.core.answers import Moments
from cxcausal.core.queries import CovariateQuery
from tests.checks.worlds import plan
from tests.ramps import ramp_plan

EARLY, LATE = "2025-10-01", "2025-10-15"
GOOD = {("none", (EARLY,)): 1810, ("gig", (EARLY,)): 190, ("none", (LATE,)): 1020, ("gig", (LATE,)): 980}


def judged(counts: dict[Any, int], alpha: float = 0.001) -> Any:
    spec = ramp_plan()
    query = count_query(spec)
    assert query is not None
    assert Srm().queries(spec) == (query,)
    return Srm(alpha=alpha).judge(spec, {query: counts})


def test_chi_squares_and_their_degrees_of_freedom_add_up() -> None:
    found = judged(GOOD)
    parts = [chisquare([1810, 190], [1800, 200]).statistic, chisquare([1020, 980], [1000, 1000]).statistic]
    assert found.p == pytest.approx(chi2.sf(sum(parts), 2), rel=1e-9)
    assert found.verdict == "pass"
    assert found.text == "The 4,000 randomised units are split as planned in 2 epochs."


def test_a_split_that_is_even_in_all_but_wrong_in_an_epoch_is_seen_there() -> None:
    found = judged({**GOOD, ("none", (EARLY,)): 1700, ("gig", (EARLY,)): 300})
    assert found.verdict == "fail"
    assert "2,000 randomised units of the epoch from 2025-10-01 landed in the arm" in found.text


def test_an_epoch_that_is_still_to_come_does_not_count() -> None:
    found = judged({key: n for key, n in GOOD.items() if key[1] == (EARLY,)})
    assert found.p == pytest.approx(chisquare([1810, 190], [1800, 200]).pvalue, rel=1e-9)
    assert found.text.startswith("The 2,000 randomised units are split as planned. A shift of ")


def test_without_units_nothing_can_be_said() -> None:
    assert judged({}).verdict == "could_not_run"


def test_alarms_are_as_rare_as_promised_where_the_pooled_test_always_alarms() -> None:
    rng, alarms = np.random.default_rng(20251001), 0
    for _ in range(2_000):
        early, late = rng.binomial(2000, 0.1), rng.binomial(1000, 0.5)
        counts = {("gig", (EARLY,)): early, ("none", (EARLY,)): 2000 - early}
        counts |= {("gig", (LATE,)): late, ("none", (LATE,)): 1000 - late}
        alarms += judged(counts, alpha=0.05).verdict == "fail"
    assert 0.03 < alarms / 2_000 < 0.07
    assert chisquare([700, 2300], [1500, 1500]).pvalue < 1e-6


def test_segments_are_split_by_epoch_too() -> None:
    spec = ramp_plan(segments=["tier"])
    query = count_query(spec, "tier")
    assert query is not None
    assert SrmBySegment().queries(spec) == (query,)
    counts: Any = {(arm, ("plus", *epoch)): n for (arm, epoch), n in GOOD.items()}
    assert SrmBySegment().judge(spec, {query: counts}).verdict == "pass"
    uneven: Any = counts | {("none", ("plus", LATE)): 1200, ("gig", ("plus", LATE)): 800}
    found = SrmBySegment().judge(spec, {query: uneven})
    assert found.verdict == "warn"
    assert "Where tier = plus, 2,000 randomised units of the epoch from 2025-10-15 are split unevenly" in found.text


def test_arms_that_differ_as_a_whole_may_do_so_by_their_epochs_alone() -> None:
    assert mixed_epochs(plan()) == ""
    spec = ramp_plan(covariates=["before"])
    cells: Any = {
        (arm, ()): Moments(n=100, mean=np.array([mean]), m2=np.array([[99.0]]))
        for arm, mean in (("none", 0), ("gig", 1))
    }
    found = PrePeriodBalance().judge(spec, {CovariateQuery(column="before"): cells})
    assert found.verdict == "warn"
    assert found.text.endswith("they may differ by when their units came, and by nothing else.")
