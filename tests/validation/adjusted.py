"""Settings of the bars for regression adjustment: the product's lines and inference on drawn rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxcausal.core.answers import ArmFit, Regression
from cxcausal.data.lines import Line, Sums, spread_of
from cxcausal.stats.difference import Difference
from cxcausal.stats.regression import common_slopes, lin
from tests.regression_twins import interacted, same_slopes
from tests.twins import Values

Generator = np.random.Generator
Draw = Callable[[Generator], tuple[Values, Values, Values]]
"""Outcome, treatment as 0 and 1, covariates."""


@dataclass(frozen=True, kw_only=True)
class AdjustedWorld:
    """A setting with its true population effect; `sample` leaves the population's part of the variance out."""

    name: str
    truth: float
    draw: Draw
    sample: bool = False


def fits_from(y: Values, treated: Values, z: Values, *, common: bool = False) -> Regression:
    """Return the fits of one outcome or two by the product's lines; residuals are summed here, not in the engine."""
    rows = {name: (y[treated == value], z[treated == value]) for name, value in (("c", 0), ("t", 1))}
    spread = spread_of({name: _sums(*own) for name, own in rows.items()}, [False] * z.shape[1], common=common)
    fits = {name: fit_of(line, *rows[name], kept=list(spread.kept)) for name, line in spread.lines.items()}
    columns = tuple(f"z{at}" for at in spread.kept)
    return Regression(n=spread.n, columns=columns, dropped=(), spread=spread.covariance, arms=fits)


def _sums(y: Values, z: Values) -> Sums:
    both = np.column_stack([z, y])
    away, k = both - both.mean(axis=0), z.shape[1]
    centred = away.T @ away
    return Sums(n=len(y), mean=both.mean(axis=0), gram=centred[:k, :k], cross=centred[:k, k:])


def fit_of(line: Line, y: Values, z: Values, kept: list[int]) -> ArmFit:
    """Return one arm's fit by its line, from its rows."""
    away = z[:, kept] - line.center
    leverage = 1 / line.n + ((away @ line.root.T) ** 2).sum(axis=1)
    residuals = y.reshape(len(y), -1) - line.means - away @ line.slopes
    weights = (1 / line.n + away @ line.direction) ** 2 / (1 - leverage)
    return ArmFit(
        n=line.n,
        mean=line.means,
        adjusted=line.adjusted,
        covariance=(residuals.T * weights) @ residuals,
        slopes=line.slopes,
        leverage=float(leverage.max()),
    )


def effects(world: AdjustedWorld, rng: Generator, runs: int) -> Iterator[Difference]:
    """Yield the adjusted effect of so many drawn experiments."""
    for _ in range(runs):
        yield lin(fits_from(*world.draw(rng)), "t", "c", population=not world.sample)


def _linear(rng: Generator, n: int, share: float, *, apart: float, k: int = 1) -> tuple[Values, Values, Values]:
    """Draw an effect of 0.5 on average that grows by `apart` with the first of k covariates."""
    z = rng.normal(size=(n, k))
    treated = np.zeros(n)
    treated[rng.permutation(n)[: round(n * share)]] = 1
    return z.sum(axis=1) + treated * (0.5 + apart * z[:, 0]) + rng.normal(size=n), treated, z


def _spend(rng: Generator, n: int) -> tuple[Values, Values, Values]:
    """Draw zero-inflated spend that goes with spend before; the effect is 0.5 on average, on buyers alone."""
    habit = rng.gamma(2.0, 0.5, n)
    before, after = (np.where(rng.random(n) < 0.4, habit * rng.gamma(2.0, 10.0, n), 0.0) for _ in range(2))
    treated = (rng.random(n) < 0.5).astype(float)
    return after + treated * (after > 0) * 1.25, treated, before[:, None]


