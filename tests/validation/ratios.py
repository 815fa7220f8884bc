"""Settings of the bars for adjusted ratios, weighted means and strata: worlds, twins and identities."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxcausal.core.answers import Regression
from cxcausal.stats.difference import Difference, hc2
from cxcausal.stats.regression import lin
from tests.regression_twins import interacted
from tests.twins import Values, moments_of
from tests.validation.adjusted import AdjustedWorld, Generator, fits_from

SHARES = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
LEVELS = np.array([0.0, 4.0, -3.0, 8.0, 2.0, 12.0])
EFFECTS = np.array([0.5, 1.5, 0.0, 2.0, -1.0, 3.0])


@dataclass(frozen=True, kw_only=True)
class Part:
    """Numbers of one arm's linearised values: the ratio, its HC2 variance, and slopes."""

    value: float
    variance: float
    slopes: Values


def _baskets(rng: Generator, n: int) -> tuple[Values, Values, Values]:
    """Draw revenue and orders of customers of whom those who order more also pay more per order, and were known to.

    Revenue has a lognormal factor per customer. Treatment adds a fifth to the orders and 3 to each order's value.
    """
    habit, treated = rng.gamma(2.0, 0.5, n), (rng.random(n) < 0.5).astype(float)
    orders = rng.poisson(2 * habit * (1 + 0.2 * treated)).astype(float)
    luck = np.exp(rng.normal(-0.18, 0.6, n))
    revenue = orders * (20 + 10 * habit + 3 * treated) * luck
    before = rng.poisson(4 * habit).astype(float)
    spent = before * (20 + 10 * habit) * np.exp(rng.normal(-0.18, 0.6, n))
    return np.column_stack([revenue, orders]), treated, np.column_stack([before, spent])


def _weighted(rng: Generator, n: int, share: float) -> tuple[Values, Values, Values]:
    """Draw w·y and w, where weights go with the effect: .75 in the population, .5 in the sample."""
    habit = rng.normal(size=n)
    known, weight = habit + rng.normal(0, 0.5, n), np.exp(0.5 * habit)
    treated = np.zeros(n)
    treated[rng.permutation(n)[: round(n * share)]] = 1
    y = 3 + 2 * known + treated * (0.5 + 0.5 * habit) + rng.normal(size=n)
    return np.column_stack([weight * y, weight]), treated, known[:, None]


def _strata(rng: Generator, n: int, share: float, *, blocked: bool = True) -> tuple[Values, Values, Values]:
    """Draw six strata that differ strongly, with the same share treated in each, or a coin per customer."""
    stratum = rng.choice(len(SHARES), n, p=SHARES)
    treated = (rng.random(n) < share).astype(float)
    for one in range(len(SHARES) if blocked else 0):
        own = np.flatnonzero(stratum == one)
        treated[own] = rng.permutation(len(own)) < round(len(own) * share)
    y = LEVELS[stratum] + treated * EFFECTS[stratum] + rng.normal(size=n) * (1 + 0.3 * stratum)
    return y, treated, (stratum[:, None] == np.arange(1, len(SHARES))) + 0.0


_BLOCKED = partial(_strata, n=600, share=1 / 3)
_AVERAGE = float(SHARES @ EFFECTS)
WORLDS = (
    AdjustedWorld(
        name="Lin, order value with orders and spend before, 2,000", truth=3.0, draw=partial(_baskets, n=2_000)
    ),
    AdjustedWorld(name="Lin, weighted mean, 50/50 of 1,000", truth=0.75, draw=partial(_weighted, n=1_000, share=0.5)),
    AdjustedWorld(name="Lin, weighted mean, 20/80 of 1,000", truth=0.75, draw=partial(_weighted, n=1_000, share=0.2)),
    AdjustedWorld(name="strata, drawn within them 1:2, 600", truth=_AVERAGE, draw=_BLOCKED),
    AdjustedWorld(
        name="strata, a coin per customer, 600", truth=_AVERAGE, draw=partial(_strata, n=600, share=0.5, blocked=False)
    ),
)
UNUSED = AdjustedWorld(name="strata, drawn within them 1:2, 600, and not used", truth=_AVERAGE, draw=_BLOCKED)


