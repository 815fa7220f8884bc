"""Worlds with a hidden confounder of known strength: do the bounds at that strength hold the truth?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from scipy.stats import norm

from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import Sensitivity
from cxcausal.core.score_queries import TARGETS, SensitivityQuery, Target
from cxcausal.nuisance.crossfit import Recipe
from cxcausal.scoring.potential import tilt_of
from cxcausal.stats.omitted import Bounded, strength_of
from tests.scoring.given import LINEAR, Y, road_of, rows_of
from tests.validation.engine import Band, Row, rng_of

ASKED = 500
UNITS = 1_500
LEVEL = 0.95
HELD = Band(low=0.93, high=1.0)
SIGMAS = 4
_LIMIT = 400_000
"""Units from which strengths and truths are taken, by their closed forms given covariates."""
BOOSTED = Recipe(outcome="lightgbm", propensity="lightgbm", folds=3, repeats=1)

Generator = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class World:
    """A hidden coin U = ±1 that moves arm and outcome.

    Attributes:
        logit: of being treated by the covariates, without U. base: the outcome without treatment and U.
        effect: of the treatment, by the covariates. on_arm, on_outcome: of U, on the logit and on the outcome.
    """

    name: str
    logit: Callable[[Floats], Floats]
    base: Callable[[Floats], Floats]
    effect: Callable[[Floats], Floats]
    on_arm: float
    on_outcome: float
    recipe: Recipe = LINEAR

    def chances(self, x: Floats) -> Floats:
        """Return the chance of treatment where U is −1 and where it is 1, shape (n, 2)."""
        return np.asarray(1 / (1 + np.exp(-self.logit(x)[:, None] - self.on_arm * np.array([-1.0, 1.0]))))

    def draw(self, rng: Generator, n: int) -> tuple[Floats, Floats, Floats]:
        """Return covariates of shape (n, 3), arms and outcomes of shape (n,)."""
        x, u = rng.normal(size=(n, 3)), rng.integers(0, 2, n)
        d = (rng.random(n) < self.chances(x)[np.arange(n), u]).astype(np.float64)
        y = self.base(x) + d * self.effect(x) + self.on_outcome * (2 * u - 1) + rng.normal(size=n)
        return x, d, y


@dataclass(frozen=True, kw_only=True)
class Strength:
    """The truth in one target population, the hidden confounder's strengths, and the bound's use of them (ρ)."""

    truth: float
    outcome: float
    treatment: float
    rho: float


def _curved(x: Floats) -> Floats:
    return np.asarray(np.sin(2 * x[:, 0]) + 0.5 * (x[:, 1] > 0) * x[:, 2])


WORLDS = (
    World(
        name="linear",
        logit=lambda x: 0.5 * x[:, 0] - 0.3 * x[:, 1],
        base=lambda x: x[:, 0] + 0.5 * x[:, 2],
        effect=lambda x: 0.5 + 0 * x[:, 0],
        on_arm=0.5,
        on_outcome=0.6,
    ),
    World(
        name="linear, stronger, heterogeneous effects",
        logit=lambda x: -0.5 + 0.5 * x[:, 0],
        base=lambda x: x[:, 0] + 0.5 * x[:, 2],
        effect=lambda x: 0.5 + 0.5 * x[:, 1],
        on_arm=0.9,
        on_outcome=-1.0,
    ),
    World(
        name="nonlinear, boosted nuisances",
        logit=lambda x: 0.6 * _curved(x),
        base=lambda x: _curved(x) + 0.5 * x[:, 2],
        effect=lambda x: np.where(x[:, 1] > 0, 0.8, 0.5),
        on_arm=0.5,
        on_outcome=0.6,
        recipe=BOOSTED,
    ),
)


@cache
def strength_in(world: World, target: Target) -> Strength:
    """Return a world's truth and strengths in the limit.

    Given covariates all expectations over U, arm and outcome are sums; over covariates they are means of many draws.
    """
    x = rng_of("limit", world.name).normal(size=(_LIMIT, 3))
    chance = world.chances(x)
    short = chance.mean(axis=1)
    shares = np.column_stack([1 - short, short])
    nobody = np.zeros(_LIMIT, dtype=np.int8)
    h = tilt_of(target, shares, nobody, 1, np.ones(_LIMIT)).h
    # By arm and U: their joint probability, the mean of U given the arm, and the weights with and without U.
    long_size = short_size = gap = both = 0.0
    for arm, sign in ((1, 1.0), (0, -1.0)):
        by_u = chance if arm else 1 - chance
        mean_u = (by_u[:, 1] - by_u[:, 0]) / by_u.sum(axis=1)
        for u in (0, 1):
            joint = by_u[:, u] / 2
            alpha, alpha_short = sign * h / by_u[:, u], sign * h / shares[:, arm]
            residual = world.on_outcome * ((2 * u - 1) - mean_u)
            long_size += float(np.mean(joint * alpha**2))
            short_size += float(np.mean(joint * alpha_short**2))
            gap += float(np.mean(joint * residual**2))
            both += float(np.mean(joint * residual * (alpha - alpha_short)))
    return Strength(
        truth=float(np.average(world.effect(x), weights=h)),
        outcome=gap / (gap + 1.0),
        treatment=1 - short_size / long_size,
        rho=abs(both) / sqrt(gap * (long_size - short_size)),
    )


def hidden(reps: int | None = None) -> Iterator[Row]:
    """Hold the truth within the bounds at the hidden confounder's own strength; without bounds it is missed."""
    runs = reps or ASKED
    slack = 0.0 if runs >= ASKED else SIGMAS * 0.22 / sqrt(runs)
    for world in WORLDS if reps is None else WORLDS[:2]:
        rng = rng_of("hidden", world.name)
        drawn = [_answers(world, rng) for _ in range(runs)]
        yield from (_row(world, target, [each[target] for each in drawn], slack) for target in TARGETS)


