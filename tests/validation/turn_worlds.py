"""Worlds in which effects differ or don't, and a cheap learner of its own that learns them in turns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cxcausal.core.held_out import Aim, HeldOut, Side, Turn
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Rows
from tests.twins import Values

Generator = np.random.Generator
BLOCKS = 6
RIDGE = 1.0
AIM = Aim(name="y", label="y", unit="", measure=Measure(name="y", terms=(("y", 1.0),)), sign=1)


@dataclass(frozen=True, kw_only=True)
class TurnWorld:
    """A randomised experiment with five covariates, of which the first two act on the outcome.

    Attributes:
        name: of the setting. n: customers. shares: of the arms, the control first.
        effect: of every arm, on average. apart: how much it grows with the third covariate.
        prognostic: how strongly covariates act. rate: of a binary outcome; None where it is continuous.
        household: customers per cluster, who share an arm and a part of the outcome.
        learner: `ridge` predicts by a quadratic in the covariates, `stump` by the better half of one covariate.
        intraclass: correlation of outcomes in a household, beyond covariates.
        folds: whether each block is judged by what all others teach, as is usual, and wrong for tests.
    """

    name: str
    n: int = 2_400
    shares: tuple[float, ...] = (0.5, 0.5)
    effect: float = 0.0
    apart: float = 0.0
    prognostic: float = 0.0
    rate: float | None = None
    household: int = 1
    learner: str = "ridge"
    intraclass: float = 0.3
    folds: bool = False

    @property
    def arms(self) -> tuple[str, ...]:
        return ("c", "t", "s")[: len(self.shares)]

    def held(self, rng: Generator) -> HeldOut:
        """Draw an experiment and learn in turns."""
        return held_of(self, *self.draw(rng), rng)

    def draw(self, rng: Generator) -> tuple[Values, Values, Values, Values]:
        """Return covariates, arm, outcome and household of every customer."""
        homes = self.n // self.household
        home = np.repeat(np.arange(homes), self.household)
        x = rng.normal(size=(self.n, 5))
        arm = rng.choice(len(self.shares), size=homes, p=self.shares)[home]
        shared = np.sqrt(self.intraclass) * rng.normal(size=homes)[home] if self.household > 1 else np.zeros(self.n)
        base = self.prognostic * (x[:, 0] + x[:, 1] * (x[:, 1] > 0)) + shared
        gain = (arm > 0) * self.tau(x)
        if self.rate is None:
            return x, arm, base + gain + rng.normal(size=self.n), home
        chance = np.clip(self.rate * np.exp(0.5 * base - 0.125 * (base**2).mean()) + gain, 0.0, 1.0)
        return x, arm, (rng.random(self.n) < chance).astype(float), home

    def tau(self, x: Values) -> Values:
        """Return the effect on every customer, the same for each arm."""
        return np.asarray(self.effect + self.apart * x[:, 2])


def held_of(world: TurnWorld, x: Values, arm: Values, y: Values, home: Values, rng: Generator) -> HeldOut:
    """Learn in turns what the arms gain, and judge it: blocks whole by household."""
    block = rng.permutation(np.arange(int(home.max()) + 1) % BLOCKS)[home]
    learn = _Learner(world=world, x=_quadratic(x), arm=arm, y=y)
    before = {k: block != k if world.folds else block < k for k in range(0 if world.folds else 2, BLOCKS)}
    turns = tuple(learn.turn(np.flatnonzero(own), np.flatnonzero(block == k)) for k, own in before.items())
    keys = home.astype(np.uint64)
    rows = Rows(
        arms=world.arms,
        arm=arm.astype(np.int8),
        key=np.arange(len(arm), dtype=np.uint64),
        numbers={},
        texts={},
        clusters={"home": keys} if world.household > 1 else {},
    )
    return HeldOut(aim=AIM, rows=rows, turns=turns, half=turns[-1], weight=np.ones(len(arm)))


def with_customers(world: TurnWorld, rng: Generator, fresh: int) -> tuple[HeldOut, list[Values], Values]:
    """Draw an experiment, and say what each turn's model predicts of so many fresh customers, and what they gain."""
    x, arm, y, home = world.draw(rng)
    held, new = held_of(world, x, arm, y, home, rng), rng.normal(size=(fresh, 5))
    every = _Learner(world=world, x=np.concatenate([_quadratic(x), _quadratic(new)]), arm=arm, y=y)
    places = np.arange(world.n, world.n + fresh)
    predicted = [every.gains(turn.learned.units, turn.learned.scores, places)[:, 1] for turn in held.turns]
    return held, predicted, world.tau(new)


@dataclass(frozen=True, kw_only=True)
class _Learner:
    world: TurnWorld
    x: Values
    arm: Values
    y: Values

    def turn(self, learn: Values, judge: Values) -> Turn:
        """Score the learned units by two folds of them, and the judged ones by models of all learned units."""
        folds = np.arange(len(learn)) % 2
        scores = np.empty((len(learn), len(self.world.shares)))
        for fold in (0, 1):
            scores[folds == fold] = self._scores(learn[folds != fold], learn[folds == fold])
        own, others = self.gains(learn, scores, learn), self.gains(learn, scores, judge)
        return Turn(learned=_side(learn, scores, own), judged=_side(judge, self._scores(learn, judge), others))

    def gains(self, learn: Values, scores: Values, judge: Values) -> Values:
        """Predict what arms gain by what was learned of others."""
        return (self._stump if self.world.learner == "stump" else self._ridge)(learn, scores, judge)

    def _scores(self, learn: Values, judge: Values) -> Values:
        found = np.empty((len(judge), len(self.world.shares)))
        for place, share in enumerate(self.world.shares):
            own = learn[self.arm[learn] == place]
            mean = _ridge(self.x[own], self.y[own], self.x[judge])
            found[:, place] = mean + (self.arm[judge] == place) / share * (self.y[judge] - mean)
        return found

    def _ridge(self, learn: Values, scores: Values, judge: Values) -> Values:
        gains = [_ridge(self.x[learn], own - scores[:, 0], self.x[judge]) for own in scores.T]
        return np.column_stack([0 * gains[0], *gains[1:]])

    def _stump(self, learn: Values, scores: Values, judge: Values) -> Values:
        above, found = self.x[learn][:, :5] > 0, np.zeros((len(judge), scores.shape[1]))
        for place in range(1, scores.shape[1]):
            gain = scores[:, place] - scores[:, 0]
            means = [(gain[~side].mean(), gain[side].mean()) for side in above.T]
            best = int(np.argmax([abs(high - low) for low, high in means]))
            found[:, place] = np.where(self.x[judge, best] > 0, means[best][1], means[best][0])
        return found


def _side(units: Values, scores: Values, gains: Values) -> Side:
    return Side(units=units.astype(np.intp), scores=scores, gains=gains, means=gains)


def _quadratic(x: Values) -> Values:
    return np.column_stack([x, x**2 - 1, x[:, :1] * x[:, 1:2]])


def _ridge(x: Values, y: Values, new: Values) -> Values:
    centre, mean = x.mean(axis=0), y.mean()
    away = x - centre
    slopes = np.linalg.solve(away.T @ away + RIDGE * np.eye(x.shape[1]), away.T @ (y - mean))
    return np.asarray(mean + (new - centre) @ slopes)


def held_outs(world: TurnWorld, rng: Generator, runs: int) -> Iterator[HeldOut]:
    """Yield so many experiments, learned in turns."""
    for _ in range(runs):
        yield world.held(rng)