def unused(rng: Generator, runs: int) -> Iterator[Difference]:
    """Yield the plain difference in means of experiments that were drawn within strata."""
    for _ in range(runs):
        y, treated, _ = UNUSED.draw(rng)
        yield hc2(moments_of(y[treated == 1]), moments_of(y[treated == 0]))


def linearised(y: Values, treated: Values, z: Values) -> tuple[Part, Part]:
    """Return both arms' ratios from rows: (N − R·D)/D of every unit is regressed with an n × n hat matrix."""
    found = []
    for arm in (1.0, 0.0):
        fits = [interacted(part, treated, z, [arm, 1 - arm]) for part in y.T]  # type: ignore[list-item]
        above, below = (fit.beta[0] for fit in fits)
        each = interacted((y[:, 0] - above / below * y[:, 1]) / below, treated, z, [arm, 1 - arm])  # type: ignore[list-item]
        slopes = each.beta[2 : 2 + z.shape[1]]
        found.append(Part(value=above / below, variance=each.covariance[0, 0], slopes=slopes))
    return found[0], found[1]


def _gap(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    one, two = np.array(found), np.array(expected)
    return float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-3)))


def ratio_gap(rng: Generator) -> float:
    """Return how far the adjusted ratio is from linearised rows in whole matrices."""
    return _twin_gap(*_baskets(rng, 300))


def weighted_gap(rng: Generator) -> float:
    """Return how far the adjusted weighted mean is from its influence function on rows."""
    return _twin_gap(*_weighted(rng, 300, 0.4))


def _twin_gap(y: Values, treated: Values, z: Values) -> float:
    one, two = linearised(y, treated, z)
    apart = one.slopes - two.slopes
    drawn = apart @ np.atleast_2d(np.cov(z, rowvar=False)) @ apart / len(y)
    found = lin(fits_from(y, treated, z), "t", "c")
    return _gap((found.point, found.se), (one.value - two.value, (one.variance + two.variance + drawn) ** 0.5))


def post_stratified(y: Values, treated: Values, stratum: Values) -> tuple[float, float]:
    """Return the textbook's post-stratified effect and its variance, with the strata's shares as they were drawn."""
    names, counts = np.unique(stratum, return_counts=True)
    effects, variances = [], []
    for name in names:
        arms = [y[(stratum == name) & (treated == arm)] for arm in (1, 0)]
        effects.append(arms[0].mean() - arms[1].mean())
        variances.append(sum(arm.var(ddof=1) / len(arm) for arm in arms))
    shares, n = counts / len(y), len(y)
    effect = float(shares @ np.array(effects))
    drawn = float(counts @ (np.array(effects) - effect) ** 2) / (n - 1) / n
    return effect, float(shares**2 @ np.array(variances)) + drawn


def strata_gap(rng: Generator) -> float:
    """Return how far arm-wise regression on strata is from the textbook's post-stratification."""
    y, treated, z = _strata(rng, 600, 0.4)
    effect, variance = post_stratified(y, treated, z @ np.arange(1, len(SHARES)))
    found = lin(fits_from(y, treated, z), "t", "c")
    return _gap((found.point, found.se), (effect, variance**0.5))


def scale_gap(rng: Generator) -> float:
    """Return what other units of the numerator, weights × 7, another order and swapped arms change of a ratio."""
    y, treated, z = _weighted(rng, 300, 0.4)
    order = rng.permutation(len(y))
    changed = _numbers(fits_from(7 * y[order] * [100.0, 1.0], 1 - treated[order], z[order] * 1000 + 5))
    point, se, df, low, high = _numbers(fits_from(y, treated, z))
    return _gap(changed, (-100 * point, 100 * se, df, -100 * high, -100 * low))


def constant_weight_gap(rng: Generator) -> float:
    """Return how far a weighted mean with equal weights is from the mean without weights."""
    y, treated, z = _strata(rng, 300, 0.4)
    weighted = fits_from(np.column_stack([0.25 * y, np.full(len(y), 0.25)]), treated, z)
    return _gap(_numbers(weighted), _numbers(fits_from(y, treated, z)))


def _numbers(fits: Regression) -> tuple[float, ...]:
    found = lin(fits, "t", "c")
    limits = found.interval(0.95)
    return found.point, found.se, found.df, limits.low, limits.high
