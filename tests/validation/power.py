"""V13: the power that is promised, against experiments drawn and tested as the estimators test them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from cxcausal.core.answers import ClusterPatterns
from cxcausal.core.spec.models import Metric
from cxcausal.estimators.comparison import harm_p
from cxcausal.stats.cluster import clustered
from cxcausal.stats.difference import Difference, hc2
from cxcausal.stats.power import Clustering, Setting, Test, power
from tests.validation.engine import Row, cells_of, rate_cells, ratio_cells, rng_of

POINTS = 0.02
REPS = 10_000
SIGMAS = 4
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Case:
    """A setting with its question, and how it is drawn: arms' differences, for so many experiments.

    `margin` is a metric with a margin where the question is one of non-inferiority.
    """

    name: str
    setting: Setting
    test: Test
    units: int
    size: float
    draw: Callable[[Generator, int], Iterator[Difference]]
    margin: Metric | None = None

    def simulated(self, reps: int) -> float:
        """Return how often the test found what is there."""
        return float(np.mean([self._p(found) < self.test.alpha for found in self.draw(rng_of("V13", self.name), reps)]))

    def _p(self, found: Difference) -> float:
        return found.p if self.margin is None else harm_p(found, self.margin)


def v13(reps: int | None = None) -> Iterator[Row]:
    """Promise the power that simulated experiments have."""
    runs = reps or REPS
    slack = 0.0 if runs >= REPS else SIGMAS * 0.5 / np.sqrt(runs)
    for case in CASES:
        promised, found = power(case.setting, case.test, case.units, case.size), case.simulated(runs)
        yield Row(
            bar="V13",
            setting=f"power: {case.name}",
            target=f"within {100 * (POINTS + slack):.1f} points",
            measured=f"promised {promised:.4f}, simulated {found:.4f}",
            reps=runs,
            passed=bool(abs(promised - found) <= POINTS + slack),
        )


def _batches(reps: int) -> Iterator[int]:
    yield from (min(_BATCH, reps - start) for start in range(0, reps, _BATCH))


def _rates(n1: int, p1: float, n0: int, p0: float) -> Callable[[Generator, int], Iterator[Difference]]:
    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        treated, control = rate_cells(rng.binomial(n1, p1, reps), n1), rate_cells(rng.binomial(n0, p0, reps), n0)
        return (hc2(one, two) for one, two in zip(treated, control, strict=True))

    return draw


def _spend(n1: int, n0: int, effect: float) -> Callable[[Generator, int], Iterator[Difference]]:
    """One in four buys for a lognormal amount; mean 10, the effect is added to all."""

    def arm(rng: Generator, reps: int, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.where(rng.random((reps, n)) < 0.25, np.exp(rng.normal(np.log(40) - 0.5, 1.0, (reps, n))), 0.0)

    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        for batch in _batches(reps):
            pairs = zip(cells_of(arm(rng, batch, n1) + effect), cells_of(arm(rng, batch, n0)), strict=True)
            yield from (hc2(one, two) for one, two in pairs)

    return draw


def _baskets(n: int, effect: float) -> Callable[[Generator, int], Iterator[Difference]]:
    """Two orders per customer, of 25 each; the effect is on the value of an order."""

    def arm(rng: Generator, reps: int, value: float) -> tuple[np.ndarray, np.ndarray]:
        orders = rng.poisson(2.0, (reps, n)) + 0.0
        return orders * value + np.sqrt(orders) * rng.normal(0, 8, orders.shape), orders

    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        for batch in _batches(reps):
            treated, control = ratio_cells(*arm(rng, batch, 25.0 + effect)), ratio_cells(*arm(rng, batch, 25.0))
            yield from (hc2(one, two) for one, two in zip(treated, control, strict=True))

    return draw


def _scores(n1: int, n0: int) -> Callable[[Generator, int], Iterator[Difference]]:
    """Answers from 1 to 5, alike in both arms."""

    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        for batch in _batches(reps):
            arms = [rng.choice(np.arange(1.0, 6.0), (batch, n), p=SCORES) for n in (n1, n0)]
            yield from (hc2(one, two) for one, two in zip(*map(cells_of, arms), strict=True))

    return draw


def _adjusted(n1: int, n0: int, rho: float, effect: float) -> Callable[[Generator, int], Iterator[Difference]]:
    """Outcomes of variance 1 with a covariate known before, adjusted for by the slope within the arms."""

    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        for batch in _batches(reps):
            covariates = [rng.normal(size=(batch, n)) for n in (n1, n0)]
            noise = [np.sqrt(1 - rho**2) * rng.normal(size=x.shape) for x in covariates]
            outcomes = [rho * x + e + shift for x, e, shift in zip(covariates, noise, (effect, 0.0), strict=True)]
            away = [x - x.mean(axis=1, keepdims=True) for x in covariates]
            crossed = sum((x * y).sum(axis=1) for x, y in zip(away, outcomes, strict=True))
            slope = (crossed / sum((x**2).sum(axis=1) for x in away))[:, None]
            arms = [cells_of(y - slope * x) for x, y in zip(covariates, outcomes, strict=True)]
            yield from (hc2(one, two) for one, two in zip(*arms, strict=True))

    return draw


def _teams(
    treated: int, control: int, sizes: tuple[int, int], icc: float, effect: float
) -> Callable[[Generator, int], Iterator[Difference]]:
    """Teams assigned whole, of sizes between two limits; the variance of a unit is 1."""

    def draw(rng: Generator, reps: int) -> Iterator[Difference]:
        for _ in range(reps):
            size = rng.integers(sizes[0], sizes[1] + 1, treated + control)
            coin = np.arange(len(size)) < treated
            shared = rng.normal(0, np.sqrt(icc), len(size))
            total = size * (shared + effect * coin) + np.sqrt(size * (1 - icc)) * rng.normal(size=len(size))
            yield clustered(_patterns(np.where(coin, size, 0), np.where(coin, 0, size), total))

    return draw


def _patterns(
    ones: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    zeros: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    total: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> ClusterPatterns:
    sums = np.stack([np.where(ones > 0, total, 0.0), np.where(zeros > 0, total, 0.0)], axis=1)
    return ClusterPatterns(
        clusters=np.ones(len(ones), dtype=np.int64),
        n_treated=ones,
        n_control=zeros,
        total=sums,
        cross=np.einsum("gi,gj->gij", sums, sums),
        center=np.zeros(1),
        clusters_treated=int(np.sum(ones > 0)),
        clusters_control=int(np.sum(zeros > 0)),
    )


def _guard(kind: str, direction: str, **margin: float) -> Metric:
    keys = {"name": "g", "type": kind, "column": "g", "desired_direction": direction, "margin": margin}
    return Metric.model_validate(keys)


SCORES = (0.08, 0.1, 0.2, 0.32, 0.3)
_MEAN_SCORE = float(np.dot(SCORES, np.arange(1, 6)))
_SCORE_VARIANCE = float(np.dot(SCORES, np.arange(1, 6) ** 2)) - _MEAN_SCORE**2
_SPEND_VARIANCE = 0.25 * 1600 * float(np.exp(1)) - 100
_CHURN = Setting(base=0.14, variance=0.14 * 0.86, binary=True, treated=0.25, control=0.5)
_CSAT = Setting(base=_MEAN_SCORE, variance=_SCORE_VARIANCE, treated=0.2, control=0.4)
_COMPLAINTS = Setting(base=0.02, variance=0.02 * 0.98, binary=True, treated=0.5, control=0.5)


def _team_setting(treated: float, low: int, high: int, icc: float) -> Setting:
    size = (low + high) / 2
    cv = np.sqrt(((high - low + 1) ** 2 - 1) / 12) / size
    clusters = Clustering(size=size, cv=float(cv), icc=icc)
    return Setting(base=0.0, variance=1.0, treated=treated, control=1 - treated, clusters=clusters)


CASES = (
    Case(
        name="churn 14 % less 1.5 points, a quarter of 24,000 against half, Holm's first of three",
        setting=_CHURN,
        test=Test(alpha=0.05 / 3),
        units=24_000,
        size=-0.015,
        draw=_rates(6_000, 0.125, 12_000, 0.14),
    ),
    Case(
        name="spend, zero-inflated, 2,000 units",
        setting=Setting(base=10.0, variance=_SPEND_VARIANCE, treated=0.5, control=0.5),
        test=Test(alpha=0.05),
        units=2_000,
        size=4.0,
        draw=_spend(1_000, 1_000, 4.0),
    ),
    Case(
        name="ratio of means, 700 units",
        setting=Setting(base=25.0, variance=64 / 2, treated=0.5, control=0.5),
        test=Test(alpha=0.05),
        units=700,
        size=1.0,
        draw=_baskets(350, 1.0),
    ),
    Case(
        name="a covariate that correlates by .6, 300 units",
        setting=Setting(base=0.0, variance=1.0, treated=0.4, control=0.6, rho=0.6),
        test=Test(alpha=0.05),
        units=300,
        size=0.25,
        draw=_adjusted(120, 180, 0.6, 0.25),
    ),
    Case(
        name="20 teams of 10 to 30, ICC .1",
        setting=_team_setting(0.5, 10, 30, 0.1),
        test=Test(alpha=0.05),
        units=400,
        size=0.5,
        draw=_teams(10, 10, (10, 30), 0.1, 0.5),
    ),
    Case(
        name="200 teams of 2 to 12, a quarter treated, ICC .05",
        setting=_team_setting(0.25, 2, 12, 0.05),
        test=Test(alpha=0.05),
        units=1_400,
        size=0.2,
        draw=_teams(50, 150, (2, 12), 0.05, 0.2),
    ),
    Case(
        name="guardrail, satisfaction, margin 0.1 of a point, 5,000 units",
        setting=_CSAT,
        test=Test(alpha=0.05, sides=1),
        units=5_000,
        size=0.1,
        draw=_scores(1_000, 2_000),
        margin=_guard("ordinal", "increase", absolute=0.1),
    ),
    Case(
        name="guardrail, complaints 2 %, margin a fifth of it, 24,000 units",
        setting=_COMPLAINTS,
        test=Test(alpha=0.05, sides=1, ratio=1.2),
        units=24_000,
        size=0.004,
        draw=_rates(12_000, 0.02, 12_000, 0.02),
        margin=_guard("proportion", "decrease", relative=0.2),
    ),
)
