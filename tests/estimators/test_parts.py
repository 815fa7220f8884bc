from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.data.plans import rows
from tests.estimators.companions import pick, told
from tests.twins import Values, full_cr2

EXACT = 1e-9
NPS = {"name": "nps", "type": "nps", "column": "nps_answer", "response": "answered"}
SPEND = {"name": "spend", "type": "mean", "column": "spend"}
CLUSTERED = {"cluster": "household_id"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rows(1500)


def _welch(values: Values, treated: Values) -> tuple[float, float, float]:
    """Return point, SE and df of a difference in means of rows."""
    one, two = values[treated == 1], values[treated == 0]
    parts = [arm.var(ddof=1) / len(arm) for arm in (one, two)]
    df = sum(parts) ** 2 / sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, (one, two), strict=True))
    return float(one.mean() - two.mean()), float(np.sqrt(sum(parts))), float(df)


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame[frame.arm.isin(["gig", "none"]) & frame.spend.notna()].copy()
    known["treated"] = (known.arm == "gig").astype(float)
    return known


def _numeric_gradient(y: Values, treated: Values, part: str) -> Values:
    """Return every row's influence on one part: its derivative by that row's weight, times the rows of its arm."""

    def value(weights: Values) -> float:
        share, mean = {}, {}
        for arm in (0, 1):
            own = weights * (treated == arm)
            share[arm] = float((own * (y != 0)).sum() / own.sum())
            mean[arm] = float((own * y).sum() / (own * (y != 0)).sum())
        if part == "who":
            return (share[1] - share[0]) * (mean[1] + mean[0]) / 2
        return (mean[1] - mean[0]) * (share[1] + share[0]) / 2

    step, n = 1e-6, len(y)
    slopes = np.zeros(n)
    for row in range(n):
        more, less = np.ones(n), np.ones(n)
        more[row], less[row] = 1 + step, 1 - step
        slopes[row] = (value(more) - value(less)) / (2 * step)
    found: Values = slopes * np.where(treated == 1, treated.sum(), (1 - treated).sum())
    return found


def test_nps_is_promoters_less_detractors(frame: pd.DataFrame, tmp_path: Path) -> None:
    found = told(frame, tmp_path, [NPS])
    answered = frame[frame.answered == 1]
    for arm in ("gig", "agent"):
        score, up, down = (pick(found, name, arm) for name in ("nps", "nps.promoters", "nps.detractors"))
        assert score.point == pytest.approx(100 * (up.point - down.point), abs=1e-10)  # type: ignore[operator]
        for row, share in ((up, answered.nps_answer >= 9), (down, answered.nps_answer <= 6)):
            own = answered.arm.isin([arm, "none"])
            twin = _welch(share[own].to_numpy(float), (answered.arm[own] == arm).to_numpy(float))
            assert (row.point, row.se, row.df) == pytest.approx(twin, rel=EXACT)
            assert (row.role, row.companion, row.headline, row.unit) == (
                "exploratory",
                True,
                False,
                "share of respondents",
            )


def test_weighted_and_clustered_nps_has_its_parts(frame: pd.DataFrame, tmp_path: Path) -> None:
    weighted = told(frame, tmp_path, [NPS], data={"weight": "weight"})
    clustered = told(frame, tmp_path, [NPS], data=CLUSTERED)
    for found in (weighted, clustered):
        score, up, down = (pick(found, name) for name in ("nps", "nps.promoters", "nps.detractors"))
        assert score.point == pytest.approx(100 * (up.point - down.point), abs=1e-10)  # type: ignore[operator]
    answered = frame[(frame.answered == 1) & frame.arm.isin(["gig", "none"])]
    treated = (answered.arm == "gig").to_numpy(float)
    full = full_cr2(
        np.column_stack([treated, 1 - treated]),
        (answered.nps_answer <= 6).to_numpy(float),
        answered.household_id.to_numpy(),
        np.array([1.0, -1.0]),
    )
    row = pick(clustered, "nps.detractors")
    variance = np.array([1.0, -1.0]) @ full.covariance @ np.array([1.0, -1.0])
    assert (row.se, row.df) == pytest.approx((variance**0.5, full.df), rel=EXACT)


def test_a_mean_is_who_and_how_much(frame: pd.DataFrame, tmp_path: Path) -> None:
    found, known = told(frame, tmp_path, [SPEND]), _known(frame)
    who, how_much = pick(found, "spend.who"), pick(found, "spend.how_much")
    treated, y = known.treated.to_numpy(), known.spend.to_numpy()
    assert (who.point, who.se, who.df) == pytest.approx(_welch((y != 0).astype(float), treated), rel=EXACT)
    means = [y[(treated == arm) & (y != 0)].mean() for arm in (1, 0)]
    assert (how_much.mean_treated, how_much.mean_control) == pytest.approx(means, rel=EXACT)
    assert how_much.point == pytest.approx(means[0] - means[1], rel=EXACT)
    assert "not the same customers" in str(how_much.reason)
    variance = 0.0
    for arm, mean in zip((1, 0), means, strict=True):
        own = y[treated == arm]
        variance += np.var((own - mean * (own != 0)) / (own != 0).mean(), ddof=1) / len(own)
    assert how_much.se == pytest.approx(np.sqrt(variance), rel=EXACT)


