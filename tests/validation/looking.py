"""Growing experiments, drawn look by look: every look's estimate, as the estimators would give it, for many at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import stdtr

from tests.twins import Values

Draw = Callable[[Generator, int, int, bool], Values]
"""From generator, experiments, new units per arm, and whether the arm is treated to values, shape (reps, units, k)."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """All experiments at one look: units of an arm, and per experiment an effect with its error, shape (reps,)."""

    units: int
    point: Values
    se: Values
    df: Values

    def p(self, truth: float = 0.0) -> Values:
        """Return the ordinary two-sided p-values of an effect of `truth`."""
        return np.asarray(2 * stdtr(self.df, -np.abs(self.point - truth) / self.se))

    def p_above(self, null: float) -> Values:
        """Return the ordinary one-sided p-values of an effect of at most `null`."""
        return np.asarray(stdtr(self.df, -(self.point - null) / self.se))


@dataclass
class _Sums:
    """Running sums of one arm; the values' products are kept, so that ratios can be linearised at any look."""

    n: int
    first: Values
    second: Values

    def add(self, values: Values) -> None:
        self.n += values.shape[1]
        self.first = self.first + values.sum(axis=1)
        self.second = self.second + np.einsum("rni,rnj->rij", values, values)

    def mean(self) -> tuple[Values, Values]:
        """Return the mean, or ratio of means, and its variance, by the delta method."""
        mean = self.first / self.n
        spread = (self.second - self.n * mean[:, :, None] * mean[:, None, :]) / (self.n - 1)
        if mean.shape[1] == 1:
            return mean[:, 0], spread[:, 0, 0] / self.n
        ratio = mean[:, 0] / mean[:, 1]
        weights = np.stack([1 / mean[:, 1], -ratio / mean[:, 1]], axis=1)
        return ratio, np.einsum("ri,rij,rj->r", weights, spread, weights) / self.n


def course(
    rng: Generator, reps: int, draw: Draw, units: Sequence[int], arms: int = 2, *, control_ratio: int = 1
) -> Iterator[list[Look]]:
    """Yield every look: one `Look` per treated arm against the control, which is so many times as large.

    Args:
        rng: where the draws come from.
        reps: experiments.
        draw: what a unit's outcome is.
        units: of a treated arm by each look.
        arms: with the control.
        control_ratio: units of the control per unit of a treated arm.
    """
    sums = [_empty(draw, rng, reps, treated=arm > 0) for arm in range(arms)]
    for before, now in zip((0, *units), units, strict=False):
        for arm, total in enumerate(sums):
            total.add(draw(rng, reps, (now - before) * (1 if arm else control_ratio), arm > 0))
        yield [_compared(total, sums[0]) for total in sums[1:]]


def _empty(draw: Draw, rng: Generator, reps: int, *, treated: bool) -> _Sums:
    k = draw(rng, 1, 1, treated).shape[2]
    return _Sums(n=0, first=np.zeros((reps, k)), second=np.zeros((reps, k, k)))


def _compared(treated: _Sums, control: _Sums) -> Look:
    (one, var1), (two, var2) = treated.mean(), control.mean()
    total = np.maximum(var1 + var2, np.finfo(float).tiny)
    df = total**2 / np.maximum(var1**2 / (treated.n - 1) + var2**2 / (control.n - 1), np.finfo(float).tiny)
    return Look(units=treated.n, point=one - two, se=np.sqrt(total), df=np.maximum(df, 1.0))


def rate(base: float, effect: float = 0.0) -> Draw:
    """Draw 0/1 outcomes."""
    return lambda rng, reps, units, treated: (rng.random((reps, units)) < base + effect * treated)[:, :, None] + 0.0


def skewed(effect: float = 0.0) -> Draw:
    """Draw lognormal amounts of mean 1, all of which a treatment makes larger by the same share."""

    def draw(rng: Generator, reps: int, units: int, treated: bool) -> Values:  # noqa: FBT001 - see Draw
        return (np.exp(rng.normal(-0.5, 1.0, (reps, units))) * (1 + effect * treated))[:, :, None]

    return draw


def spend(effect: float = 0.0) -> Draw:
    """Draw amounts of mean 10: one in four buys; the effect is added to all."""

    def draw(rng: Generator, reps: int, units: int, treated: bool) -> Values:  # noqa: FBT001 - see Draw
        amount = np.exp(rng.normal(np.log(40) - 0.5, 1.0, (reps, units)))
        return (np.where(rng.random((reps, units)) < 0.25, amount, 0.0) + effect * treated)[:, :, None]

    return draw


def baskets(effect: float = 0.0) -> Draw:
    """Draw revenue and orders; the effect is on revenue per order, 25 otherwise."""

    def draw(rng: Generator, reps: int, units: int, treated: bool) -> Values:  # noqa: FBT001 - see Draw
        orders = rng.poisson(2.0, (reps, units)) + 0.0
        revenue = orders * (25.0 + effect * treated) + np.sqrt(orders) * rng.normal(0, 8, orders.shape)
        return np.stack([revenue, orders], axis=-1)

    return draw
