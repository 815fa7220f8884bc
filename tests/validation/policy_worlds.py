"""Worlds with known effects of contact, and turns made of them by a cheap learner: a ridge regression per arm."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import Aim, HeldOut, Rules, Side, Spending, Turn
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows, Text

ARMS = ("none", "bot", "agent")
BLOCKS, INNER = 6, 3
MODIFIERS = ("tenure", "risk", "age", "intent")
INTENTS = ("cancel", "billing", "other")


@dataclass(frozen=True, kw_only=True)
class World:
    """Customers with tenure, risk and age from 0 to 1 and an intent; arms with costs; effects known exactly.

    Attributes:
        gains: (tenure, risk, intent) → the expected gain of every arm, shape (n, arms), the control's 0.
        shares: of the arms. clusters: customers per household; 1 where they are independent.
        binary: whether the outcome is 0 or 1. noise: its standard deviation otherwise.
    """

    name: str
    gains: Callable[[Floats, Floats, npt.NDArray[np.intp]], Floats]
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    clusters: int = 1
    binary: bool = False
    noise: float = 1.0

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms."""
        return ARMS[: len(self.shares)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """A draw of a world: its rows, features, outcomes, and the expected gain of every arm, shape (n, arms)."""

    world: World
    rows: Rows
    features: Floats
    y: Floats
    gains: Floats
    block: npt.NDArray[np.intp]
    weight: Floats

    @property
    def rules(self) -> Rules:
        """Everybody may be contacted, and those at risk are given the last arm today."""
        risky = self.rows.numbers["risk"] > 0.7
        current = np.where(risky, len(self.rows.arms) - 1, 0).astype(np.int8)
        return Rules(eligible=np.ones(self.rows.n, dtype=bool), current=current)


def spending(world: World, budget: float | None = None, capacity: tuple[tuple[str, float], ...] = ()) -> Spending:
    """Return costs of a quarter for the bot, of one for the agent."""
    return Spending(cost=np.array([0.0, 0.25, 1.0])[: len(world.arms)], budget=budget, capacity=capacity, priced=True)


def drawn(world: World, rng: np.random.Generator, n: int, elsewhere: int = 0) -> Drawn:
    """Return customers of a world, the last `elsewhere` of n of whom no turn learns from or judges."""
    house = np.arange(n) // world.clusters
    tenure, risk, age = rng.random((3, n))
    if world.clusters > 1:
        tenure, risk = (values[house * world.clusters] for values in (tenure, risk))
    intent = rng.choice(len(INTENTS), n, p=[0.25, 0.35, 0.4])
    arm = rng.choice(len(world.shares), house[-1] + 1, p=world.shares)[house]
    gains = world.gains(tenure, risk, intent)
    base = 0.4 - 0.3 * risk if world.binary else 2.0 * (1 - risk) + 0.5 * tenure
    mean = base + gains[np.arange(n), arm]
    shared = rng.normal(size=house[-1] + 1)[house] * (0.5 if world.clusters > 1 else 0.0)
    y = (rng.random(n) < mean).astype(float) if world.binary else mean + shared + world.noise * rng.normal(size=n)
    key = house.astype(np.uint64)
    rows = Rows(
        arms=world.arms,
        arm=arm.astype(np.int8),
        key=key,
        numbers={"tenure": tenure, "risk": risk, "age": age},
        texts={"intent": Text(codes=intent.astype(np.int32), levels=INTENTS)},
        clusters={"house": key} if world.clusters > 1 else {},
    )
    block = rng.integers(0, BLOCKS, house[-1] + 1)[house]
    block[n - elsewhere :] = BLOCKS
    features = _features(tenure, risk, age, intent)
    return Drawn(world=world, rows=rows, features=features, y=y, gains=gains, block=block, weight=np.ones(n))


def _features(tenure: Floats, risk: Floats, age: Floats, intent: npt.NDArray[np.intp]) -> Floats:
    main = np.column_stack([tenure - 0.5, risk - 0.5, age - 0.5, intent == 0, intent == 1]).astype(float)
    products = [main[:, a] * main[:, b] for a in range(5) for b in range(a, 5) if a < 3]
    return np.column_stack([np.ones(len(main)), main, *products])


def held_out(found: Drawn) -> HeldOut:
    """Return the turns of a draw, as the design has them: each learns from all blocks before the one it judges."""
    turns = tuple(_turn(found, found.block < later, found.block == later) for later in range(2, BLOCKS))
    half = _turn(found, found.block < BLOCKS // 2, (found.block >= BLOCKS // 2) & (found.block < BLOCKS))
    measure = Measure(name="net_value", terms=(("y", 1.0),))
    aim = Aim(
        name="net_value", label="Net value", unit="EUR", measure=measure, sign=1, costs=True, binary=found.world.binary
    )
    return HeldOut(aim=aim, rows=found.rows, turns=turns, half=half, weight=found.weight)


def elsewhere_of(found: Drawn) -> tuple[Side, ...]:
    """Return what each turn's models predict for the customers whom no turn learns from or judges."""
    units = np.flatnonzero(found.block == BLOCKS)
    return tuple(_predicted(found, np.flatnonzero(found.block < later), units) for later in range(2, BLOCKS))


def naive_held_out(found: Drawn) -> HeldOut:
    """Return one turn that judges whom it learned from, on the scores that it learned from: how not to do it."""
    units = np.flatnonzero(found.block < BLOCKS)
    whole = _predicted(found, units, units)
    side = Side(
        units=units, scores=whole.scores, gains=_fit_scores(found.features[units], whole.scores), means=whole.means
    )
    turn = Turn(learned=side, judged=side)
    return HeldOut(aim=held_out(found).aim, rows=found.rows, turns=(turn,), half=turn, weight=found.weight)


def _fit_scores(features: Floats, scores: Floats) -> Floats:
    """Regress the scores' differences on features: the gains are fitted to the scores that will judge them."""
    effects = scores - scores[:, :1]
    return np.asarray(features @ np.linalg.lstsq(features, effects, rcond=None)[0])


def _turn(found: Drawn, learn: npt.NDArray[np.bool_], judge: npt.NDArray[np.bool_]) -> Turn:
    units, judged = np.flatnonzero(learn), np.flatnonzero(judge)
    fold = found.rows.key[units] % np.uint64(INNER)
    parts = [_predicted(found, units[fold != part], units[fold == part]) for part in range(INNER)]
    order = np.argsort(np.concatenate([part.units for part in parts]))
    learned = Side(
        units=units,
        scores=np.concatenate([part.scores for part in parts])[order],
        gains=np.concatenate([part.gains for part in parts])[order],
        means=np.concatenate([part.means for part in parts])[order],
    )
    return Turn(learned=learned, judged=_predicted(found, units, judged))


def _predicted(found: Drawn, train: npt.NDArray[np.intp], units: npt.NDArray[np.intp]) -> Side:
    arms, shares = len(found.rows.arms), np.array(found.world.shares)
    x, arm = found.features, found.rows.arm
    means = np.column_stack(
        [_ridge(x[own], found.y[own], x[units]) for own in (train[arm[train] == a] for a in range(arms))]
    )
    scores = means.copy()
    at = np.arange(len(units))
    own = arm[units]
    scores[at, own] += (found.y[units] - means[at, own]) / shares[own]
    return Side(units=units, scores=scores, gains=means - means[:, :1], means=means)


def _ridge(x: Floats, y: Floats, ahead: Floats, penalty: float = 10.0) -> Floats:
    centre, mid = x.mean(axis=0), y.mean()
    gram = (x - centre).T @ (x - centre) + penalty * np.eye(x.shape[1])
    slope = np.linalg.solve(gram, (x - centre).T @ (y - mid))
    return np.asarray(mid + (ahead - centre) @ slope)


def _flat(*gains: float) -> Callable[[Floats, Floats, npt.NDArray[np.intp]], Floats]:
    return lambda tenure, _risk, _intent: np.tile(np.array([0.0, *gains]), (len(tenure), 1))


def _harming(tenure: Floats, risk: Floats, intent: npt.NDArray[np.intp]) -> Floats:
    """Contact helps those at risk and reminds satisfied newcomers to leave; the agent is needed to cancel."""
    newcomer = (tenure < 0.3) & (risk < 0.5)
    bot = 0.2 + 0.4 * (risk - 0.5) - 0.9 * newcomer
    agent = 0.2 + 1.2 * (risk - 0.5) + 0.8 * (intent == 0) - 1.2 * newcomer - 0.2
    return np.column_stack([np.zeros_like(tenure), bot, agent])


NULLS = (
    World(name="no effect", gains=_flat(0.0, 0.0)),
    World(name="one effect for all, arms alike", gains=_flat(0.15, 0.15)),
    World(name="one effect for all, one arm better", gains=_flat(0.05, 0.2), shares=(0.7, 0.15, 0.15)),
    World(name="one small effect, households of 4", gains=_flat(0.05), shares=(0.5, 0.5), clusters=4),
)
HARMED = World(name="contact harms some", gains=_harming)
HARMED_HOMES = World(name="contact harms some, households of 4", gains=_harming, clusters=4)
YES_OR_NO = World(
    name="yes or no",
    gains=lambda _tenure, risk, _intent: np.column_stack([np.zeros_like(risk), 0.15 * (risk - 0.3)]),
    shares=(0.8, 0.2),
    binary=True,
)
