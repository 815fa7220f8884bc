"""V5: adjusted effects whose nuisances are learned by machines, in worlds of known truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxcausal.core.hashing import mixed
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import ScoreEffects
from cxcausal.core.score_queries import EffectQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.difference import Difference
from tests.validation.engine import Band, Row, rng_of

COVERAGE = Band(low=0.92, high=0.985)
BIAS = 0.25
Y = Measure(name="y", terms=(("y", 1.0),))
COVARIATES = tuple(f"x{place}" for place in range(5))
_MANY = 1_000_000
SIGMAS = 4


@dataclass(frozen=True, kw_only=True)
class LearnedWorld:
    """Customers whose treatment and outcome follow the same five covariates, bent and crossed.

    Attributes:
        name: of the setting. learner: of both nuisances. n: customers. shape: of the outcome.
        folds, repeats: of the splits.
        held: to the bar; else what comes is only told.
    """

    name: str
    learner: str
    n: int = 1_000
    shape: Literal["smooth", "zeros"] = "smooth"
    folds: int = 5
    repeats: int = 1
    held: bool = True

    def rows(self, rng: np.random.Generator, n: int) -> tuple[Rows, Floats, Floats]:
        """Return n customers, with each one's propensity and effect, shape (n,)."""
        x = rng.normal(size=(n, len(COVARIATES)))
        chance = 1 / (1 + np.exp(-0.6 * x[:, 0] + 0.5 * x[:, 1] - 0.3 * x[:, 0] * x[:, 2]))
        arm = (rng.random(n) < chance).astype(np.int8)
        y, effect = self._outcomes(rng, x, arm.astype(np.float64))
        numbers = {name: x[:, place] for place, name in enumerate(COVARIATES)} | {"y": y}
        key = mixed(np.arange(n, dtype=np.uint64), 11)
        rows = Rows(arms=("none", "call"), arm=arm, key=key, numbers=numbers, texts={}, clusters={})
        return rows, chance, effect

    def _outcomes(self, rng: np.random.Generator, x: Floats, arm: Floats) -> tuple[Floats, Floats]:
        if self.shape == "smooth":
            effect = 1 + 0.5 * x[:, 0]
            base = x[:, 0] + 0.5 * x[:, 1] ** 2 + np.sin(x[:, 2])
            return base + arm * effect + rng.normal(size=len(x)), effect
        # 85 % zeros, and tails as heavy as those of spend: a lognormal with deviation 1.2.
        tail, base = np.exp(1.2**2 / 2), np.exp(0.3 * x[:, 0])
        chances = [1 / (1 + np.exp(1.95 - 0.5 * x[:, 0] + 0.4 * x[:, 1] - 0.3 * given)) for given in (0, 1)]
        amounts = 10 * base * np.exp(1.2 * rng.normal(size=len(x)))
        bought = rng.random(len(x)) < np.where(arm == 1, chances[1], chances[0])
        return np.where(bought, amounts, 0.0), 10 * base * tail * (chances[1] - chances[0])

    def truths(self) -> dict[Target, float]:
        """Return the effects on everybody and on the overlap, of very many customers."""
        _, chance, effect = self.rows(rng_of("V5", f"truth of {self.shape}"), _MANY)
        overlap = chance * (1 - chance)
        return {"ate": float(effect.mean()), "ato": float((overlap * effect).sum() / overlap.sum())}

    def found(self, rng: np.random.Generator) -> dict[Target, Difference]:
        """Return one draw's effects."""
        rows, _, _ = self.rows(rng, self.n)
        recipe = Recipe(outcome=self.learner, propensity=self.learner, folds=self.folds, repeats=self.repeats)
        made = Nuisances(rows=rows, covariates=COVARIATES, recipe=recipe)
        road = ScoreRoad(rows=rows, nuisances=made, contrasts=(("call", "none"),))
        targets: tuple[Target, ...] = ("ate", "ato")
        queries = {target: EffectQuery(measure=Y, target=target) for target in targets}
        answers = road.answer(tuple(queries.values()))
        return {target: _difference(answers[query]) for target, query in queries.items()}


def _difference(answer: object) -> Difference:
    assert isinstance(answer, ScoreEffects)
    effect = answer.effects["call", "none", ""]
    assert effect.reason is None, effect.reason
    return Difference(
        mean_treated=effect.mean[0],
        mean_control=effect.mean[1],
        var_treated=float(effect.covariance[0, 0]),
        var_control=float(effect.covariance[1, 1]),
        covariance=float(effect.covariance[0, 1]),
        df=effect.df,
    )


WORLDS = (
    LearnedWorld(name="a stack of a plane and boosted trees", learner="stacked"),
    # Trees alone leave about a third of a standard error of bias at this size: that is why they are not the default.
    LearnedWorld(name="boosted trees alone", learner="lightgbm", held=False),
)


def v5(reps: int | None = None) -> Iterator[Row]:
    """Cover the truth with learned nuisances, without bias to speak of."""
    for world in WORLDS:
        yield from learned_rows(world, reps or 1_000)


def learned_rows(world: LearnedWorld, runs: int) -> Iterator[Row]:
    """Yield one row per target population."""
    rng, truths = rng_of("V5", world.name), world.truths()
    found = [world.found(rng) for _ in range(runs)]
    noise = 0.0 if runs >= 1_000 else float(SIGMAS / np.sqrt(runs))
    for target, truth in truths.items():
        told = [one[target] for one in found]
        limits = [one.interval(0.95) for one in told]
        coverage = float(np.mean([limit.low <= truth <= limit.high for limit in limits]))
        errors, se = np.array([one.point for one in told]) - truth, float(np.mean([one.se for one in told]))
        bias, spread = float(errors.mean()) / se, se / float(errors.std(ddof=1))
        yield Row(
            bar="V5",
            setting=f"{world.name}, {target.upper()}, {world.n:,} customers",
            target=f"coverage {COVERAGE}, |bias| ≤ {BIAS} SE" if world.held else "only told",
            measured=f"coverage {coverage:.4f}, bias {bias:+.3f} SE, SE/sd {spread:.4f}",
            reps=runs,
            passed=not world.held
            or (COVERAGE.widened(0.22 * noise).holds(coverage) and bool(abs(bias) <= BIAS + noise)),
        )