def _answers(world: World, rng: Generator) -> dict[Target, Sensitivity]:
    x, d, y = world.draw(rng, UNITS)
    rows = rows_of(d, {"y": y, **{f"x{place}": x[:, place] for place in range(3)}})
    road = road_of(rows, ("x0", "x1", "x2"), world.recipe)
    queries = {target: SensitivityQuery(measure=Y, target=target, alpha=1 - LEVEL) for target in TARGETS}
    answers: Any = road.answer(list(queries.values()))
    return {target: answers[query].found["t", "c"] for target, query in queries.items()}


def _row(world: World, target: Target, found: list[Sensitivity], slack: float) -> Row:
    known = strength_in(world, target)
    strength, quantile = strength_of(known.outcome, known.treatment), float(norm.ppf(0.5 + LEVEL / 2))
    held = float(np.mean([_holds(each, known.truth, strength, quantile) for each in found]))
    edge = float(np.mean([_holds(each, known.truth, known.rho * strength, quantile) for each in found]))
    naive = float(np.mean([_holds(each, known.truth, 0.0, quantile) for each in found]))
    strengths = f"R² {known.outcome:.3f} with the outcome, {known.treatment:.3f} with the weights, ρ {known.rho:.2f}"
    return Row(
        bar="hidden",
        setting=f"{world.name}, {target}: {strengths}",
        target=f"bounds' interval holds the truth {HELD}, also at its own ρ, the effect's own < 0.9",
        measured=f"{held:.4f}, at its own ρ {edge:.4f}, the effect's own {naive:.4f}",
        reps=len(found),
        passed=HELD.widened(slack).holds(held) and HELD.widened(slack).holds(edge) and naive < 0.9,
    )


def _holds(found: Sensitivity, truth: float, strength: float, quantile: float) -> bool:
    assert found.reason is None, found.reason
    bounded = Bounded(
        point=found.point,
        se=found.se,
        scale=found.scale,
        scale_se=found.scale_se,
        covariance=found.scale_covariance,
    )
    low, high = bounded.interval(strength, quantile)
    return low <= truth <= high
