"""Designs that are large enough, but outside the region in which intervals were validated."""

from typing import Any

import numpy as np
import pytest

from cxcausal.checks.tiny_arm import TinyArm
from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.queries import FlowQuery, MomentQuery
from cxcausal.core.results import CheckResult, OnBreach
from tests.checks.worlds import CSAT, SPEND, flow, plan, told


def spend(n: int, buyers: int, spread: float) -> Moments:
    """A cell of which `buyers` spend 20 on average, with a squared coefficient of variation of `spread`."""
    mean = 20 * buyers / n
    return Moments(
        n=n,
        mean=np.array([mean]),
        m2=np.array([[buyers * 400 * (1 + spread) - n * mean**2]]),
        events=buyers,
        low=0.0,
        high=100.0,
    )


def patterns(treated: int, control: int) -> ClusterPatterns:
    """Clusters of ten units, each wholly in one arm."""
    return ClusterPatterns(
        clusters=np.array([treated, control]),
        n_treated=np.array([10, 0]),
        n_control=np.array([0, 10]),
        total=np.zeros((2, 2)),
        cross=np.array([np.diag([100.0 * treated, 0.0]), np.diag([0.0, 100.0 * control])]),
        center=np.array([4.0]),
        clusters_treated=treated,
        clusters_control=control,
    )


def judged(cells: tuple[Moments, Moments], found: ClusterPatterns | None = None, **plan_keys: Any) -> CheckResult:
    on_breach: OnBreach = plan_keys.pop("on_breach", "fail")
    spec, check = plan(**{"metrics": {"success": [SPEND]}, **plan_keys}), TinyArm(on_breach=on_breach)
    answers: dict[Any, Any] = {}
    for query in check.queries(spec):
        if isinstance(query, FlowQuery):
            answers[query] = flow(*(cell.n for cell in cells))
        elif isinstance(query, MomentQuery):
            answers[query] = {("none", ()): cells[0], ("gig", ()): cells[1]}
        else:
            answers[query] = found
    return check.judge(spec, told(answers))


def test_skewed_spend_in_unequal_arms_warns_and_never_fails() -> None:
    found = judged((spend(9_000, 900, 4.0), spend(1_000, 100, 4.0)))
    assert (found.verdict, found.on_breach, found.threshold) == ("warn", "fail", 0.24)
    assert found.value is not None
    assert found.value > 0.24
    assert found.text == (
        "Read these intervals with care: a few customers make most of 'Spend', and with arms so unequal (1,000 in "
        "'Expert calls' and 9,000 in 'none') its interval misses the truth more often than it says."
    )


def test_the_same_spend_in_equal_arms_passes_until_it_is_very_skewed() -> None:
    assert judged((spend(5_000, 500, 2.0), spend(5_000, 500, 2.0))).verdict == "pass"
    found = judged((spend(5_000, 500, 9.0), spend(5_000, 500, 9.0)))
    assert (found.verdict, found.threshold) == ("warn", 0.6)
    assert found.text.endswith(
        "a few customers make most of 'Spend', too few for its interval to be as exact as it says."
    )


@pytest.mark.parametrize(("on_breach", "verdict"), [("warn", "warn"), ("skip", "info")])
def test_a_plan_can_make_less_of_it(on_breach: OnBreach, verdict: str) -> None:
    found = judged((spend(9_000, 900, 4.0), spend(1_000, 100, 4.0)), on_breach=on_breach)
    assert found.verdict == verdict


def test_a_shortage_is_told_first() -> None:
    found = judged((spend(9_000, 900, 4.0), spend(1_000, 4, 4.0)))
    assert (found.verdict, found.value) == ("fail", 4.0)


@pytest.mark.parametrize(("treated", "control", "verdict"), [(3, 57, "warn"), (6, 6, "warn"), (20, 20, "pass")])
def test_few_groups_warn(treated: int, control: int, verdict: str) -> None:
    score = {**CSAT, "response": None}
    cells = tuple(
        Moments(n=10 * n, mean=np.array([4.0]), m2=np.array([[10.0 * n]]), events=10 * n, low=1.0, high=5.0)
        for n in (control, treated)
    )
    found = judged(
        (cells[0], cells[1]),
        patterns(treated, control),
        metrics={"success": [score]},
        data={"source": "x.csv", "unit": "id", "cluster": "agent"},
    )
    assert found.verdict == verdict
    if verdict == "warn":
        assert "rests on so few or so unequal groups (agent)" in found.text
        assert found.threshold == 11.0
