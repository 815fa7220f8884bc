"""The plans behind the growth curves: what varies along each, and what is held."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.growth_world import ARMS, COVARIATES, LEVELS, METRICS, SEGMENTS

Plan = dict[str, Any]
_SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
_CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
_CLUSTERED = {"unit": "customer", "randomization_unit": "household", "cluster": "household"}


def long_plan(source: str, metrics: Sequence[Mapping[str, Any]] = (_CHURN, _SPEND), **changes: Any) -> Plan:
    """Return a plan over the long table, by default of churn and spend in two arms of independent customers."""
    return _plan(source, "arm", 2, metrics, **changes)


def kinds(rows: int) -> dict[str, Plan]:
    """Return the kinds of work whose time and memory are told against rows."""
    table, csv = f"long_{rows}.parquet", f"long_{rows}.csv"
    adjusted = {**_SPEND, "covariate": "spend_pre"}
    quantile = {**_SPEND, "name": "spend_p90", "type": "quantile", "q": 0.9}
    return {
        "means": long_plan(table),
        "adjusted": long_plan(table, [_CHURN, adjusted]),
        "ids, checked for duplicates": long_plan(table, data={"unit": "customer"}, checks={"duplicates": {}}),
        "clusters": long_plan(table, data=_CLUSTERED),
        "clusters, adjusted": long_plan(table, [_CHURN, adjusted], data=_CLUSTERED),
        "exact quantile": long_plan(table, [_CHURN, quantile]),
        "caps at an exact percentile": long_plan(table, analysis={"outliers": "winsorize"}),
        "CSV": long_plan(csv),
        "event table": _from_events(rows),
    }


def families(wide: str, narrow: str) -> dict[tuple[str, str], dict[int, Plan]]:
    """Return, by family and curve, the plan of every size: all over one wide table, covariates over a narrower one."""
    names = [f"s{index}" for index in range(max(SEGMENTS))]
    adjusted: dict[str, Any] = {"metrics": 2, "covariates": 2}
    return {
        ("metrics", "metrics"): {n: wide_plan(wide, metrics=n) for n in METRICS},
        ("segments", "segment columns of 4 values"): {n: wide_plan(wide, segments=names[:n]) for n in SEGMENTS},
        ("segments", "segment columns, adjusted"): {
            n: wide_plan(wide, segments=names[:n], **adjusted) for n in SEGMENTS
        },
        ("segments", "values of one segment column"): {n: wide_plan(wide, segments=[f"l{n}"]) for n in LEVELS},
        ("arms", "arms"): {n: wide_plan(wide, arms=n) for n in ARMS},
        ("arms", "arms, adjusted"): {n: wide_plan(wide, arms=n, **adjusted) for n in ARMS},
        ("covariates", "covariates"): {n: wide_plan(narrow, metrics=1, covariates=n) for n in COVARIATES},
    }


def wide_plan(
    source: str = "wide.parquet",
    *,
    metrics: int = 5,
    covariates: int = 0,
    segments: Sequence[str] = (),
    arms: int = 2,
    **changes: Any,
) -> Plan:
    """Return a plan over the wide table: so many metrics, covariates and arms, and these segments."""
    return _plan(
        source,
        f"arm{arms}",
        arms,
        [_metric(index) for index in range(metrics)],
        covariates=[f"x{index}" for index in range(covariates)],
        segments=list(segments),
        **changes,
    )


def _metric(index: int) -> dict[str, Any]:
    kind = "proportion" if index % 2 else "mean"
    return {"name": f"m{index}", "type": kind, "column": f"m{index}", "desired_direction": "increase"}


def _from_events(rows: int) -> Plan:
    made = {"source": "orders", "aggregate": "sum", "value": "amount"}
    before = {**made, "window": {"start": "-90d", "end": "0d"}}
    source = {"path": f"events_{rows}.parquet", "unit": "customer", "time": "at"}
    events = {"columns": {"orders_90d": made, "orders_before": before}, "sources": {"orders": source}}
    data = {"unit": "customer", "time_zero": "entered", "observed_until": "2026-07-01", "events": events}
    metric = {**_SPEND, "column": "orders_90d", "covariate": "orders_before", "window": {"start": "0d", "end": "90d"}}
    return long_plan(f"long_{rows}.parquet", [metric], data=data)


def _plan(source: str, arm: str, arms: int, metrics: Sequence[Mapping[str, Any]], **changes: Any) -> Plan:
    data = {"source": source, "columns": {name: {"allow_negative": True} for name in _amounts(metrics)}}
    data |= changes.pop("data", {})
    treatment = {"column": arm, "control": "arm0", "arms": {f"arm{at}": {"share": f"1/{arms}"} for at in range(arms)}}
    return {
        "schema_version": 1,
        "id": "growth",
        "question": "How does the cost grow?",
        "owner": "growth@example.com",
        "data": data,
        "design": {"type": "randomized", "treatment": treatment},
        "metrics": {"success": [dict(metrics[0])], "secondary": [dict(one) for one in metrics[1:]]},
        **changes,
    }


def _amounts(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["column"]) for one in metrics if one["type"] != "proportion" and "_90d" not in str(one["column"])]
