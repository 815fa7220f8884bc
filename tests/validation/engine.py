"""What every bar shares: how to draw, how to run the real estimator on drawn aggregates, and what a bar reports."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from tests.twins import Values

SEED = 20261122
SPEND = {"name": "y", "type": "mean", "column": "y", "desired_direction": "increase"}
CHURN = {"name": "y", "type": "proportion", "column": "y", "desired_direction": "decrease"}
AOV = {"name": "y", "type": "ratio", "numerator": "y", "denominator": "d", "desired_direction": "increase"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the validation table."""

    bar: str
    setting: str
    target: str
    measured: str
    reps: int
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Band:
    """A target interval, widened where fewer repetitions than the bar asks for make it noisier."""

    low: float
    high: float

    def __str__(self) -> str:
        """Return the band as the table shows it."""
        return f"[{self.low:.4g}, {self.high:.4g}]"

    def holds(self, value: float) -> bool:
        """Tell whether a measured value lies inside."""
        return bool(self.low <= value <= self.high)

    def widened(self, by: float) -> "Band":
        """Return the band with both ends moved outwards."""
        return Band(low=self.low - by, high=self.high + by)


def rng_of(bar: str, setting: str) -> np.random.Generator:
    """Return the generator of one setting, independent of every other setting's."""
    return np.random.default_rng([SEED, zlib.crc32(f"{bar}/{setting}".encode())])


@dataclass(frozen=True)
class Trial:
    """A plan with one success metric, and the estimator that answers it from drawn aggregates."""

    spec: ExperimentSpec

    @classmethod
    def of(cls, metric: Mapping[str, Any], arms: tuple[str, ...] = ("c", "t"), *, clustered: bool = False) -> "Trial":
        """Return a trial whose first arm is the control."""
        treatment = {"column": "arm", "control": arms[0], "arms": {arm: {} for arm in arms}}
        data = {"source": "x.csv", "unit": "id", **({"cluster": "g"} if clustered else {})}
        plan = {"schema_version": 1, "id": "v", "question": "?", "owner": "team@example.com", "data": data}
        design = {"type": "randomized", "treatment": treatment}
        return cls(ExperimentSpec.model_validate({**plan, "design": design, "metrics": {"success": [dict(metric)]}}))

    def rows(
        self, cells: Mapping[str, Moments], patterns: ClusterPatterns | None = None, alpha: float = 0.05
    ) -> Iterator[Estimate]:
        """Yield the effect rows of one drawn experiment."""
        metric, estimator = self.spec.metrics.success[0], DifferenceInMeans()
        moments, *clusters = estimator.queries(self.spec, metric, {})
        answers: dict[Any, Any] = {moments: {(arm, ()): cell for arm, cell in cells.items()}}
        answers.update(dict.fromkeys(clusters, patterns))
        for comparison in estimator.compare(self.spec, metric, {}, answers):
            yield comparison.at(alpha)


def cells_of(values: Values) -> list[Moments]:
    """Return the moments of each row of values, shape (reps, units)."""
    means = values.mean(axis=1)
    squares = ((values - means[:, None]) ** 2).sum(axis=1)
    events, lows, highs = (values != 0).sum(axis=1), values.min(axis=1), values.max(axis=1)
    return [
        Moments(
            n=values.shape[1], mean=means[i : i + 1], m2=squares[i : i + 1, None],
            events=int(events[i]), low=float(lows[i]), high=float(highs[i]),
        )
        for i in range(len(values))
    ]  # fmt: skip


def rate_cells(events: np.ndarray[Any, np.dtype[np.int64]], n: int) -> list[Moments]:
    """Return the moments of 0/1 outcomes from event counts, shape (reps,)."""
    return [
        Moments(
            n=n,
            mean=np.array([count / n]),
            m2=np.array([[count * (1 - count / n)]]),
            events=int(count),
            low=float(count == n),
            high=float(count > 0),
        )
        for count in events
    ]


def ratio_cells(numerator: Values, denominator: Values) -> list[Moments]:
    """Return two-component moments of each row, both of shape (reps, units)."""
    both = np.stack([numerator, denominator], axis=-1)
    means = both.mean(axis=1)
    away = both - means[:, None, :]
    products = np.einsum("rni,rnj->rij", away, away)
    return [Moments(n=both.shape[1], mean=means[i], m2=products[i]) for i in range(len(both))]
