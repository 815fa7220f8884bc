"""A made-up run that has nearly all at once: a survey, a delivery, a quantile, capped values, looks and adjustment."""

from dataclasses import replace
from typing import Any

from cxcausal.core.results import Estimate, Information, Range, ReadingFacts, RunResult
from tests.report.worlds import CHURN, estimate, one_arm, outreach, verdict

UNSAFE = "unsafe: the contact changed who answers (27.4 % with 'gig', 25.8 % with 'none'); see the bounds"
_ASSIGNED = "Headline, money and verdict are of being assigned, whether or not the contact was delivered; what was"
NOTES = (
    "metric 'csat' is written out in the plan; the library's definition is not used",
    f"{_ASSIGNED} delivered, and its effect on those reached, are told beside.",
    "Money is told from unadjusted means, also where effects are adjusted for covariates.",
)
LOOK = ReadingFacts(
    peeking="group_sequential",
    sentence="Read at look 2 of 4, planned for 2026-04-01; intervals hold at every look.",
    boundary=2.9, usual=1.96, units=60_052, look=2, looks=4, look_date="2026-04-01", spent=(0.25, 0.5),
)  # fmt: skip
SPEND = {"name": "spend_p90", "label": "Spend at the top", "type": "quantile", "column": "spend", "q": 0.9}


def _beside(metric: str, method: str, **numbers: Any) -> Estimate:
    names: dict[str, Any] = {"role": "guardrail", "arm": "gig", "control": "none", "estimand": "itt", "level": 0.9}
    counts = {"n_treated": 4120, "n_control": 3874, "unit": "points", "companion": True}
    return Estimate(**{**names, **counts, "metric": metric, "method": method, **numbers})


def _companions() -> tuple[Estimate, ...]:
    """Return what stands beside: who answered and bounds, delivery, the effect on those reached, capped values."""
    share: dict[str, Any] = {"role": "exploratory", "level": 0.95, "unit": "share of customers", "se": 0.005}
    return (
        _beside(
            "csat.response", "difference_in_means", **share, point=0.0156, low=0.0056, high=0.0256, mean_treated=0.2741,
            mean_control=0.2585,
        ),
        _beside("csat", "lee_bounds", set_low=-0.081, set_high=0.102, low=-0.13, high=0.151),
        _beside(
            "treatment.received", "newcombe", **share, point=0.597, low=0.588, high=0.605, mean_treated=0.618,
            mean_control=0.021,
        ),
        _beside(
            "churn_90d", "wald", **{**share, "estimand": "late"}, point=-0.0203, low=-0.0343, high=-0.0063,
            mean_treated=0.131, mean_control=0.143,
        ),
        _beside(
            "margin_90d", "difference_in_means", trimming="winsorized", point=1.7, low=0.3, high=3.1, se=0.7,
            level=0.95, reason="values above 180 count as 180",
        ),
        _beside("margin_90d.who", "difference_in_means", **share, point=0.01, low=0.002, high=0.018),
    )  # fmt: skip


def _quantile() -> Estimate:
    row = next(row for row in one_arm(outreach()).effects if row.metric == "margin_90d" and row.scale == "absolute")
    numbers: dict[str, Any] = {"point": 12.9, "low": 4.2, "high": 21.3, "se": 4.3, "mean_control": 183.0}
    return replace(row, metric="spend_p90", method="quantile_difference", unit="at the 90th percentile", **numbers)


def _adjusted(row: Estimate) -> tuple[Estimate, ...]:
    """Return a row of churn twice, adjusted and a fifth narrower first."""
    if (row.metric, row.population, row.scale) != ("churn_90d", "all", "absolute") or row.point is None:
        return (row,)
    half = 0.41 * (float(row.high or 0) - float(row.low or 0))
    closer = {"low": row.point - half, "high": row.point + half, "se": 0.82 * float(row.se or 0)}
    return replace(row, method="lin", adjustment="covariates", **closer), replace(row, headline=False)  # type: ignore[arg-type]


def _money(result: RunResult) -> RunResult:
    assert result.value is not None
    (arm,) = result.value.arms
    told = replace(
        arm, share_delivered=0.618, cost_per_assigned=2.472, cost_per_delivered=4.0, cost_per_event_metric="churn_90d",
        cost_per_event=Range(point=204.3, low=122.0, high=620.4),
        information=Information(customers=15_031, perfect=12_345.0, doubled=2_900.0, four_weeks=2_345.0),
    )  # fmt: skip
    return replace(result, value=replace(result.value, arms=(told,)))


def rich() -> RunResult:
    """Return the outreach trial at its second look, with a survey whose answers the contact changed."""
    result = _money(one_arm(outreach(notes=NOTES)))
    rows = [each for row in result.effects for each in _adjusted(row)]
    rows = [replace(row, reason=UNSAFE) if row.metric == "csat" else row for row in rows]
    metrics = result.plan["metrics"]
    plan = {
        **result.plan,
        "metrics": {**metrics, "secondary": [*metrics["secondary"], {**SPEND, "desired_direction": "increase"}]},
        "analysis": {**result.plan["analysis"], "looks": ["2026-02-01", "2026-04-01", "2026-06-01"]},
    }
    told = replace(result, plan=plan, effects=(*rows, _quantile(), *_companions()), reading=LOOK)
    return verdict(told, "hold", "It works, but it may not pay: the range of net value spans zero.")


def wide() -> RunResult:
    """Return the trial with a range so wide that its effect is told in tens."""
    rows = [
        replace(estimate(replace(CHURN, point=-0.0131, se=0.036), "gig"), headline=row.headline)
        if (row.metric, row.population, row.scale) == ("churn_90d", "all", "absolute")
        else row
        for row in one_arm(outreach()).effects
    ]
    return replace(one_arm(outreach()), effects=tuple(rows))
