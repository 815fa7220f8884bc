"""Effects of two runs side by side: who is paired with whom, and the interval of a difference."""

import math
from typing import Any

import numpy as np

from cxcausal.core.compared import Interval
from cxcausal.core.tree_changes import tree_changes
from cxcausal.reviewing.pairing import check_pairs, difference_interval, effect_pairs

NOBODY: frozenset[str] = frozenset()


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "metric": "churn",
        "role": "success",
        "arm": "call",
        "control": "none",
        "population": "all",
        "scale": "absolute",
        "estimand": "itt",
        "companion": False,
        "trimming": "none",
        "method": "difference_in_means",
        "adjustment": "none",
        "unit": "",
        "headline": True,
        "point": -0.02,
        "low": -0.04,
        "high": 0.0,
        "level": 0.95,
        "se": 0.01,
        "reason": None,
        "n_treated": 500,
        "n_control": 500,
    }
    return {**usual, **changes}


def test_a_difference_and_its_interval() -> None:
    (pair,) = effect_pairs([row()], [row(point=0.03, se=0.02)], NOBODY)
    assert pair.presence == "both"
    assert pair.difference is not None
    assert math.isclose(pair.difference, 0.05)
    assert pair.low is not None
    assert math.isclose(pair.low, 0.05 - 1.959963984540054 * math.sqrt(0.01**2 + 0.02**2), rel_tol=1e-12)
    assert pair.beyond is True
    assert effect_pairs([row()], [row(point=-0.01)], NOBODY)[0].beyond is False


def test_intervals_cover_for_strangers_and_more_often_for_the_same_customers() -> None:
    rng = np.random.default_rng(20261122)
    shared, own = rng.normal(size=(4000, 1)), rng.normal(size=(4000, 2))
    for weight, least, most in ((0.0, 0.94, 0.96), (0.8, 0.99, 1.0)):
        noise = np.sqrt(weight) * shared + np.sqrt(1 - weight) * own
        covered = []
        for before, after in noise:
            found = difference_interval(Interval(point=1 + before, se=1.0), Interval(point=3 + after, se=1.0), 0.95)
            assert found is not None
            covered.append(found[0] <= 2 <= found[1])
        assert least <= np.mean(covered) <= most


def test_no_interval_without_an_error_and_no_difference_without_a_number() -> None:
    (pair,) = effect_pairs([row(se=None)], [row()], NOBODY)
    assert (pair.difference, pair.low, pair.beyond) == (0.0, None, None)
    assert pair.reason == "one of the runs has no standard error for it"
    (pair,) = effect_pairs([row()], [row(point=None, reason="too few answers")], NOBODY)
    assert (pair.difference, pair.reason) == (None, "too few answers")


def test_a_metric_that_was_defined_anew_has_no_difference() -> None:
    (pair,) = effect_pairs([row()], [row()], frozenset({"churn"}))
    assert (pair.difference, pair.reason) == (None, "the plans define this metric differently")


def test_rows_made_in_the_same_way_are_paired() -> None:
    plain, adjusted = row(headline=False), row(adjustment="covariates", point=-0.03)
    pairs = effect_pairs([plain, adjusted], [adjusted, plain], NOBODY)
    assert [pair.difference for pair in pairs] == [0.0, 0.0]
    assert [pair.headline for pair in pairs] == [True, False]


def test_a_headline_made_in_another_way_is_paired_with_the_headline() -> None:
    (pair,) = effect_pairs([row()], [row(method="lin", adjustment="covariates")], NOBODY)
    assert pair.first is not None
    assert pair.second is not None
    assert (pair.first.adjustment, pair.second.adjustment) == ("none", "covariates")


def test_what_only_one_run_has() -> None:
    pairs = effect_pairs([row()], [row(arm="gig")], NOBODY)
    assert [(pair.arm, pair.presence) for pair in pairs] == [("call", "first_only"), ("gig", "second_only")]
    assert all(pair.difference is None for pair in pairs)


def test_effects_of_few_customers_are_not_told() -> None:
    (pair,) = effect_pairs([row(population="tier=rare", n_treated=9)], [row(population="tier=rare")], NOBODY)
    assert pair.first is not None
    assert (pair.first.point, pair.difference) == (None, None)
    assert pair.reason == "fewer than 10 customers stand behind it"


def test_checks_with_another_verdict_say_why() -> None:
    was = [{"name": "srm", "verdict": "pass", "text": "fine"}, {"name": "maturity", "verdict": "pass", "text": "fine"}]
    now = [{"name": "srm", "verdict": "fail", "text": "shares are off"}]
    srm, maturity = check_pairs(was, now)
    assert (srm.first, srm.second, srm.second_text) == ("pass", "fail", "shares are off")
    assert (maturity.first, maturity.second) == ("pass", None)


def test_every_change_of_a_tree_is_found_by_its_key() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "m": [{"name": "x", "mde": 1}, {"name": "y", "mde": 2}], "t": True}
    after = {"a": {"b": 1, "c": [2, 1]}, "m": [{"name": "y", "mde": 3}, {"name": "x", "mde": 1}], "t": 1}
    assert [(found.key, found.kind) for found in tree_changes(before, after)] == [
        ("a.c", "changed"),
        ("m[y].mde", "changed"),
        ("t", "changed"),
    ]
    assert tree_changes(before, before) == ()
