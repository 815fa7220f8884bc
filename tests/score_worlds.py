"""Small observational worlds with known truth, and the score road over them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import ScoreEffect
from cxcausal.core.score_queries import EffectQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad

OUTCOME = Measure(name="y", terms=(("y", 1.0),))
LINEAR = Recipe(outcome="linear", propensity="logistic", repeats=1)
_MANY = 400_000
"""Units over which a world's true effects are averaged."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One draw: covariates (n, p), the arm's place (n,), the outcome (n,) and clusters (n,) or None."""

    x: Floats
    arm: np.ndarray
    y: Floats
    cluster: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreWorld:
    """A world whose propensities and means are known.

    Attributes:
        name: of the setting. n: units. p: covariates. arms: how many.
        scores: covariates → linear predictors of the arms, shape (n, arms); propensities are their softmax.
        means: covariates → mean outcome in every arm, shape (n, arms).
        draw: mean of a unit's own arm, generator → outcome.
        clusters: how many; covariates and noise are then shared within them.
    """

    name: str
    scores: Callable[[Floats], Floats]
    means: Callable[[Floats], Floats]
    draw: Callable[[Floats, np.random.Generator], Floats]
    n: int = 1_000
    p: int = 4
    arms: int = 2
    clusters: int | None = None

    def sample(self, rng: np.random.Generator, n: int | None = None) -> Drawn:
        """Return one draw."""
        n = n or self.n
        x = rng.normal(size=(n, self.p))
        cluster = None
        if self.clusters is not None:
            cluster = rng.integers(0, self.clusters, n)
            x[:, 0] = 0.7 * rng.normal(size=self.clusters)[cluster] + 0.7 * x[:, 0]
        arm = chosen(self.shares(x), rng)
        mean = self.means(x)[np.arange(n), arm]
        y = self.draw(mean, rng)
        if cluster is not None:
            y = y + 0.5 * rng.normal(size=int(self.clusters or 1))[cluster]
        return Drawn(x=x, arm=arm, y=y, cluster=cluster)

    def shares(self, x: Floats) -> Floats:
        """Return the true propensities, shape (n, arms)."""
        exps = np.exp(self.scores(x))
        return np.asarray(exps / exps.sum(axis=1, keepdims=True))

    def truth(self, target: Target, treated: int = 1, control: int = 0) -> float:
        """Return the true effect of an arm against another in a target population."""
        x = np.random.default_rng(99).normal(size=(_MANY, self.p))
        shares, means = self.shares(x), self.means(x)
        h = {"ate": np.ones(_MANY), "att": shares[:, treated], "ato": 1 / (1 / shares).sum(axis=1)}[target]
        return float(np.average(means[:, treated] - means[:, control], weights=h))


def chosen(shares: Floats, rng: np.random.Generator) -> np.ndarray:
    """Return a place per row, drawn with the row's probabilities."""
    past = rng.random(len(shares))[:, None] > np.cumsum(shares, axis=1)
    return np.asarray(past.sum(axis=1), dtype=np.int8)


def road_of(drawn: Drawn, *, recipe: Recipe = LINEAR, arms: int = 2) -> ScoreRoad:
    """Return the score road over a draw; arms are named a0, a1, … and a0 is the control."""
    names = tuple(f"a{place}" for place in range(arms))
    columns = {f"x{place}": values for place, values in enumerate(drawn.x.T)}
    key = np.random.default_rng(7).integers(0, 2**63, len(drawn.y), dtype=np.uint64)
    clusters = {}
    if drawn.cluster is not None:
        ids = np.random.default_rng(8).integers(0, 2**63, int(drawn.cluster.max()) + 1, dtype=np.uint64)
        clusters = {"g": ids[drawn.cluster]}
    rows = Rows(arms=names, arm=drawn.arm, key=key, numbers={**columns, "y": drawn.y}, texts={}, clusters=clusters)
    nuisances = Nuisances(rows=rows, covariates=tuple(columns), recipe=recipe)
    return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=tuple((name, "a0") for name in names[1:]))


