"""Drift: no alarm where nothing moved, one where something did, and no value of a few customers in what is kept."""

import numpy as np
import pytest

from cxcausal.core.rows import Text
from cxcausal.stats.drift import (
    baseline_of_number,
    baseline_of_text,
    counts_of_number,
    counts_of_text,
    drift_of,
)


def text(values: np.ndarray) -> Text:
    levels, codes = np.unique(values, return_inverse=True)
    return Text(codes=codes.astype(np.int32), levels=tuple(map(str, levels)))


@pytest.mark.parametrize("n", [100, 2_000, 50_000])
def test_the_same_customers_seldom_alarm(n: int) -> None:
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        baseline = baseline_of_number("x", rng.lognormal(size=2_000))
        alarms += drift_of(baseline, counts_of_number(baseline, rng.lognormal(size=n))).moved != "no"
    assert alarms <= (10 if n == 100 else 0)


def test_the_index_is_the_textbook_one() -> None:
    before, after = np.repeat(["a", "b"], [6_000, 4_000]), np.repeat(["a", "b"], [4_000, 6_000])
    baseline = baseline_of_text("x", text(before))
    told = text(after)
    drift = drift_of(baseline, counts_of_text(baseline, told.codes, told.levels))
    assert drift.index == pytest.approx(2 * 0.2 * np.log(1.5), rel=1e-3)
    assert drift.moved == "somewhat"


@pytest.mark.parametrize("moved", [np.nan, 99.0])
def test_missing_and_shifted_values_alarm(moved: float) -> None:
    values = np.random.default_rng(1).normal(size=3_000)
    baseline = baseline_of_number("x", values)
    drift = drift_of(baseline, counts_of_number(baseline, np.where(values > 0, moved, values)))
    assert drift.moved == "much"


def test_new_and_rare_levels_count_together() -> None:
    baseline = baseline_of_text("x", text(np.array(["a"] * 90 + ["b"] * 9 + [""])))
    assert (baseline.levels, baseline.missing, baseline.n) == (("a",), 0.01, 100)
    told = text(np.array(["a"] * 50 + ["b", "c"] * 25))
    drift = drift_of(baseline, counts_of_text(baseline, told.codes, told.levels))
    assert (drift.unknown, drift.moved) == (50, "much")


def test_batches_add_up_and_nobody_is_no_customer() -> None:
    values = np.random.default_rng(2).integers(0, 3, 999).astype(float)
    baseline = baseline_of_number("x", values)
    parts = sum(counts_of_number(baseline, part) for part in np.split(values, 3))
    assert np.array_equal(parts, counts_of_number(baseline, values))
    empty = baseline_of_number("x", np.full(5, np.nan))
    assert drift_of(empty, counts_of_number(empty, np.array([np.nan]))).moved == "no"
    assert drift_of(baseline, counts_of_number(baseline, np.array([]))).moved == "no"


def test_values_are_counted_as_a_search_would_place_them() -> None:
    values = np.random.default_rng(3).integers(0, 40, 5_000) / 4
    values[:40] = [np.nan, np.inf, -np.inf, 1e300] * 10
    for baseline in (baseline_of_number("x", values[40:]), baseline_of_number("x", np.ones(50))):
        known = values[~np.isnan(values)]
        places = np.searchsorted(np.array(baseline.edges), known, side="left")
        expected = [*np.bincount(places, minlength=len(baseline.edges) + 1), 10]
        assert counts_of_number(baseline, values).tolist() == expected
    assert counts_of_number(baseline_of_number("x", np.full(9, np.nan)), values).tolist() == [4_990, 10]
