from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.measures import winsorized
from cxcausal.core.spec.models import Metric
from tests.data.plans import rows
from tests.estimators.companions import pick, told
from tests.regression_twins import fits_of
from tests.twins import Values, full_cr2

EXACT = 1e-9
SPEND = {"name": "spend", "type": "mean", "column": "spend", "outliers": "winsorize"}
AOV = {"name": "aov", "type": "ratio", "numerator": "revenue", "denominator": "orders", "outliers": "winsorize"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    frame = rows(3000)
    frame.loc[5::700, "spend"] *= 80
    return frame


def _caps(values: Values) -> tuple[float, float]:
    """Return the mirrored 99.9 % cuts of the values that are known, by sorting them."""
    known = np.sort(values[~np.isnan(values)])
    above = len(known) - ceil(999 * len(known) / 1000)
    return float(known[above]), float(known[len(known) - 1 - above])


def _capped(values: Values) -> Values:
    low, high = _caps(values)
    return np.clip(values, low if np.nanmin(values) < 0 else 0.0, high)


def _hc2(values: Values, arm: Values) -> tuple[float, float]:
    one, two = (values[(arm == name) & ~np.isnan(values)] for name in ("gig", "none"))
    return float(one.mean() - two.mean()), float(np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)))


@pytest.mark.parametrize("shift", [0.0, 40.0])
def test_the_effect_is_that_of_capped_rows(frame: pd.DataFrame, tmp_path: Path, shift: float) -> None:
    changed = frame.assign(spend=(frame.spend - shift).round(2))
    found = told(changed, tmp_path, [SPEND])
    row, plain = pick(found, "spend", trimming="winsorized"), pick(found, "spend")
    arm, values = changed.arm.to_numpy(), changed.spend.to_numpy()
    assert (row.point, row.se) == pytest.approx(_hc2(_capped(values), arm), rel=EXACT)
    assert (plain.point, plain.se) == pytest.approx(_hc2(values, arm), rel=EXACT)
    assert row.se < plain.se  # type: ignore[operator]
    assert (row.companion, row.headline, plain.companion, plain.headline) == (True, False, False, True)
    assert (row.role, row.unit) == (plain.role, plain.unit)
    high = _caps(values)[1]
    assert f"values above {high:,.6g}".split(".")[0] in str(row.reason)
    assert ("values below" in str(row.reason)) == (shift > 0)
    assert "another quantity" in str(row.reason)


def test_there_is_a_row_beside_every_row(frame: pd.DataFrame, tmp_path: Path) -> None:
    found = told(frame, tmp_path, [SPEND, AOV], segments=["tier"], covariates=["age"])
    for name in ("spend", "aov"):
        own = [row for row in found if row.metric == name]
        plain, capped = ([row for row in own if row.trimming == kind] for kind in ("none", "winsorized"))
        keys = [
            [(row.arm, row.population, row.scale, row.adjustment, row.method, row.status) for row in part]
            for part in (plain, capped)
        ]
        assert keys[0] == keys[1]


def test_the_adjusted_effect_is_that_of_capped_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    found = told(frame, tmp_path, [SPEND], covariates=["age"])
    row = pick(found, "spend", trimming="winsorized", adjustment="covariates")
    values, known = _capped(frame.spend.to_numpy()), frame.spend.notna().to_numpy()
    fits = fits_of(values[known], frame.arm.to_numpy()[known], frame[["age"]].to_numpy(float)[known], ("age",))
    point = fits.arms["gig"].adjusted - fits.arms["none"].adjusted
    assert row.point == pytest.approx(point, rel=EXACT)


def test_clusters_have_the_capped_rows_cr2(frame: pd.DataFrame, tmp_path: Path) -> None:
    small = frame.head(900)
    row = pick(told(small, tmp_path, [SPEND], data={"cluster": "household_id"}), "spend", trimming="winsorized")
    values = _capped(small.spend.to_numpy())
    own = small.arm.isin(["gig", "none"]).to_numpy() & ~np.isnan(values)
    treated, contrast = (small.arm.to_numpy()[own] == "gig").astype(float), np.array([1.0, -1.0])
    full = full_cr2(np.column_stack([treated, 1 - treated]), values[own], small.household_id.to_numpy()[own], contrast)
    assert (row.se, row.df) == pytest.approx(((contrast @ full.covariance @ contrast) ** 0.5, full.df), rel=EXACT)


def test_a_ratio_has_its_numerator_capped(frame: pd.DataFrame, tmp_path: Path) -> None:
    row = pick(told(frame, tmp_path, [AOV]), "aov", trimming="winsorized")
    capped = _capped(frame.revenue.to_numpy())
    ratios = [capped[frame.arm == arm].sum() / frame.orders[frame.arm == arm].sum() for arm in ("gig", "none")]
    assert (row.mean_treated, row.mean_control) == pytest.approx(ratios, rel=EXACT)
    assert row.unit == "revenue per orders"


def test_only_analysed_units_decide_the_cap(tmp_path: Path) -> None:
    frame = rows(2000).assign(start="2026-01-01", spend=np.arange(2000) % 1000 + 1.0)
    frame.loc[::2, "start"] = "2026-06-01"
    frame.loc[::2, "spend"] = -1e9
    metric = {**SPEND, "window": {"start": 0, "end": 30}}
    found = told(frame, tmp_path, [metric], data={"time_zero": "start", "observed_until": "2026-06-10"})
    row = pick(found, "spend", trimming="winsorized")
    kept = frame.iloc[1::2]
    assert (row.point, row.se) == pytest.approx(_hc2(_capped(kept.spend.to_numpy()), kept.arm.to_numpy()), rel=EXACT)
    assert "below" not in str(row.reason)


def test_a_metric_that_does_not_ask_has_none(frame: pd.DataFrame, tmp_path: Path) -> None:
    plain = {**SPEND, "outliers": "none"}
    analysis = {"outliers": "winsorize"}
    assert {row.trimming for row in told(frame, tmp_path, [plain], analysis=analysis)} == {"none"}
    default = {key: value for key, value in SPEND.items() if key != "outliers"}
    assert {row.trimming for row in told(frame, tmp_path, [default], analysis=analysis)} == {"none", "winsorized"}
    churn = {"name": "churn", "type": "proportion", "column": "churned"}
    assert {row.trimming for row in told(frame, tmp_path, [churn], analysis=analysis)} == {"none"}


def test_a_metric_without_values_says_so(frame: pd.DataFrame, tmp_path: Path) -> None:
    row = pick(told(frame.assign(spend=np.nan), tmp_path, [SPEND]), "spend", trimming="winsorized")
    assert (row.status, row.reason) == ("not_computed", "no customer in arm 'gig' has a value")


def test_the_capped_column_has_a_name_that_no_plan_can_write() -> None:
    metric = Metric(name="spend", type="mean", column="spend", desired_direction="increase")
    assert not str(winsorized(metric).column).isprintable()
    assert (winsorized(metric).name, metric.column) == ("spend", "spend")
