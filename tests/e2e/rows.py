"""What a row of the results must say, computed from the raw frame by numpy, pandas and statsmodels alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from tests.twins import full_cr2

Values = npt.NDArray[np.float64]
Metric = Mapping[str, Any]
FEWEST = 20


@dataclass(frozen=True, kw_only=True)
class Side:
    """One arm's known values of a metric, and each unit's influence on the arm's mean or ratio."""

    frame: pd.DataFrame
    point: float
    influence: Values


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Treated minus control."""

    treated: Side
    control: Side
    se: float
    df: float
    rates: bool

    @property
    def point(self) -> float:
        return self.treated.point - self.control.point

    def limits(self, level: float) -> tuple[float, float]:
        """Return the two-sided interval: Student's t, or Newcombe's where a rate is small."""
        if self.rates:
            counts = [round(side.point * len(side.frame)) for side in (self.treated, self.control)]
            n = [len(side.frame) for side in (self.treated, self.control)]
            low, high = confint_proportions_2indep(counts[0], n[0], counts[1], n[1], method="newcomb", alpha=1 - level)
            return float(low), float(high)
        half = float(stats.t.ppf((1 + level) / 2, self.df)) * self.se
        return self.point - half, self.point + half


def wanted(
    metric: Metric, frame: pd.DataFrame, arms: tuple[str, str], *, weight: str | None, clusters: Sequence[str]
) -> Wanted:
    """Return what the row of (treated, control) must hold, from one row per unit in `frame`."""
    treated, control = (_side(metric, frame[frame.arm == arm], weight) for arm in arms)
    if clusters:
        se, df = _clustered(treated, control, clusters)
        return Wanted(treated=treated, control=control, se=se, df=df, rates=False)
    parts = [side.influence.var(ddof=1) / len(side.influence) for side in (treated, control)]
    n = [len(side.influence) for side in (treated, control)]
    df = sum(parts) ** 2 / (parts[0] ** 2 / (n[0] - 1) + parts[1] ** 2 / (n[1] - 1))
    rates = metric["type"] in {"proportion", "top_box"} and weight is None and _is_small(treated, control)
    return Wanted(treated=treated, control=control, se=float(np.sqrt(sum(parts))), df=float(df), rates=rates)


def planned(plan: Mapping[str, Any]) -> Iterator[tuple[str, Metric]]:
    """Yield (role, metric) of a plan whose metrics are written out."""
    for role, items in plan["metrics"].items():
        yield from ((role, metric) for metric in items)


def _side(metric: Metric, frame: pd.DataFrame, weight: str | None) -> Side:
    above, below = _parts(metric, frame)
    known = above.notna() & below.notna()
    if "response" in metric:
        known &= frame[str(metric["response"])] == 1
    kept = frame[known]
    weights = kept[weight].to_numpy(float) if weight else np.ones(len(kept))
    top, bottom = above[known].to_numpy(float) * weights, below[known].to_numpy(float) * weights
    point = top.sum() / bottom.sum()
    return Side(frame=kept, point=float(point), influence=(top - point * bottom) / bottom.mean())


def _parts(metric: Metric, frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    ones = pd.Series(1.0, index=frame.index)
    if metric["type"] == "ratio":
        return frame[str(metric["numerator"])], frame[str(metric["denominator"])]
    value = frame[str(metric["column"])].astype(float)
    if metric["type"] == "top_box":
        value = (value >= metric["at_least"]).astype(float).where(value.notna())
    if metric["type"] == "nps":
        value = value.map(
            lambda answer: 100.0 if answer >= 9 else 0.0 if answer >= 7 else -100.0 if answer >= 0 else None
        )
    return value, ones


def _is_small(treated: Side, control: Side) -> bool:
    events = [(side.point * len(side.frame), len(side.frame)) for side in (treated, control)]
    return any(min(count, n - count) < FEWEST - 1e-6 for count, n in events)


def _clustered(treated: Side, control: Side, clusters: Sequence[str]) -> tuple[float, float]:
    """Return the standard error and degrees of freedom: CR2, for several names by inclusion and exclusion.

    Where that leaves a variance that is not positive, the largest single name's stands in.
    """
    both = pd.concat([treated.frame, control.frame])
    arm = np.r_[np.ones(len(treated.frame)), np.zeros(len(control.frame))]
    outcome = np.r_[treated.influence, control.influence]
    design, contrast = np.column_stack([arm, 1 - arm]), np.array([1.0, -1.0])
    total, singles, df = np.zeros((2, 2)), [], []
    for size in range(1, len(clusters) + 1):
        for names in combinations(clusters, size):
            labels = both[list(names)].astype(str).agg("|".join, axis=1).to_numpy()
            fit = full_cr2(design, outcome, labels, contrast)
            total += (-1) ** (size + 1) * fit.covariance
            if size == 1:
                singles.append(float(contrast @ fit.covariance @ contrast))
                df.append(fit.df)
    joint = float(contrast @ total @ contrast)
    positive = min(joint, *np.diag(total)) > 0
    return float(np.sqrt(joint if positive else max(singles))), min(df)
