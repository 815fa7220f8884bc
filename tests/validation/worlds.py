"""Worlds with a known population effect, drawn as aggregates: the settings of the coverage and A/A bars."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments
from tests.twins import Values
from tests.validation.engine import AOV, CHURN, SPEND, Trial, cells_of, rate_cells, ratio_cells

Draw = tuple[dict[str, Moments], ClusterPatterns | None]
Drawn = Iterator[Draw]
Generator = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class World:
    """A setting: how to draw its experiments, and the true effect of every arm against control.

    `beyond` marks a setting that the ladder does not list: its coverage is held to the bar, its mean SE is only told.
    """

    name: str
    trial: Trial
    truth: float
    draw: Callable[[Generator, int, float], Drawn]
    relative_truth: float | None = None
    beyond: bool = False


def _two(control: list[Moments], treated: list[Moments]) -> Drawn:
    for c, t in zip(control, treated, strict=True):
        yield {"c": c, "t": t}, None


def _skewed(n_treated: int, n_control: int) -> Callable[[Generator, int, float], Drawn]:
    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        control = rng.gamma(2.0, 5.0, (reps, n_control))
        return _two(cells_of(control), cells_of(rng.gamma(2.0, 5.0, (reps, n_treated)) + effect))

    return draw


def _heterogeneous(n_treated: int, n_control: int) -> Callable[[Generator, int, float], Drawn]:
    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        x1, x0 = rng.normal(size=(reps, n_treated)), rng.normal(size=(reps, n_control))
        treated = x1 + effect * (1 + 3 * x1) + rng.normal(size=x1.shape)
        return _two(cells_of(x0 + rng.normal(size=x0.shape)), cells_of(treated))

    return draw


def _rates(base: float, n: int) -> Callable[[Generator, int, float], Drawn]:
    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        control, treated = rng.binomial(n, base, reps), rng.binomial(n, base + effect, reps)
        return _two(rate_cells(control, n), rate_cells(treated, n))

    return draw


def _spend(n: int) -> Callable[[Generator, int, float], Drawn]:
    """One in ten buys, for a lognormal amount; the effect makes each basket larger."""

    def arm(rng: Generator, reps: int, mean: float) -> list[Moments]:
        return [_zero_inflated(np.exp(rng.normal(np.log(mean) - 0.5, 1.0, k)), n) for k in rng.binomial(n, 0.1, reps)]

    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        return _two(arm(rng, reps, 40.0), arm(rng, reps, 40.0 + effect / 0.1))

    return draw


def _zero_inflated(amounts: Values, n: int) -> Moments:
    mean = amounts.sum() / n
    squares = np.sum((amounts - mean) ** 2) + (n - len(amounts)) * mean**2
    return Moments(
        n=n, mean=np.array([mean]), m2=np.array([[squares]]), events=len(amounts), low=0.0, high=float(amounts.max())
    )


def _four(n: int) -> Callable[[Generator, int, float], Drawn]:
    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        arms = [cells_of(rng.gamma(2.0, 5.0, (reps, n)) + effect * (arm != "c")) for arm in "abcd"]
        for cells in zip(*arms, strict=True):
            yield dict(zip("abcd", cells, strict=True)), None

    return draw


def _baskets(n: int) -> Callable[[Generator, int, float], Drawn]:
    """Orders and revenue per customer; the effect is on revenue per order."""

    def arm(rng: Generator, reps: int, value: float) -> list[Moments]:
        orders = rng.poisson(2.0, (reps, n)) + 0.0
        return ratio_cells(orders * value + np.sqrt(orders) * rng.normal(0, 8, orders.shape), orders)

    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        return _two(arm(rng, reps, 25.0), arm(rng, reps, 25.0 + effect))

    return draw


def _clusters(count: int, treated: int | None) -> Callable[[Generator, int, float], Drawn]:
    """Clusters of 5 to 45 units, intra-cluster correlation .1; `treated` of them, or every unit its own coin."""

    def draw(rng: Generator, reps: int, effect: float) -> Drawn:
        for _ in range(reps):
            sizes = rng.integers(5, 46, count)
            coin = rng.permutation(count) < (treated or 0)
            ones = rng.binomial(sizes, 0.5) if treated is None else np.where(coin, sizes, 0)
            yield _clustered(rng, ones, sizes - ones, effect)

    return draw


def _clustered(rng: Generator, ones: Values, zeros: Values, effect: float) -> Draw:
    """Draw cluster sums exactly as the sums of their units would be distributed."""
    shared = rng.normal(0, 1 / 3, len(ones))
    sums = np.stack(
        [
            ones * (1 + effect + shared) + np.sqrt(ones) * rng.normal(size=len(ones)),
            zeros * (1 + shared) + np.sqrt(zeros) * rng.normal(size=len(ones)),
        ],
        axis=1,
    )
    patterns = ClusterPatterns(
        clusters=np.ones(len(ones), dtype=np.int64),
        n_treated=ones,
        n_control=zeros,
        total=sums,
        cross=np.einsum("gi,gj->gij", sums, sums),
        center=np.zeros(1),
        clusters_treated=int(np.sum(ones > 0)),
        clusters_control=int(np.sum(zeros > 0)),
    )
    return {"t": _sized(ones, sums[:, 0]), "c": _sized(zeros, sums[:, 1])}, patterns


def _sized(counts: Values, sums: Values) -> Moments:
    n = int(counts.sum())
    return Moments(n=n, mean=np.array([sums.sum() / n]), m2=np.array([[float(n)]]), events=n, low=-1.0, high=1.0)


_MEAN, _RATE, _RATIO = Trial.of(SPEND), Trial.of(CHURN), Trial.of(AOV)
_CLUSTERED = Trial.of(SPEND, clustered=True)
_FOUR = Trial.of(SPEND, ("c", "a", "b", "d"))

WORLDS = (
    World(name="50/50, 400 customers, skewed", trial=_MEAN, truth=1.0, draw=_skewed(200, 200), relative_truth=0.1),
    World(name="90/10, 1,000 customers, skewed", trial=_MEAN, truth=1.0, draw=_skewed(100, 900), relative_truth=0.1),
    World(name="strong heterogeneity, 30/70 of 400", trial=_MEAN, truth=0.5, draw=_heterogeneous(120, 280)),
    World(name="churn 2 %, 10,000 per arm", trial=_RATE, truth=-0.003, draw=_rates(0.02, 10_000), relative_truth=-0.15),
    World(name="churn 2 %, 1,000 per arm", trial=_RATE, truth=-0.005, draw=_rates(0.02, 1_000), relative_truth=-0.25),
    World(name="churn 20 %, 500 per arm", trial=_RATE, truth=-0.04, draw=_rates(0.2, 500), relative_truth=-0.2),
    World(name="zero-inflated spend, 5,000 per arm", trial=_MEAN, truth=0.5, draw=_spend(5_000), relative_truth=0.125),
    World(name="4 arms, 150 each", trial=_FOUR, truth=1.0, draw=_four(150), relative_truth=0.1),
    World(name="ratio of means, 400 per arm", trial=_RATIO, truth=0.8, draw=_baskets(400), relative_truth=0.032),
    World(name="20 clusters, 10 treated", trial=_CLUSTERED, truth=0.3, draw=_clusters(20, 10), relative_truth=0.3),
    World(
        name="60 clusters, 6 treated",
        trial=_CLUSTERED,
        truth=0.3,
        draw=_clusters(60, 6),
        relative_truth=0.3,
        beyond=True,
    ),
    World(name="200 clusters, 100 treated", trial=_CLUSTERED, truth=0.1, draw=_clusters(200, 100), relative_truth=0.1),
    World(name="20 clusters that span the arms", trial=_CLUSTERED, truth=0.1, draw=_clusters(20, None)),
)
