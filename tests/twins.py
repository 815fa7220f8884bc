"""Twins: the same statistics from raw rows, by loops and whole matrices that are right at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Answer, ClusterPatterns, Moments, Regression
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, ClusterRegressionQuery, MomentQuery, Query, RegressionQuery
from tests.cluster_regression_twins import Sample
from tests.regression_twins import fits_of

Values = npt.NDArray[Any]


def moments_of(values: Values, denominator: Values | None = None) -> Moments:
    """Return the moments of units' values (or of numerator and denominator)."""
    rows = np.column_stack([values] if denominator is None else [values, denominator]).astype(np.float64)
    if len(rows) == 0:
        return Moments(n=0, mean=np.full(rows.shape[1], np.nan), m2=np.full((rows.shape[1],) * 2, np.nan))
    mean = rows.mean(axis=0)
    return Moments(
        n=len(rows),
        mean=mean,
        m2=(rows - mean).T @ (rows - mean),
        events=int(np.sum(rows[:, 0] != 0)),
        low=float(rows[:, 0].min()),
        high=float(rows[:, 0].max()),
    )


def cluster_patterns_of(
    values: Values, treated: Values, cluster: Values, denominator: Values | None = None
) -> ClusterPatterns:
    """Return the cluster patterns of two arms, one cluster at a time."""
    rows = np.column_stack([values] if denominator is None else [values, denominator]).astype(np.float64)
    k = rows.shape[1]
    center = rows.mean(axis=0)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    totals: dict[tuple[int, int], Values] = defaultdict(lambda: np.zeros(2 * k))
    crosses: dict[tuple[int, int], Values] = defaultdict(lambda: np.zeros((2 * k, 2 * k)))
    for name in np.unique(cluster):
        inside = cluster == name
        one, two = inside & (treated == 1), inside & (treated == 0)
        sums = np.concatenate([(rows[one] - center).sum(axis=0), (rows[two] - center).sum(axis=0)])
        key = (int(one.sum()), int(two.sum()))
        counts[key] += 1
        totals[key] += sums
        crosses[key] += np.outer(sums, sums)
    keys = sorted(counts)
    return ClusterPatterns(
        clusters=np.array([counts[key] for key in keys]),
        n_treated=np.array([key[0] for key in keys]),
        n_control=np.array([key[1] for key in keys]),
        total=np.array([totals[key] for key in keys]),
        cross=np.array([crosses[key] for key in keys]),
        center=center,
        clusters_treated=len(np.unique(cluster[treated == 1])),
        clusters_control=len(np.unique(cluster[treated == 0])),
    )


@dataclass(frozen=True, kw_only=True)
class FullFit:
    """Least squares with a full n × n residual maker."""

    beta: Values
    covariance: Values
    df: float


