"""Twins of the regressions with clusters: sums by plain loops, and CR2 from n × n matrices without a shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import UNITS_PER_COLUMN, ClusterSums

Values = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows of all arms; `covariates` has shape (n, k)."""

    outcome: Values
    arm: Values
    covariates: Values
    cluster: Values

    def sums(self, names: tuple[str, ...] | None = None) -> ClusterSums:
        """Return what the engine would answer, for covariates of which none has to be dropped."""
        k, away = self.covariates.shape[1], self.covariates - self.covariates.mean(axis=0)
        arms = tuple(sorted(set(self.arm.tolist())))
        clusters = sorted(set(self.cluster.tolist()))
        center = float(self.outcome.mean())
        rows = []
        for number, name in enumerate(clusters):
            for place, arm in enumerate(arms):
                own = (self.cluster == name) & (self.arm == arm)
                if own.any():
                    rows.append((number, place, away[own], self.outcome[own] - center))
        return ClusterSums(
            arms=arms,
            fitted=tuple(arm for arm in arms if np.sum(self.arm == arm) >= UNITS_PER_COLUMN * k),
            columns=names or tuple(f"x{at}" for at in range(k)),
            dropped=(),
            clusters=len(clusters),
            center=center,
            cluster=np.array([row[0] for row in rows]),
            arm=np.array([row[1] for row in rows]),
            n=np.array([float(len(row[3])) for row in rows]),
            d=np.array([row[2].sum(axis=0) for row in rows]),
            gram=np.array([row[2].T @ row[2] for row in rows]),
            y=np.array([row[3].sum() for row in rows]),
            cross=np.array([row[2].T @ row[3] for row in rows]),
        )


@dataclass(frozen=True, kw_only=True)
class Full:
    """Two adjusted means, their covariance, and the degrees of freedom of their difference."""

    means: Values
    covariance: Values
    df: float

    @property
    def point(self) -> float:
        return float(self.means[0] - self.means[1])

    @property
    def se(self) -> float:
        return float(np.sqrt(self.covariance[0, 0] + self.covariance[1, 1] - 2 * self.covariance[0, 1]))


def full_lin(sample: Sample, treated: str, control: str) -> Full:
    """Return Lin's regression, with the covariates centred at the mean of all arms."""
    return _full(sample, treated, control, common=False)


def full_common(sample: Sample, treated: str, control: str) -> Full:
    """Return the regression with slopes common to two arms."""
    return _full(sample, treated, control, common=True)


def full_multiway(samples: Mapping[tuple[str, ...], Sample], treated: str, control: str) -> Full:
    """Return inclusion and exclusion over samples that differ in their clusters."""
    fulls = {names: full_lin(sample, treated, control) for names, sample in samples.items()}
    covariance = np.sum([(-1) ** (len(names) + 1) * full.covariance for names, full in fulls.items()], axis=0)
    df = min(full.df for names, full in fulls.items() if len(names) == 1)
    return Full(means=next(iter(fulls.values())).means, covariance=covariance, df=df)


def _full(sample: Sample, treated: str, control: str, *, common: bool) -> Full:
    away = sample.covariates - sample.covariates.mean(axis=0)
    k = away.shape[1]
    both = np.isin(sample.arm, (treated, control))
    one = (sample.arm[both] == treated).astype(float)
    slopes = [away[both]] if common else [one[:, None] * away[both], (1 - one)[:, None] * away[both]]
    design = np.column_stack([one, 1 - one, *slopes])
    contrast = np.zeros(design.shape[1])
    contrast[:2] = 1, -1
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ sample.outcome[both]
    maker = np.eye(both.sum()) - design @ bread @ design.T
    betas = [beta[2 : 2 + k], beta[2:] if common else beta[2 + k :]]
    clusters, residual, drawn, columns = sorted(set(sample.cluster.tolist())), [], [], []
    for name in clusters:
        own = np.flatnonzero(sample.cluster[both] == name)
        values, vectors = np.linalg.eigh(maker[np.ix_(own, own)])
        keep = values > 1e-9
        adjust = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
        residual.append((bread @ design[own].T @ adjust @ (sample.outcome[both] - design @ beta)[own])[:2])
        drawn.append([slope @ away[sample.cluster == name].sum(axis=0) / len(away) for slope in betas])
        columns.append(maker[:, own] @ adjust @ design[own] @ bread @ contrast)
    gram = np.array(columns) @ np.array(columns).T
    one_part = np.array(residual)
    two_part = np.array(drawn) * np.sqrt(len(clusters) / (len(clusters) - 1))
    scores = one_part + two_part
    v1, v2 = (float(np.sum((part[:, 0] - part[:, 1]) ** 2)) for part in (one_part, two_part))
    df = float(np.trace(gram) ** 2 / np.sum(gram**2))
    weighed = (v1 + v2) ** 2 / (v1**2 / df + v2**2 / (len(clusters) - 1))
    return Full(means=beta[:2], covariance=scores.T @ scores, df=weighed)
