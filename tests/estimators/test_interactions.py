"""Where features meet: numbers stay finite, nothing is divided by rounding, and one note does not erase another."""

from pathlib import Path

import numpy as np
import pandas as pd

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.estimators.ramp_up import MIXED
from cxcausal.stats.difference import NO_BASE
from tests.estimators.plans import SPEND, plan
from tests.ramps import CHURN, EPOCHS, ramp_plan

COMPLAINED = {"name": "complained", "type": "proportion", "column": "complained", "desired_direction": "decrease"}


def told(spec: ExperimentSpec, frame: pd.DataFrame, root: Path) -> tuple[Estimate, ...]:
    """Return the rows of the plan's own estimator, computed from a file."""
    frame.to_csv(root / spec.data.source, index=False)
    estimator, metrics = DifferenceInMeans(), [metric for _, metric in spec.metrics.with_roles()]
    with open_dataset(spec, root) as dataset:
        asked = [query for metric in metrics for query in estimator.queries(spec, metric, dataset.levels)]
        answers = dataset.answer(tuple(dict.fromkeys(asked)))
        found = [row for metric in metrics for row in estimator.compare(spec, metric, dataset.levels, answers)]
    return apply_multiplicity(found, spec.analysis)


def test_a_quantile_of_few_has_no_infinite_standard_error(tmp_path: Path) -> None:
    median = {"name": "median", "type": "quantile", "column": "csat", "q": 0.5, "desired_direction": "increase"}
    metrics = {"success": [SPEND], "guardrails": [{**median, "margin": {"relative": 0.5}}]}
    frame = pd.DataFrame({"id": range(27), "arm": ["gig"] * 5 + ["none"] * 22, "csat": [3, 4, 5] * 9})
    rows = told(plan(metrics), frame.assign(spend=range(27)), tmp_path)
    computed = [row for row in rows if row.metric == "median" and row.status == "ok"]
    assert len(computed) == 2
    for row in computed:
        assert row.low is not None
        assert row.se is None


def test_nobody_in_the_control_is_no_base_even_in_weighted_clusters(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": range(1100), "arm": np.repeat(["gig", "none"], [600, 500])})
    frame["agent"], frame["w"] = rng.integers(0, 40, 1100), rng.uniform(0.5, 2.0, 1100).round(3)
    frame["complained"] = ((frame["arm"] == "gig") & (rng.random(1100) < 0.02)).astype(int)
    metrics = {"success": [COMPLAINED], "guardrails": [{**COMPLAINED, "name": "again", "margin": {"relative": 0.2}}]}
    rows = told(plan(metrics, data={"weight": "w", "cluster": ["agent"]}), frame, tmp_path)
    needing = [row for row in rows if row.scale == "relative" or row.role == "guardrail"]
    assert len(needing) == 3
    assert {(row.status, row.reason) for row in needing} == {("not_computed", NO_BASE)}


def test_that_epochs_are_mixed_does_not_hide_which_clusters_variance_is_used(tmp_path: Path) -> None:
    row = _crossed(tmp_path)
    assert row.reason is not None
    assert "the largest, is used" in row.reason
    assert MIXED in row.reason


def _crossed(root: Path) -> Estimate:
    """Return the unadjusted effect of a ramp-up with two cluster names, where nobody in the control churned."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"id": range(400), "home": np.arange(400) // 2, "agent": rng.integers(0, 20, 400)})
    frame["arm"] = np.where(rng.random(400) < 0.5, "gig", "none")
    frame["entered"] = np.where(np.arange(400) % 4 < 2, "2025-10-03", "2025-10-20")
    frame["churned"] = ((frame["arm"] == "gig") & (rng.random(400) < 0.3)).astype(int)
    treatment = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}
    design = {"type": "randomized", "treatment": treatment, "epochs": EPOCHS}
    spec = ramp_plan({"cluster": ["home", "agent"]}, metrics={"success": [CHURN]}, design=design)
    rows = told(spec, frame, root)
    return next(row for row in rows if row.adjustment == "none" and row.scale == "absolute")