def full_cr2(design: Values, outcome: Values, cluster: Values, contrast: Values) -> FullFit:
    """Return CR2 and its Bell–McCaffrey degrees of freedom from n × n matrices, with no shortcut."""
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ outcome
    residual = outcome - design @ beta
    maker = np.eye(len(outcome)) - design @ bread @ design.T
    meat = np.zeros_like(bread)
    columns = []
    for name in np.unique(cluster):
        own = np.flatnonzero(cluster == name)
        values, vectors = np.linalg.eigh(maker[np.ix_(own, own)])
        keep = values > 1e-9
        adjust = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
        score = design[own].T @ adjust @ residual[own]
        meat += np.outer(score, score)
        columns.append(maker[:, own] @ adjust @ design[own] @ bread @ contrast)
    gram = np.array(columns) @ np.array(columns).T
    return FullFit(beta=beta, covariance=bread @ meat @ bread, df=float(np.trace(gram) ** 2 / np.sum(gram**2)))


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Columns of equal length, `arm` among them, that answer queries by plain loops."""

    columns: Mapping[str, Values]

    def answers(self, queries: Sequence[Query]) -> dict[Query, Answer]:
        """Return one answer per query."""
        return {query: self._answer(query) for query in queries}

    def _answer(self, query: Query) -> Answer:
        if isinstance(query, MomentQuery):
            return self._moments(query)
        if isinstance(query, RegressionQuery):
            return self._regressions(query)
        if isinstance(query, ClusterRegressionQuery):
            return {group: one.sums(query.covariates) for group, one in self.samples(query).items()}
        assert isinstance(query, ClusterQuery)
        return self._clusters(query)

    def _regressions(self, query: RegressionQuery) -> dict[tuple[str, ...], Regression]:
        """Fit numeric covariates without missing values, and strata by their combinations."""
        parts, counts = self._parts(query.measure)
        value, design, names = np.column_stack(parts), *self._design(query)
        if query.contrast is not None:
            counts = counts & np.isin(self.columns["arm"], query.contrast)
        groups = [tuple(str(self.columns[name][row]) for name in query.by) for row in range(len(value))]
        found = {}
        for group in sorted(set(groups)):
            own = counts & np.array([one == group for one in groups])
            found[group] = fits_of(value[own], self.columns["arm"][own], design[own], names, contrast=query.contrast)
        return found

    def _design(self, query: RegressionQuery) -> tuple[Values, tuple[str, ...]]:
        strata = list(zip(*(self.columns[name].astype(str) for name in query.strata), strict=True))
        cells = sorted(set(strata))[1:]
        columns = {" and ".join(cell): np.array([one == cell for one in strata]) + 0.0 for cell in cells}
        columns |= {name: self.columns[name] for name in query.covariates if name not in query.strata}
        return np.column_stack(list(columns.values())), tuple(columns)

    def samples(self, query: ClusterRegressionQuery) -> dict[tuple[str, ...], Sample]:
        """Return the rows of every group, for numeric covariates without missing values."""
        (value,), counts = self._parts(query.measure)
        groups = np.array(["|".join(str(self.columns[name][row]) for name in query.by) for row in range(len(value))])
        names = ["|".join(str(self.columns[name][row]) for name in query.cluster) for row in range(len(value))]
        found: dict[tuple[str, ...], Sample] = {}
        for group in sorted(set(groups[counts].tolist())):
            own = counts & (groups == group)
            found[(group,) if query.by else ()] = Sample(
                outcome=value[own],
                arm=self.columns["arm"][own],
                covariates=np.column_stack([self.columns[name][own] for name in query.covariates]),
                cluster=np.array(names)[own],
            )
        return found

    def _moments(self, query: MomentQuery) -> dict[tuple[str, tuple[str, ...]], Moments]:
        parts, counts = self._parts(query.measure)
        groups = list(zip(*(self.columns[name] for name in query.by), strict=True)) if query.by else None
        cells: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
        for row in np.flatnonzero(counts):
            cells[str(self.columns["arm"][row]), groups[row] if groups else ()].append(int(row))
        return {key: moments_of(*(part[rows] for part in parts)) for key, rows in cells.items()}

    def _clusters(self, query: ClusterQuery) -> ClusterPatterns:
        parts, counts = self._parts(query.measure)
        arm = self.columns["arm"]
        own = counts & np.isin(arm, (query.treated, query.control))
        if query.by is not None:
            own &= self.columns[query.by] == query.value
        names = np.array(["|".join(str(self.columns[name][row]) for name in query.cluster) for row in range(len(arm))])
        treated = (arm[own] == query.treated).astype(float)
        denominator = parts[1][own] if len(parts) > 1 else None
        return cluster_patterns_of(parts[0][own], treated, names[own], denominator)

    def _parts(self, measure: Measure) -> tuple[list[Values], Values]:
        value: Values = measure.constant + np.sum([share * self.columns[name] for name, share in measure.terms], axis=0)
        counts = ~np.isnan(value)
        if measure.transform == "top_box":
            value = (value >= measure.at_least).astype(float)
        if measure.transform == "nps":
            value = np.select([value <= 6, value <= 8], [-100.0, 0.0], 100.0)
        if measure.response is not None:
            counts = counts & (self.columns[measure.response] == 1)
        if not measure.is_ratio:
            return [value], counts
        below = self.columns[measure.denominator] if measure.denominator else np.ones_like(value)
        weight = self.columns[measure.weight] if measure.weight else np.ones_like(value)
        return [value * weight, below * weight], counts & ~np.isnan(below)