def test_the_parts_sum_to_the_difference_and_have_the_rows_variance(frame: pd.DataFrame, tmp_path: Path) -> None:
    found, known = told(frame, tmp_path, [SPEND]), _known(frame)
    whole, who, how_much = (pick(found, name) for name in ("spend", "spend.from_who", "spend.from_how_much"))
    assert who.point + how_much.point == pytest.approx(whole.point, rel=1e-12)  # type: ignore[operator]
    treated, y = known.treated.to_numpy(), known.spend.to_numpy()
    for row, part in ((who, "who"), (how_much, "how_much")):
        influence = _numeric_gradient(y, treated, part)
        arms = [influence[treated == arm] for arm in (1, 0)]
        variance = sum(arm.var(ddof=1) / len(arm) for arm in arms)
        assert row.se == pytest.approx(np.sqrt(variance), rel=1e-6)
        assert row.unit == whole.unit
        half = stats.t.isf(0.025, row.df or 0.0) * (row.se or 0.0)
        assert (row.low, row.high) == pytest.approx(((row.point or 0.0) - half, (row.point or 0.0) + half))


def test_clustered_parts_have_the_rows_cr2(frame: pd.DataFrame, tmp_path: Path) -> None:
    found, known = told(frame, tmp_path, [SPEND], data=CLUSTERED), _known(frame)
    whole, who, how_much = (pick(found, name) for name in ("spend", "spend.from_who", "spend.from_how_much"))
    assert who.point + how_much.point == pytest.approx(whole.point, rel=1e-12)  # type: ignore[operator]
    treated, y = known.treated.to_numpy(), known.spend.to_numpy()
    signs = np.where(treated == 1, 1.0, -1.0)
    for row, part in ((who, "who"), (how_much, "how_much")):
        linear = _numeric_gradient(y, treated, part) * signs
        contrast = np.array([1.0, -1.0])
        full = full_cr2(np.column_stack([treated, 1 - treated]), linear, known.household_id.to_numpy(), contrast)
        variance = contrast @ full.covariance @ contrast
        assert (row.se, row.df) == pytest.approx((variance**0.5, full.df), rel=1e-6)


def test_what_cannot_be_told_is_a_row_with_its_reason(frame: pd.DataFrame, tmp_path: Path) -> None:
    weighted = told(frame, tmp_path, [SPEND], data={"weight": "weight"})
    assert pick(weighted, "spend.how_much").status == "ok"
    assert "weighted" in str(pick(weighted, "spend.from_who").reason)
    crossed = told(frame, tmp_path, [SPEND], data={"cluster": ["household_id", "agent_id"]})
    assert pick(crossed, "spend.who").status == "ok"
    assert "several names" in str(pick(crossed, "spend.from_how_much").reason)
    few = frame.assign(spend=frame.spend.where((frame.arm != "gig") | (frame.index % 200 == 0), 0.0))
    rare = told(few, tmp_path, [SPEND])
    for part in ("how_much", "from_who", "from_how_much"):
        row = pick(rare, f"spend.{part}")
        assert row.reason == "fewer than 10 customers in arm 'gig' have a value other than zero"
        assert (row.point, row.mean_treated) == (None, None)
    assert pick(rare, "spend.how_much", "agent").status == "ok"


@pytest.mark.parametrize("change", ["no zeros", "negative", "all zero"])
def test_other_means_have_no_parts(frame: pd.DataFrame, tmp_path: Path, change: str) -> None:
    changed = {"no zeros": frame.spend + 1, "negative": frame.spend - 1, "all zero": 0 * frame.spend}[change]
    found = told(frame.assign(spend=changed), tmp_path, [SPEND])
    assert {row.metric for row in found} == {"spend"}


def test_units_and_order_change_nothing_else(frame: pd.DataFrame, tmp_path: Path) -> None:
    plain = told(frame, tmp_path / "a", [SPEND, NPS])
    moved = frame.sample(frac=1.0, random_state=3).assign(spend=100 * frame.spend)
    for one, two in zip(plain, told(moved, tmp_path / "b", [SPEND, NPS]), strict=True):
        factor = 100 if one.unit.startswith("per customer") else 1
        assert (one.metric, one.scale, one.status) == (two.metric, two.scale, two.status)
        if one.status == "ok":
            assert two.p == pytest.approx(one.p, rel=1e-10)
            assert two.point == pytest.approx(factor * (one.point or 0), rel=1e-10, abs=1e-12)
            assert two.se == pytest.approx(factor * (one.se or 0), rel=1e-10)


def test_every_parts_interval_is_at_the_level_asked(frame: pd.DataFrame, tmp_path: Path) -> None:
    parts = [row for row in told(frame, tmp_path, [SPEND]) if "." in row.metric]
    assert {row.level for row in parts} == {0.95}
    assert all(first.metric != second.metric or first.arm != second.arm for first, second in pairwise(parts))