def effect_of(road: ScoreRoad, target: Target, treated: int = 1) -> ScoreEffect:
    """Return the outcome's effect of one arm against the first."""
    query = EffectQuery(measure=OUTCOME, target=target)
    answer = road.answer([query])[query]
    return answer.effects[f"a{treated}", "a0", ""]  # type: ignore[union-attr]


def _two(scale: float, shift: float = 0.0) -> Callable[[Floats], Floats]:
    return lambda x: np.column_stack([np.zeros(len(x)), shift + scale * (x[:, 0] - 0.7 * x[:, 1])])


def _linear(tau: float, vary: float) -> Callable[[Floats], Floats]:
    def means(x: Floats) -> Floats:
        base = x[:, 0] + 0.5 * x[:, 1] + 0.5 * x[:, 2]
        return np.column_stack([base, base + tau + vary * x[:, 0]])

    return means


def _share(base: float, effect: float) -> Callable[[Floats], Floats]:
    def means(x: Floats) -> Floats:
        low = base * (1 + 0.3 * np.tanh(x[:, 0]))
        return np.column_stack([low, low + effect * (1 + 0.5 * np.tanh(x[:, 1]))])

    return means


def _normal(mean: Floats, rng: np.random.Generator) -> Floats:
    return mean + rng.normal(size=len(mean))


def _coin(mean: Floats, rng: np.random.Generator) -> Floats:
    return (rng.random(len(mean)) < mean).astype(np.float64)


def _spend(mean: Floats, rng: np.random.Generator) -> Floats:
    """Return amounts that are zero for 70 % and log-normal for the rest, with the means asked for."""
    bought = rng.random(len(mean)) < 0.3
    return np.where(bought, mean / 0.3 * rng.lognormal(-0.32, 0.8, len(mean)), 0.0)


def _many(arms: int) -> Callable[[Floats], Floats]:
    def scores(x: Floats) -> Floats:
        return np.column_stack([0.4 * place * (x[:, 0] - x[:, 1]) / (arms - 1) for place in range(arms)])

    return scores


def _many_means(arms: int) -> Callable[[Floats], Floats]:
    def means(x: Floats) -> Floats:
        base = x[:, 0] + 0.5 * x[:, 1]
        return np.column_stack([base + 0.3 * place * (1 + x[:, 0]) for place in range(arms)])

    return means


def _positive(x: Floats) -> Floats:
    base = 20 + 4 * np.tanh(x[:, 0])
    return np.column_stack([base, base + 3 + 2 * np.tanh(x[:, 1])])


WORLDS: tuple[ScoreWorld, ...] = (
    ScoreWorld(name="half treated", scores=_two(0.5), means=_linear(1.0, 0.0), draw=_normal),
    ScoreWorld(name="a tenth treated", scores=_two(0.5, -2.3), means=_linear(1.0, 0.0), draw=_normal, n=2_000),
    ScoreWorld(name="strong heterogeneity", scores=_two(0.5), means=_linear(1.0, 2.0), draw=_normal),
    ScoreWorld(name="churn 2 %", scores=_two(0.4), means=_share(0.02, 0.01), draw=_coin, n=4_000),
    ScoreWorld(name="churn 20 %", scores=_two(0.5), means=_share(0.20, -0.05), draw=_coin),
    ScoreWorld(name="zero-inflated spend", scores=_two(0.4), means=_positive, draw=_spend, n=2_000),
    ScoreWorld(name="four arms", scores=_many(4), means=_many_means(4), draw=_normal, arms=4, n=2_000),
    ScoreWorld(name="200 clusters", scores=_two(0.5), means=_linear(1.0, 0.5), draw=_normal, clusters=200),
    ScoreWorld(name="20 clusters", scores=_two(0.5), means=_linear(1.0, 0.5), draw=_normal, clusters=20),
)
THREE_ARMS = ScoreWorld(name="three arms", scores=_many(3), means=_many_means(3), draw=_normal, arms=3, n=1_500)
