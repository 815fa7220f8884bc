"""A plan with money, random rows for it, and answers to any measure of money."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxcausal.core.answers import Answer, Array
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, MomentQuery, Query
from cxcausal.core.spec.models import ExperimentSpec
from tests.twins import Rows

CHURN = {
    "name": "churn",
    "label": "Leavers",
    "type": "proportion",
    "column": "churned",
    "desired_direction": "decrease",
    "money": {"per_unit": "retained"},
}
MARGIN = {
    "name": "margin",
    "type": "mean",
    "column": "margin",
    "desired_direction": "increase",
    "money": {"per_unit": 0.5},
}
MODEL = {
    "currency": "EUR",
    "approved_by": "finance@example.com",
    "approved_on": "2026-10-01",
    "worth": {"retained": {"low": 180.0, "central": 240.0, "high": 310.0, "basis": "margin of a year"}},
}
ARMS: dict[str, dict[str, Any]] = {
    "none": {"unit_cost": 0.3},
    "gig": {"unit_cost": 4.0, "cost_basis": "received", "capacity": 900},
    "agent": {"unit_cost": 6.4, "capacity": 90000},
}


def plan(arms: dict[str, dict[str, Any]] | None = None, **more: Any) -> ExperimentSpec:
    """Return a resolved plan: leavers and margin carry money, gig costs at delivery, agent and none at assignment."""
    treatment = {"column": "arm", "control": "none", "arms": arms or ARMS, "received": "reached"}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "outreach",
            "question": "Does it pay?",
            "owner": "team@example.com",
            "data": {"source": "rows.csv", "unit": "id", **more.pop("data", {})},
            "design": {"type": "randomized", "treatment": treatment},
            "metrics": {"success": [CHURN], "secondary": [MARGIN]},
            "value_model": MODEL,
            **more,
        }
    )


@dataclass(frozen=True, kw_only=True)
class Customers:
    """Rows whose measures of money are worked out unit by unit."""

    columns: dict[str, Any]

    def answers(self, queries: Sequence[Query]) -> dict[Query, Answer]:
        """Return one answer per query."""
        return {query: self._answer(query) for query in queries}

    def _answer(self, query: Query) -> Answer:
        assert isinstance(query, MomentQuery | ClusterQuery)
        amounts = {**self.columns, "_amount": self._amounts(query.measure)}
        plain = replace(query.measure, terms=(("_amount", 1.0),), arm_terms=(), arm_constant=())
        asked = replace(query, measure=plain)
        return Rows(columns=amounts).answers([asked])[asked]

    def _amounts(self, measure: Measure) -> Array:
        own_terms, constants = dict(measure.arm_terms), dict(measure.arm_constant)
        amounts = np.zeros(len(self.columns["arm"]))
        for unit, arm in enumerate(self.columns["arm"]):
            terms = (*measure.terms, *own_terms.get(str(arm), ()))
            amounts[unit] = constants.get(str(arm), 0.0) + sum(
                worth * self.columns[name][unit] for name, worth in terms
            )
        return amounts


def customers(seed: int, n: int = 900) -> Customers:
    """Return random customers in three arms, some with missing outcomes, in households."""
    rng = np.random.default_rng(seed)
    household = rng.integers(0, n // 3, n)
    arm = np.array(["none", "gig", "agent"])[rng.integers(0, 3, n // 3 + 1)[household]]
    margin = rng.gamma(2.0, 20.0, n) + 3.0 * (arm == "gig") + rng.normal(0, 10, n // 3 + 1)[household]
    churned = (rng.random(n) < 0.2 - 0.05 * (arm != "none")).astype(float)
    margin[rng.random(n) < 0.05] = np.nan
    churned[rng.random(n) < 0.05] = np.nan
    return Customers(
        columns={
            "arm": arm,
            "household": household,
            "churned": churned,
            "margin": margin,
            "reached": np.where(arm == "none", 0.0, (rng.random(n) < 0.6).astype(float)),
            "w": rng.uniform(0.5, 2.0, n),
        }
    )
