"""Arms under a ramp-up: the numbers within epochs against rows, and that nothing is told across them silently."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.results import Estimate
from cxcausal.data import open_dataset
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.estimators.ramp_up import MIXED
from tests.ramps import CHURN, EPOCHS, SPEND, customers, ramp_plan
from tests.regression_twins import interacted

NEAR = 1e-9
AOV = {
    "name": "share",
    "type": "ratio",
    "numerator": "spend",
    "denominator": "before",
    "desired_direction": "increase",
}


def rows_of(frame: pd.DataFrame, root: Path, **changes: Any) -> list[Estimate]:
    frame.to_csv(root / "ramp.csv", index=False)
    spec, estimator = ramp_plan(**{"metrics": {"success": [SPEND]}, **changes}), DifferenceInMeans()
    metrics = [metric for _, metric in spec.metrics.with_roles()]
    with open_dataset(spec, root) as dataset:
        asked = [query for metric in metrics for query in estimator.queries(spec, metric, dataset.levels)]
        answers = dataset.answer(tuple(dict.fromkeys(asked)))
        found = [row for metric in metrics for row in estimator.compare(spec, metric, dataset.levels, answers)]
    return list(apply_multiplicity(found, spec.analysis))


def told(rows: list[Estimate], adjustment: str, population: str = "all") -> Estimate:
    (row,) = (
        row for row in rows if row.adjustment == adjustment and row.population == population and row.scale == "absolute"
    )
    return row


def within(frame: pd.DataFrame) -> tuple[float, float]:
    """Return effect and standard error of one regression on arms, epochs and their products, row by row."""
    late = (frame["entered"] > "2025-10-14").to_numpy(dtype=float)[:, None]
    twin = interacted(frame["spend"].to_numpy(), frame["arm"].to_numpy(), late, ["gig", "none"])
    apart = twin.beta[2] - twin.beta[3]
    covariance = twin.covariance[0, 0] + twin.covariance[1, 1] - 2 * twin.covariance[0, 1]
    return float(twin.beta[0] - twin.beta[1]), float((covariance + apart**2 * late.var(ddof=1) / len(frame)) ** 0.5)


def test_the_effect_within_epochs_leads_and_is_that_of_the_rows(tmp_path: Path) -> None:
    frame = customers(800)
    rows = rows_of(frame, tmp_path)
    leads, beside = told(rows, "covariates"), told(rows, "none")
    point, se = within(frame)
    assert (leads.point, leads.se) == pytest.approx((point, se), rel=NEAR)
    assert (leads.headline, beside.headline) == (True, False)
    assert (leads.reason, beside.reason) == (None, MIXED)
    assert beside.point is not None
    assert beside.point > 2
    assert abs(point - 1.0) < 4 * se


def test_segments_are_compared_within_epochs_too(tmp_path: Path) -> None:
    frame = customers(800)
    rows = rows_of(frame, tmp_path, segments=["tier"])
    point, se = within(frame[frame["tier"] == "plus"].reset_index(drop=True))
    found = told(rows, "covariates", "tier=plus")
    assert (found.point, found.se) == pytest.approx((point, se), rel=NEAR)


def test_a_segment_without_an_effect_within_epochs_has_none_across_them(tmp_path: Path) -> None:
    frame = customers(800)
    frame.loc[(frame["tier"] == "plus") & (frame["arm"] == "gig"), "entered"] = "2025-10-20"
    rows = [row for row in rows_of(frame, tmp_path, segments=["tier"]) if row.population == "tier=plus"]
    assert {row.status for row in rows} == {"not_computed"}
    assert told(rows, "covariates", "tier=plus").reason == (
        "arm 'gig' has no customer with a value among those enrolled in the epoch from 2025-10-01"
    )
    assert told(rows, "none", "tier=plus").reason == MIXED


@pytest.mark.parametrize(
    "changes",
    [{"data": {"randomization_unit": "home"}}, {"metrics": {"success": [AOV]}}, {"data": {"weight": "before"}}],
)
def test_the_effect_across_epochs_never_leads(tmp_path: Path, changes: dict[str, Any]) -> None:
    frame = customers(400)
    frame["before"] = frame["before"].abs() + 1
    rows = rows_of(frame, tmp_path, **changes)
    leads, beside = told(rows, "covariates"), told(rows, "none")
    assert (leads.headline, beside.headline, beside.reason) == (True, False, MIXED)
    assert leads.status == "ok" or leads.reason


def test_an_arm_that_is_absent_from_an_epoch_is_not_compared(tmp_path: Path) -> None:
    frame = customers(400)
    frame.loc[frame["arm"] == "gig", "entered"] = "2025-10-20"
    leads = told(rows_of(frame, tmp_path), "covariates")
    assert (leads.status, leads.headline) == ("not_computed", True)
    assert "no customer with a value among those enrolled in the epoch from 2025-10-01" in str(leads.reason)


def test_rare_events_are_withheld_and_never_mixed(tmp_path: Path) -> None:
    frame = customers(400)
    frame["churned"] = [int(at % 60 == 0) for at in range(len(frame))]
    rows = rows_of(frame, tmp_path, metrics={"success": [CHURN]})
    assert {row.status for row in rows} == {"not_computed"}
    assert told(rows, "covariates").headline


@pytest.mark.parametrize("covariates", [[], ["before"]])
def test_where_all_are_of_one_epoch_nothing_is_mixed(tmp_path: Path, covariates: list[str]) -> None:
    frame = customers(400)
    frame = frame[frame["entered"] < "2025-10-15"].reset_index(drop=True)
    rows = rows_of(frame, tmp_path, covariates=covariates)
    lead = next(row for row in rows if row.headline)
    assert (lead.adjustment, lead.status) == ("covariates" if covariates else "none", "ok")
    assert told(rows, "none").reason is None


def test_an_epoch_whose_outcomes_are_all_awaited_changes_nothing(tmp_path: Path) -> None:
    frame = customers(800)
    awaited = frame.copy()
    awaited.loc[awaited.index % 4 == 0, "entered"] = "2025-12-20"
    success = [{**SPEND, "window": {"end": "30d"}}]
    epochs = [*EPOCHS, {"from": "2025-12-01", "shares": {"none": "1/2", "gig": "1/2"}}]
    treatment = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}
    design = {"type": "randomized", "treatment": treatment, "epochs": epochs}
    data = {"observed_until": "2025-12-31"}
    found = told(rows_of(awaited, tmp_path, design=design, metrics={"success": success}, data=data), "covariates")
    point, se = within(awaited[awaited.index % 4 != 0].reset_index(drop=True))
    assert (found.point, found.se) == pytest.approx((point, se), rel=NEAR)


def test_the_epoch_comes_beside_covariates(tmp_path: Path) -> None:
    frame = customers(800)
    rows = rows_of(frame, tmp_path, covariates=["before"])
    late = (frame["entered"] > "2025-10-14").to_numpy(dtype=float)
    both = np.column_stack([frame["before"].to_numpy(), late])
    twin = interacted(frame["spend"].to_numpy(), frame["arm"].to_numpy(), both, ["gig", "none"])
    found = told(rows, "covariates")
    assert found.point == pytest.approx(float(twin.beta[0] - twin.beta[1]), rel=NEAR)
