"""A subscription's experiment in weekly cuts: what was planted, and how large it is by numpy alone."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

PLAN = {
    "schema_version": 1,
    "id": "callback",
    "question": "Does a call within a day keep customers?",
    "owner": "retention@example.com",
    "data": {
        "source": "data/cut.parquet",
        "unit": "customer_id",
        "time_zero": "assigned_on",
        "observed_until": "observed_until",
    },
    "design": {
        "type": "randomized",
        "treatment": {
            "column": "arm",
            "control": "none",
            "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2", "unit_cost": 1}},
        },
    },
    "segments": ["tier"],
    "metrics": {
        "success": [
            {
                "name": "churn",
                "type": "proportion",
                "column": "churned",
                "desired_direction": "decrease",
                "window": {"end": "28d"},
                "money": {"per_unit": 180},
            }
        ],
        "secondary": [{"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}],
    },
}
DAYS = 28


@dataclass(frozen=True, kw_only=True)
class World:
    """Customers of twelve weeks and how contact changes them; every draw is a function of the seed.

    Attributes:
        n: customers. lift: what a call does to churn. fading: how much of that is gone for those of the last weeks.
    """

    n: int = 40_000
    seed: int = 5
    base: float = 0.30
    lift: float = -0.10
    weeks: int = 12
    fading: float = 0.0
    start: np.datetime64 = field(default_factory=lambda: np.datetime64("2026-06-01"))

    def customers(self) -> pd.DataFrame:
        rng = np.random.default_rng(self.seed)
        day = np.sort(rng.integers(0, 7 * self.weeks, self.n))
        arm = rng.choice(["none", "call"], self.n)
        gold = rng.random(self.n) < 0.3
        late = day >= 7 * self.weeks - 28
        lift = np.where(late, self.lift * (1 - self.fading), self.lift)
        churned = rng.random(self.n) < self.base + np.where(arm == "call", lift, 0.0)
        spend = np.round(rng.gamma(2.0, 20.0, self.n) + np.where(arm == "call", 4.0, 0.0), 2)
        return pd.DataFrame(
            {
                "customer_id": [f"C{i:06d}" for i in range(self.n)],
                "arm": arm,
                "tier": np.where(gold, "gold", "basic"),
                "assigned_on": self.start + day.astype("timedelta64[D]"),
                "churned": churned.astype(float),
                "spend": spend,
            }
        )


def cut(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    """Return what an extract of that day holds: those assigned by then."""
    until = np.datetime64(day)
    known = frame[frame.assigned_on <= until].copy()
    return known.assign(observed_until=until)


def effect(frame: pd.DataFrame, column: str) -> float:
    """Return the difference of means among units whose window is over."""
    over = frame.assigned_on + np.timedelta64(DAYS, "D") <= frame.observed_until
    means = frame[over].groupby("arm")[column].mean()
    return float(means["call"] - means["none"])
