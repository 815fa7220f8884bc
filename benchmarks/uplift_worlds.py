"""Worlds in which every customer's effect is known: simulated ones, IHDP and ACIC 2016, drawn and split by seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.public_files import REPLICATIONS, Replication, files
from cxcausal.simulate import MomentsWorld, net_values_given
from cxcausal.simulate.moments_effects import UNIT_COSTS
from cxcausal.simulate.moments_people import ARMS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TESTED = 2_000
"""Customers whose effects are predicted, and from whom nothing is learned."""
_REAL_SPLITS = 6
_TRAINED_SHARE = 0.75
_MOMENTS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """One draw: n units to learn from, and m whose effects are to be told.

    Attributes:
        x, arm, y: of those to learn from, shapes (n, p), (n,) with 0 for the control, (n,).
        asked: covariates of those to tell of, shape (m, p). effect: theirs, shape (m, arms − 1).
        shares: of the arms where a coin was tossed, shape (arms,); None where it was not.
    """

    x: Floats
    arm: Ints
    y: Floats
    asked: Floats
    effect: Floats
    shares: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class World:
    """A world by name; `draw` gives the lesson of a draw's number."""

    name: str
    draw: Callable[[int], Lesson]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A simulated world: how covariates give means, effects, and the chance of being treated.

    Attributes:
        base, effect: of covariates (n, p), the control's mean and the effect on it, shape (n,) each.
        chance: of being treated, shape (n,), or a coin's share.
        outcome: from the mean (n,) to what happens.
        n, p: units and covariates.
    """

    base: Callable[[Floats], Floats]
    effect: Callable[[Floats], Floats]
    chance: Callable[[Floats], Floats] | float
    outcome: Callable[[Floats, np.random.Generator], Floats]
    n: int
    p: int

    def draw(self, name: str, seed: int) -> Lesson:
        """Return the lesson of a seed."""
        rng = np.random.default_rng([seed, self.n, self.p, *name.encode()])
        x, asked = rng.normal(size=(self.n, self.p)), rng.normal(size=(TESTED, self.p))
        tossed = isinstance(self.chance, float)
        chance = np.full(self.n, self.chance) if isinstance(self.chance, float) else self.chance(x)
        arm = (rng.random(self.n) < chance).astype(np.int64)
        y = self.outcome(self.base(x) + arm * self.effect(x), rng)
        shares = np.array([1 - chance[0], chance[0]]) if tossed else None
        return Lesson(x=x, arm=arm, y=y, asked=asked, effect=self.effect(asked)[:, None], shares=shares)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _normal(mean: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(mean + rng.normal(size=len(mean)))


def _share(mean: Floats, rng: np.random.Generator) -> Floats:
    return (rng.random(len(mean)) < mean).astype(np.float64)


def _spend(mean: Floats, rng: np.random.Generator) -> Floats:
    """Return amounts of which seven in ten are zero, with this mean."""
    buys = rng.random(len(mean)) < 0.3
    return np.where(buys, mean / 0.3 * rng.lognormal(-0.32, 0.8, len(mean)), 0.0)


def _friedman(x: Floats) -> Floats:
    """Return Friedman's function, of covariates that are made uniform (setup A of Nie & Wager 2021)."""
    u = _sigmoid(1.7 * x)
    bent = np.sin(np.pi * u[:, 0] * u[:, 1]) + 2 * (u[:, 2] - 0.5) ** 2 + u[:, 3] + 0.5 * u[:, 4]
    return np.asarray(bent)


def _thin(x: Floats) -> Floats:
    return np.clip(np.sin(np.pi * _sigmoid(1.7 * x[:, 0]) * _sigmoid(1.7 * x[:, 1])), 0.1, 0.9)


def _churn(x: Floats) -> Floats:
    return _sigmoid(-2.2 + 0.6 * x[:, 0] - 0.4 * x[:, 1])


def _kept(x: Floats) -> Floats:
    logit = -2.2 + 0.6 * x[:, 0] - 0.4 * x[:, 1]
    return _sigmoid(logit - 0.7 * (x[:, 2] > 0) + 0.4 * (x[:, 3] > 1)) - _sigmoid(logit)


def _constant(value: float, x: Floats) -> Floats:
    return np.full(len(x), value)


def _linear(x: Floats) -> Floats:
    return np.asarray(x[:, 0] + 0.5 * x[:, 1] - 0.5 * x[:, 2])


