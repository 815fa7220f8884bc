"""What every engine must tell as the embedded one does: nasty values, plans that use everything, and bad data."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from cxcausal.core.spec.models import Column, ExperimentSpec
from cxcausal.data.columns import Reader, is_whole
from cxcausal.data.engine import Table, Value
from cxcausal.data.functions import digest, moment_in
from tests.data.plans import ARMS, plan, rows

TEXTS = [
    "1", "1.0", "-0", "+.5", "5.", "1e5", "1E-7", "1e999", "-1e999", "1e-999", "0e99999", "1e99999999999", "4e-324",
    "1.7976931348623157e308", "0.1e-310", "1" * 400, "0." + "0" * 400 + "1", "1,5", "1 ", " 1", "1\n", "0x1A", "NaN",
    "inf", "", "true", "False", "TRUE", "00123", "010", "-010", "9007199254740993", "12345678901234567890", "äöü", "Z",
    "a", "B", "_a", "aa", "a b", "a-b", "ß", "ss", "É", "%", "\\", "'", '"', "{1,2}", "null", "None",
    None,
]  # fmt: skip
TIMES = [
    "2026-01-31", "2026-02-30", "2024-02-29", "2025-02-29", "2026-13-01", "2026-01-00", "2026-01-31T09:30",
    "2026-01-31 09:30:15.123456789", "2026-01-31 09:30:00Z", "2026-01-31T09:30:00+02:00", "2026-01-31 09:30:00-0530",
    "2026-01-31 09:30+02", "2026-01-31 25:00", "2026-01-31 24:00", "2026-01-31 23:59:60", "2026-01-31 09:30 UTC",
    "2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-01-31 09:30:00 junk", "31.01.2026", "2026/01/31", "infinity",
    "now", "", "2026-01-31 09:30:00.", "1899-12-31", "9999-12-01", "2026-01-31 09:30:00+15:59",
    None,
]  # fmt: skip
FLOATS = [
    0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 0.1, 1e-5, 1e-4, 123456789.123, 1e15 + 0.5, 1e16, 2.0**53, 2.0**53 + 2, 1e21,
    1e22, 1e100, -1e100, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), 3.0, 1234567890123456.0,
    None,
]  # fmt: skip
BIG = [2**62, 2**62, 2**62 - 1, -(2**61), 3, None]
READINGS: Mapping[str, Callable[[Reader, str], Value]] = {
    "number": Reader.number,
    "unreadable": Reader.unreadable,
    "time": Reader.time,
    "text": Reader.stored_text,
    "mapped": Reader.text,
    "id": Reader.id,
    "key": Reader.key,
    "present": Reader.present,
    "arm": lambda reader, name: reader.arm(name, ("0", "1")),
}
MAPS = {"value": Column(map={"yes": 1, "1.0": 7, "a": None})}


def of_texts(table: Table) -> dict[str, Value]:
    """Return everything that is made of a text."""
    reader, mapped = Reader(table=table, declared={}), Reader(table=table, declared=MAPS)
    made = {name: read(reader, "value") for name, read in READINGS.items() if name != "mapped"}
    value = table.value
    own = {
        "mapped": mapped.text("value"),
        "mapped_number": mapped.number("value"),
        "comma": Reader(table=table, declared={}, decimal=",").number("value"),
        "digest": digest(value),
        "last": value.re_search("1$"),
        "padded": value.re_search(r"^[+-]?0[0-9]"),
        "local": ibis.cases((reader.time("value").notnull(), _in_new_york(value))),  # noqa: PD004 - Ibis has no other
        "length": value.length(),
        "low": value.lower().isin(["true", "false"]),
    }
    return made | own


def _in_new_york(text: Value) -> Value:
    return moment_in("America/New_York", text.try_cast("timestamp"))


def of_floats(table: Table) -> dict[str, Value]:
    """Return everything that is made of a float."""
    reader, value = Reader(table=table, declared={}), table.value
    return {
        "number": reader.number("value"),
        "text": reader.stored_text("value"),
        "whole": is_whole(value),
        "rounded": (value.abs() < 1e15).ifelse(value, 0.0).cast("int64"),
        "tenth": ibis.least(value.abs(), 1e6) * 10.1,
        "infinite": value.isinf(),
        "smaller": value < 2.5,
    }


def everything(n: int = 900, seed: int = 5) -> pd.DataFrame:
    """Return customers with columns of every type that plans know."""
    rng = np.random.default_rng(seed)
    frame = rows(n, seed)
    frame["entered"] = pd.Timestamp("2026-01-01 06:00") + pd.to_timedelta(rng.integers(0, 70 * 24, n), unit="h")
    frame["day"] = frame["entered"].dt.date.astype(str)
    frame["until"] = pd.Timestamp("2026-04-01")
    frame["answer"] = np.where(frame["answered"] == 1, rng.integers(1, 6, n), np.nan)
    frame["won"] = rng.random(n) < 0.3
    frame["price"] = [f"{value:.2f}" for value in rng.gamma(2, 10, n)]
    frame["refund"] = np.where(rng.random(n) < 0.05, -rng.gamma(2, 30, n), frame["spend"]).round(2)
    frame["state"] = np.array(["new", "Old", "öd"])[rng.integers(0, 3, n)]
    return frame


UP = {"desired_direction": "increase"}
SURVEY = {
    "name": "csat",
    "type": "ordinal",
    "column": "answer",
    "response": "answered",
    "margin": {"absolute": 1},
    **UP,
}
MONEY = {"name": "spend", "type": "mean", "column": "spend", "outliers": "winsorize", **UP}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
RATIO = {"name": "aov", "type": "ratio", "numerator": "revenue", "denominator": "orders", **UP}
NPS = {"name": "nps", "type": "nps", "column": "nps_answer", "response": "answered", **UP}
BEST = {"name": "best", "type": "top_box", "column": "answer", "at_least": 4, "response": "answered", **UP}
P90 = {"name": "p90", "type": "quantile", "column": "spend", "q": 0.9, **UP}
WINDOW = {"window": {"start": "0d", "end": "28d"}}
PLANS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"data": {"weight": "weight"}},
    "clusters": {"data": {"cluster": ["household_id"], "randomization_unit": "household_id"}, "covariates": []},
    "two clusters": {"data": {"cluster": ["household_id", "agent_id"]}},
    "surveys": {"metrics": {"success": [CHURN], "guardrails": [SURVEY], "secondary": [NPS, BEST, RATIO]}},
    "clustered surveys": {
        "metrics": {"success": [CHURN], "guardrails": [SURVEY], "secondary": [P90]},
        "data": {"cluster": ["household_id"]},
    },
    "money": {
        "metrics": {"success": [MONEY], "secondary": [P90, {**MONEY, "name": "net", "column": "refund"}]},
        "data": {"columns": {"refund": {"allow_negative": True}}},
    },
    "filtered": {
        "data": {
            "filter": "entered >= '2026-01-10' and not state in ['öd'] and (age + 1) / 2 > 12.5 and won == false",
            "columns": {
                "total": {"formula": "revenue / (orders + 1) - 0.1 * spend", "allow_negative": True},
                "state": {"map": {"new": "fresh"}},
                "won": {"type": "boolean"},
            },
        },
        "metrics": {"success": [{"name": "total", "type": "mean", "column": "total", **UP}]},
        "segments": ["state", "won"],
    },
    "immature": {
        "data": {"time_zero": "entered", "observed_until": "until"},
        "metrics": {"success": [{**CHURN, **WINDOW}], "secondary": [{**RATIO, **WINDOW}]},
        "design": {"strata": ["region", "channel"]},
    },
    "native": {
        "metrics": {"success": [{"name": "price", "type": "mean", "column": "price", **UP}]},
        "covariates": ["won", "age"],
        "segments": ["won", "state"],
    },
}
"""By name: what a plan over `everything` says otherwise; `data` and `design` are merged."""
BAD: Mapping[str, tuple[Mapping[str, list[Any]], Mapping[str, Any]]] = {
    "no arm": ({"arm": [None]}, {}),
    "another arm": ({"arm": ["Gig "]}, {}),
    "no id": ({"customer_id": [None]}, {}),
    "not 0 or 1": ({"churned": [2]}, {}),
    "infinite": ({"spend": [float("inf")]}, {}),
    "negative": ({"spend": [-1.0]}, {"data": {"columns": {"spend": {"allow_negative": False}}}}),
    "no column": ({}, {"segments": ["teir"]}),
    "an id as a segment": ({}, {"segments": ["customer_id"]}),
    "divided by zero": (
        {},
        {
            "data": {"columns": {"each": {"formula": "revenue / (orders - orders)"}}},
            "metrics": {"success": [{"name": "each", "type": "mean", "column": "each", **UP}]},
        },
    ),
    "a text in a filter of numbers": ({}, {"data": {"filter": "age == 'old'"}}),
    "nobody left": ({}, {"data": {"filter": "age > 900"}}),
    "time zero after the end": (
        {"entered": [pd.Timestamp("2026-05-01")]},
        {
            "data": {"time_zero": "entered", "observed_until": "until"},
            "metrics": {"success": [{**CHURN, **WINDOW}]},
        },
    ),
}
"""By name: the first values of some columns, and what the plan says otherwise."""


def plan_over(data: Mapping[str, Any], changes: Mapping[str, Any]) -> ExperimentSpec:
    """Return a plan over `everything`.

    Args:
        data: where it is.
        changes: of `PLANS`.
    """
    treatment = {"column": "arm", "control": "none", "arms": {name: {} for name in ARMS}}
    design = {"type": "randomized", "treatment": treatment, **changes.get("design", {})}
    blocks = {key: value for key, value in changes.items() if key not in {"data", "design"}}
    return plan({"unit": "customer_id", **data, **changes.get("data", {})}, design=design, **blocks)


def spoilt(values: Mapping[str, list[Any]]) -> pd.DataFrame:
    """Return the customers with other values in their first rows."""
    frame = everything(400)
    for name, others in values.items():
        column = frame[name].astype(object)
        column.iloc[: len(others)] = others
        frame[name] = (
            column if any(other is None or isinstance(other, str) for other in others) else column.infer_objects()
        )
    return frame


def written(frame: pd.DataFrame, path: Path) -> str:
    """Write a frame for the embedded engine, and return its path."""
    frame.to_parquet(path)
    return str(path)