def _churn(rng: Generator, n: int) -> tuple[Values, Values, Values]:
    """Draw churn of 20 %, 17 % with treatment, that a score foretells."""
    score, treated = rng.random(n), (rng.random(n) < 0.5).astype(float)
    return (rng.random(n) < 0.4 * score - 0.06 * score * treated).astype(float), treated, score[:, None]


_STRONG = partial(_linear, n=400, share=0.5, apart=2.0)
WORLDS = (
    AdjustedWorld(name="Lin, 50/50 of 400", truth=0.5, draw=partial(_linear, n=400, share=0.5, apart=0.0)),
    AdjustedWorld(name="Lin, 90/10 of 1,000", truth=0.5, draw=partial(_linear, n=1_000, share=0.1, apart=0.3)),
    AdjustedWorld(name="Lin, strong heterogeneity, 50/50 of 400", truth=0.5, draw=_STRONG),
    AdjustedWorld(
        name="Lin, 5 covariates, 30/70 of 400", truth=0.5, draw=partial(_linear, n=400, share=0.3, apart=1.5, k=5)
    ),
    AdjustedWorld(name="Lin, zero-inflated spend with spend before, 2,000", truth=0.5, draw=partial(_spend, n=2_000)),
    AdjustedWorld(name="Lin, churn 20 % with a score, 2,000", truth=-0.03, draw=partial(_churn, n=2_000)),
)
SAMPLE_ONLY = AdjustedWorld(
    name="Lin without the population's part, strong heterogeneity", truth=0.5, draw=_STRONG, sample=True
)


def _gap(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    one, two = np.array(found), np.array(expected)
    return float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-3)))


def lin_gap(rng: Generator) -> float:
    """Return how far Lin's estimate is from one interacted regression with an n × n hat matrix."""
    y, treated, z = _linear(rng, 300, 0.4, apart=1.0, k=3)
    twin = interacted(y, treated, z, [1.0, 0.0])  # type: ignore[list-item]
    apart = twin.beta[2:5] - twin.beta[5:8]
    variance = twin.covariance[0, 0] + twin.covariance[1, 1] + apart @ np.cov(z, rowvar=False) @ apart / len(y)
    found = lin(fits_from(y, treated, z), "t", "c")
    return _gap((found.point, found.se), (twin.beta[0] - twin.beta[1], variance**0.5))


def ols_gap(rng: Generator) -> float:
    """Return how far common slopes are from one regression with an n × n hat matrix."""
    y, treated, z = _linear(rng, 300, 0.4, apart=1.0, k=3)
    twin = same_slopes(y, treated, z)
    found = common_slopes(fits_from(y, treated, z, common=True), "t", "c")
    return _gap((found.point, found.se), (twin.beta[1], twin.covariance[1, 1] ** 0.5))


def columns_gap(rng: Generator) -> float:
    """Return what other units and another order of the covariates change."""
    y, treated, z = _linear(rng, 300, 0.4, apart=1.0, k=3)
    scale = np.exp(rng.normal(0, 4, 3))
    changed = ((z + rng.normal(0, 3, 3)) * scale)[:, rng.permutation(3)]
    return _gap(_numbers(fits_from(y, treated, changed)), _numbers(fits_from(y, treated, z)))


def rows_gap(rng: Generator) -> float:
    """Return what another order of the rows changes."""
    y, treated, z = _linear(rng, 300, 0.4, apart=1.0, k=3)
    order = rng.permutation(len(y))
    return _gap(_numbers(fits_from(y[order], treated[order], z[order])), _numbers(fits_from(y, treated, z)))


def swap_gap(rng: Generator) -> float:
    """Return how far the effect is from the mirrored one of swapped arms."""
    y, treated, z = _linear(rng, 300, 0.4, apart=1.0, k=3)
    point, *rest = _numbers(fits_from(y, 1 - treated, z))
    return _gap((-point, *rest), _numbers(fits_from(y, treated, z)))


def _numbers(fits: Regression) -> tuple[float, ...]:
    found = lin(fits, "t", "c")
    return found.point, found.se, found.df