SIMULATED: dict[str, Drawn] = {
    "linear effect, coin": Drawn(
        base=_linear, effect=lambda x: 0.5 + 0.5 * x[:, 0] - 0.3 * x[:, 3], chance=0.5, outcome=_normal, n=1_000, p=10
    ),
    "linear effect, few units": Drawn(
        base=_linear, effect=lambda x: 0.5 + 0.5 * x[:, 0], chance=0.5, outcome=_normal, n=500, p=20
    ),
    "one of forty changes the effect": Drawn(
        base=_linear,
        effect=lambda x: np.asarray(x[:, 5] > 0, dtype=np.float64),
        chance=0.5,
        outcome=_normal,
        n=2_000,
        p=40,
    ),
    "steps": Drawn(
        base=_friedman,
        effect=lambda x: 1.0 * (x[:, 0] > 0) * (x[:, 1] > 0) - 0.5 * (x[:, 2] < -0.5),
        chance=0.5,
        outcome=_normal,
        n=4_000,
        p=10,
    ),
    "one effect for everybody": Drawn(
        base=_friedman, effect=partial(_constant, 0.5), chance=0.5, outcome=_normal, n=1_000, p=10
    ),
    "one effect, strong confounding": Drawn(
        base=lambda x: 2 * np.log1p(np.exp(x[:, 0] + x[:, 1] + x[:, 2])),
        effect=partial(_constant, 1.0),
        chance=lambda x: _sigmoid(x[:, 1] + x[:, 2]),
        outcome=_normal,
        n=2_000,
        p=12,
    ),
    "bent everything, confounded": Drawn(
        base=_friedman,
        effect=lambda x: 0.5 * (_sigmoid(1.7 * x[:, 0]) + _sigmoid(1.7 * x[:, 1])),
        chance=_thin,
        outcome=_normal,
        n=2_000,
        p=12,
    ),
    "smooth effect, coin": Drawn(
        base=lambda x: np.maximum(x[:, 0] + x[:, 1], x[:, 2]) + np.maximum(x[:, 3] + x[:, 4], 0),
        effect=lambda x: x[:, 0] + np.log1p(np.exp(x[:, 1])),
        chance=0.5,
        outcome=_normal,
        n=2_000,
        p=12,
    ),
    "85 to 15": Drawn(
        base=_friedman, effect=lambda x: 0.3 + 0.6 * np.tanh(x[:, 1]), chance=0.15, outcome=_normal, n=5_000, p=12
    ),
    "churn": Drawn(base=_churn, effect=_kept, chance=0.5, outcome=_share, n=5_000, p=12),
    "spend with zeros": Drawn(
        base=lambda x: 10 * np.exp(0.4 * np.tanh(x[:, 0] + x[:, 1])),
        effect=lambda x: 2.0 + 2.0 * np.tanh(x[:, 1]) * (x[:, 2] > 0),
        chance=0.5,
        outcome=_spend,
        n=5_000,
        p=12,
    ),
}


def _moments(seed: int) -> Lesson:
    """Return three arms, categories as indicators, and money that is mostly zero or lost."""
    columns = MomentsWorld(n=_MOMENTS + TESTED, seed=seed + 1).draw().columns
    texts = [np.unique(columns[name], return_inverse=True)[1] for name in ("intent", "tier", "touchpoint", "age_band")]
    dummies = [(codes == level).astype(np.float64) for codes in texts for level in range(1, codes.max() + 1)]
    names = ("tenure_months", "contacts_prev_90d", "self_service_share", "sentiment_before", "margin_prev_90d")
    x = np.column_stack([*(columns[name].astype(np.float64) for name in names), columns["marketing_opt_out"], *dummies])
    arm = np.array([ARMS.index(str(one)) for one in columns["arm"].tolist()])
    y = columns["margin_90d"] - 240.0 * columns["churned_90d"] - UNIT_COSTS[arm]
    values = net_values_given(columns)
    few = slice(TESTED, None)
    return Lesson(
        x=x[few],
        arm=arm[few],
        y=y[few],
        asked=x[:TESTED],
        effect=(values[:, 1:] - values[:, :1])[:TESTED],
        shares=np.full(len(ARMS), 1 / len(ARMS)),
    )


def _split(x: Floats, arm: Ints, y: Floats, effect: Floats, seed: int) -> Lesson:
    order = np.random.default_rng([seed, len(y)]).permutation(len(y))
    train, test = np.split(order, [int(_TRAINED_SHARE * len(y))])
    return Lesson(x=x[train], arm=arm[train], y=y[train], asked=x[test], effect=effect[test][:, None])


def _of_file(replication: Callable[[int], Replication], draw: int) -> Lesson:
    units = replication(draw % REPLICATIONS)
    return _split(units.x, units.arm, units.y, units.effect, draw)


def worlds() -> Iterator[World]:
    """Yield every world; those of public data only where the data are."""
    for name, drawn in SIMULATED.items():
        yield World(name=name, draw=partial(drawn.draw, name))
    yield World(name="moments of truth, three arms", draw=_moments)
    for name, replication in files():
        yield World(name=name, draw=partial(_of_file, replication))
