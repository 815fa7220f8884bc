"""Small worlds in which effects differ between customers, with the true gain of each."""

from dataclasses import dataclass, replace

import numpy as np

from cxcausal.core.hashing import mixed
from cxcausal.core.held_out import Aim, HeldOut
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.heterogeneity.turning import held_out
from cxcausal.nuisance.crossfit import Nuisances, Recipe

AIM = Aim(name="y", label="outcome", unit="per customer", measure=Measure(name="y", terms=(("y", 1.0),)), sign=1)
LINEAR = Recipe(outcome="linear", propensity="logistic", repeats=1)


@dataclass(frozen=True, kw_only=True)
class World:
    """Units, the true gain of every arm of shape (n, arms), and the coin; None where nobody tossed one."""

    rows: Rows
    gains: Floats
    known: tuple[float, ...] | None
    covariates: tuple[str, ...] = ("x", "z")

    def nuisances(self, recipe: Recipe = LINEAR, weight: Floats | None = None) -> Nuisances:
        return Nuisances(rows=self.rows, covariates=self.covariates, recipe=recipe, known=self.known, weight=weight)


def trial(n: int, *, seed: int = 1, arms: int = 2, chosen: bool = False, slope: float = 0.7) -> World:
    """Return a trial whose first arm gains .5 + slope·x, the second .2·z; with `chosen`, x decides who is contacted."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    gains = np.column_stack([np.zeros(n), 0.5 + slope * x, 0.2 * z])[:, :arms]
    lean = np.column_stack([0.7 * place * x for place in range(arms)]) if chosen else np.zeros((n, arms))
    arm = (lean + rng.gumbel(size=(n, arms))).argmax(axis=1)
    y = x + z + gains[np.arange(n), arm] + rng.normal(size=n)
    rows = Rows(
        arms=("none", "call", "mail")[:arms],
        arm=arm.astype(np.int8),
        key=mixed(np.arange(n, dtype=np.uint64), 5) % np.uint64(1024),
        numbers={"x": x, "z": z, "y": y},
        texts={},
        clusters={},
    )
    return World(rows=rows, gains=gains, known=None if chosen else (1 / arms,) * arms)


def with_numbers(world: World, **numbers: Floats) -> World:
    return replace(world, rows=replace(world.rows, numbers={**world.rows.numbers, **numbers}))


def told(
    world: World,
    *,
    recipe: Recipe = LINEAR,
    aim: Aim = AIM,
    learners: tuple[str, ...] = ("t", "dr"),
    modifiers: tuple[str, ...] = ("x", "z"),
    weight: Floats | None = None,
) -> HeldOut:
    return held_out(
        world.rows,
        aim,
        modifiers=modifiers,
        nuisances=world.nuisances(recipe),
        eligible=np.ones(world.rows.n, dtype=bool),
        weight=np.ones(world.rows.n) if weight is None else weight,
        learners=learners,
    )
