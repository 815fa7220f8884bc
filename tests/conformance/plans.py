"""The smallest plans that tests of components need, with any key replaced."""

from typing import Any

from cxcausal.core.spec.models import ExperimentSpec

SMALL: dict[str, Any] = {
    "schema_version": 1,
    "id": "small",
    "question": "Does a call keep customers?",
    "owner": "team@example.com",
    "data": {"source": "data/small.parquet"},
    "design": {
        "type": "randomized",
        "treatment": {"column": "arm", "control": "none", "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2"}}},
    },
    "metrics": {
        "success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}]
    },
}


def small_plan(**changes: Any) -> ExperimentSpec:
    """Return a valid two-arm plan; `changes` replace whole top-level blocks."""
    return ExperimentSpec.model_validate({**SMALL, **changes})
