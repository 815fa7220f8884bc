"""Logistic planes with a ridge penalty, which generalised cross-validation chooses anew at every step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.fitting import Target
from cxcausal.heterogeneity.formulas import Chance, Plane, linear_terms
from cxcausal.heterogeneity.lesson import Ground
from cxcausal.heterogeneity.ridge import crossed, ridge

_STEPS, _NEAR = 12, 1e-6
_BLOCK = 20_000
_FURTHEST = 15.0
"""Log odds beyond which a chance is as good as 0 or 1."""
_LEAST = 1e-6
"""Of p(1 − p), so that no unit counts infinitely."""
Columns = Callable[[Places], Floats]


def joint_columns(ground: Ground, *, crossed_with_arms: bool) -> tuple[Columns, int]:
    """Return what makes the columns of some units, and how many of the first are not penalised.

    They are 1, one per arm but the control, the modifiers, and, if asked for, the modifiers of every such arm's units.
    """

    def columns(units: Places) -> Floats:
        filled = ground.table.filled[units]
        own = [(ground.arm[units] == place).astype(np.float64)[:, None] for place in range(1, ground.arms)]
        more = [filled * each for each in own] if crossed_with_arms else []
        return np.column_stack([np.ones(len(units)), *own, filled, *more])

    return columns, ground.arms


def logistic(columns: Columns, free: int, target: Target) -> Floats:
    """Return the slopes of the log odds, shape (k,).

    Each step is a ridge regression of the working outcome, the penalty chosen for it (Gu 1992,
    https://doi.org/10.2307/1390651).

    Args:
        columns: of some units, shape (m, k); the first of them 1.
        free: how many are not penalised.
        target: what is 0 or 1.
    """
    mean = float(np.clip(np.average(target.y, weights=target.weight), _LEAST, 1 - _LEAST))
    slopes: Floats | None = None
    for _ in range(_STEPS):
        step = _Step(columns=columns, target=target, slopes=slopes, start=float(np.log(mean / (1 - mean))))
        before, slopes = slopes, ridge(crossed(step.blocks()), len(target.units), free)
        if before is not None and np.abs(slopes - before).max() <= _NEAR * (1 + np.abs(slopes).max()):
            break
    assert slopes is not None  # noqa: S101 - there is a first step
    return slopes


def linear(columns: Columns, free: int, target: Target) -> Floats:
    """Return the slopes of a mean, shape (k,); arguments as of `logistic`."""

    def blocks() -> Iterator[tuple[Floats, Floats, Floats]]:
        for start in range(0, len(target.units), _BLOCK):
            part = slice(start, start + _BLOCK)
            yield columns(target.units[part]), target.y[part], target.weight[part]

    return ridge(crossed(blocks()), len(target.units), free)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    columns: Columns
    target: Target
    slopes: Floats | None
    start: float

    def blocks(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Return the working outcomes, and how much each counts."""
        for start in range(0, len(self.target.units), _BLOCK):
            part = slice(start, start + _BLOCK)
            x = self.columns(self.target.units[part])
            odds = np.full(len(x), self.start) if self.slopes is None else x @ self.slopes
            odds = np.clip(odds, -_FURTHEST, _FURTHEST)
            chance = 1 / (1 + np.exp(-odds))
            bend = np.maximum(chance * (1 - chance), _LEAST)
            yield x, odds + (self.target.y[part] - chance) / bend, self.target.weight[part] * bend


def chances_of(ground: Ground, slopes: Floats) -> tuple[Chance, ...]:
    """Return the chance in every arm, from the slopes of `joint_columns`."""
    return tuple(Chance(plane=plane) for plane in planes_of(ground, slopes))


def planes_of(ground: Ground, slopes: Floats) -> tuple[Plane, ...]:
    """Return every arm's plane, from the slopes of `joint_columns`."""
    arms, columns = ground.arms, ground.columns
    level = np.concatenate([[0.0], slopes[1:arms]])
    common, more = slopes[arms : arms + columns], slopes[arms + columns :].reshape(-1, columns)
    own = np.vstack([np.zeros((1, columns)), more if len(more) else np.zeros((arms - 1, columns))])
    return tuple(
        Plane(terms=linear_terms(columns), slopes=np.concatenate([[slopes[0] + level[place]], common + own[place]]))
        for place in range(arms)
    )
