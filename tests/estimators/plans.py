"""Small plans for the estimators' tests, and the effects table they give on rows."""

from typing import Any

import numpy as np

from cxcausal.core.protocols import Comparison
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from tests.twins import Rows

CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}


def plan(
    metrics: dict[str, Any] | None = None,
    *,
    arms: tuple[str, ...] = ("none", "gig"),
    data: dict[str, Any] | None = None,
    **more: Any,
) -> ExperimentSpec:
    """Return a resolved plan; the first arm is the control."""
    treatment = {"column": "arm", "control": arms[0], "arms": {arm: {} for arm in arms}}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "trial",
            "question": "Does it help?",
            "owner": "team@example.com",
            "data": {"source": "rows.csv", "unit": "id", **(data or {})},
            "design": {"type": "randomized", "treatment": treatment, "contrasts": more.pop("contrasts", ())},
            "metrics": metrics or {"success": [SPEND]},
            **more,
        }
    )


def draw(seed: int, n: int = 400, arms: tuple[str, ...] = ("none", "gig")) -> Rows:
    """Return rows with an arm, segments, clusters and outcomes of every type."""
    rng = np.random.default_rng(seed)
    arm = rng.choice(arms, n)
    return Rows(
        columns={
            "arm": arm,
            "tier": rng.choice(["basic", "plus"], n),
            "household": rng.integers(0, n // 3, n),
            "agent": rng.integers(0, 25, n),
            "w": rng.uniform(0.5, 2.0, n),
            "churned": (rng.random(n) < 0.3).astype(float),
            "spend": rng.gamma(2.0, 10.0, n) + 4.0 * (arm == arms[-1]),
            "orders": rng.poisson(2.0, n) + 1.0,
            "csat": rng.integers(1, 6, n).astype(float),
            "nps": rng.integers(0, 11, n).astype(float),
            "answered": (rng.random(n) < 0.6).astype(float),
        }
    )


def levels_of(spec: ExperimentSpec, rows: Rows) -> dict[str, tuple[str, ...]]:
    """Return the segments' values."""
    return {name: tuple(sorted(set(rows.columns[name].tolist()))) for name in spec.segments}


def compared(spec: ExperimentSpec, rows: Rows) -> tuple[Comparison, ...]:
    """Return every metric's comparisons."""
    estimator, levels = DifferenceInMeans(), levels_of(spec, rows)
    found: list[Comparison] = []
    for _, metric in spec.metrics.with_roles():
        answers = rows.answers(estimator.queries(spec, metric, levels))
        found += estimator.compare(spec, metric, levels, answers)
    return tuple(found)


def table(spec: ExperimentSpec, rows: Rows, alpha: float = 0.05) -> list[Estimate]:
    """Return every row at one error level, without multiplicity."""
    return [comparison.at(alpha) for comparison in compared(spec, rows)]


def one(rows: list[Estimate] | tuple[Estimate, ...], **keys: str) -> Estimate:
    """Return the only row with these values; absolute, for all, unless told."""
    wanted = {"population": "all", "scale": "absolute", **keys}
    (found,) = [row for row in rows if all(getattr(row, key) == value for key, value in wanted.items())]
    return found
