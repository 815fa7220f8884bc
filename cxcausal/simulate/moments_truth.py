"""What a perfect analysis of the moments world would say: effects, whom contact harms, and what policies are worth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.simulate.moments_effects import UNIT_COSTS, Happened, chances, net_values
from cxcausal.simulate.moments_oracle import by_lot, oracle
from cxcausal.simulate.moments_people import ARMS, SLEEPING, Moments, draw_moments
from cxcausal.simulate.population import AGE_BANDS, INTENTS, TIERS, Floats
from cxcausal.simulate.truth import NET_VALUE, REFERENCE_CUSTOMERS, HarmedGroup, TrueEffect

SEGMENTS: Mapping[str, tuple[str, ...]] = {"intent": INTENTS, "tier": TIERS, "age_band": AGE_BANDS}
SHARES_OF_FULL = (0.25, 0.5, 0.75, 1.0)
_REFERENCE_SEED = 20_260_701
_METRICS = {"churn_90d": "leaving", "margin_90d": "margin", "complaint_30d": "complaint"}
_DRAWN = {"churn_90d": "churned", "margin_90d": "margin", "complaint_30d": "complained"}
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TruePolicy:
    """A policy among customers who may be contacted.

    Attributes:
        name: nobody, everybody:<arm>, best_arm, current_rule or oracle (the best arm given the columns).
        gain: per customer against nobody, net of costs, in the currency. cost: per customer.
        share: arm → share of customers.
    """

    name: str
    gain: float
    cost: float
    share: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class TrueFrontier:
    """The most that a budget per customer can gain, and what it gains by lot with the best single arm."""

    share_of_full: float
    budget: float
    gain: float
    untargeted: float


@dataclass(frozen=True, kw_only=True)
class TrueMoment:
    """A cell of the map, among customers who may be contacted: the best arm, and every arm's gain in the currency."""

    intent: str
    tier: str
    share: float
    arm: str
    gains: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class MomentsTruth:
    """What a perfect analysis would say; policies are over customers who may be contacted, effects over all."""

    effects: tuple[TrueEffect, ...]
    harmed: HarmedGroup
    policies: tuple[TruePolicy, ...]
    frontier: tuple[TrueFrontier, ...]
    moments: tuple[TrueMoment, ...]

    def effect(self, metric: str, arm: str, population: str = "all") -> TrueEffect:
        """Return one effect.

        Raises:
            KeyError: the world has no such metric, arm or population.
        """
        for row in self.effects:
            if (row.metric, row.arm, row.population) == (metric, arm, population):
                return row
        raise KeyError((metric, arm, population))

    def policy(self, name: str) -> TruePolicy:
        """Return one policy.

        Raises:
            KeyError: there is none of that name.
        """
        for row in self.policies:
            if row.name == name:
                return row
        raise KeyError(name)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """Customers, and metric → shape (n, arms): drawn for the sample, means for the population."""

    people: Moments
    means: Mapping[str, Floats]


def moments_truth(people: Moments, happened: Mapping[str, Happened], *, scale: float) -> MomentsTruth:
    """Return the truth of drawn customers and of the population that they come from.

    Args:
        people: the drawn customers.
        happened: arm → what would happen to them.
        scale: the world's effect scale.
    """
    drawn = {name: np.column_stack([getattr(happened[arm], key) for arm in ARMS]) for name, key in _DRAWN.items()}
    drawn[NET_VALUE] = np.column_stack([happened[arm].worth for arm in ARMS]) - UNIT_COSTS
    sample, population = _Side(people=people, means=drawn), _reference(scale)
    may, values = population.people.opt_out == 0, population.means[NET_VALUE]
    gains = (values - values[:, :1])[may]
    return MomentsTruth(
        effects=tuple(_effects(sample, population)),
        harmed=_harmed(population),
        policies=tuple(_policies(gains, population.people.rule_today[may])),
        frontier=tuple(_frontier(gains)),
        moments=tuple(_moments(gains, population.people, may)),
    )


@lru_cache(maxsize=4)
def _reference(scale: float) -> _Side:
    people = draw_moments(REFERENCE_CUSTOMERS, np.random.default_rng(_REFERENCE_SEED))
    laws = [chances(people, arm, scale=scale) for arm in ARMS]
    means: dict[str, Floats] = {
        name: np.column_stack([getattr(law, key) for law in laws]) for name, key in _METRICS.items()
    }
    return _Side(people=people, means={**means, NET_VALUE: net_values(people, scale=scale)})


def _effects(sample: _Side, population: _Side) -> Iterator[TrueEffect]:
    names = ("all", *(f"{column}={level}" for column, levels in SEGMENTS.items() for level in levels))
    for name in names:
        here, there = _members(sample.people, name), _members(population.people, name)
        if not here.any():
            continue
        for arm in ARMS[1:]:
            yield from (_effect((sample, population), (metric, arm, name), (here, there)) for metric in sample.means)


def _effect(sides: tuple[_Side, _Side], key: tuple[str, str, str], members: tuple[Flags, Flags]) -> TrueEffect:
    metric, arm, population = key
    place = ARMS.index(arm)
    drawn, means = (
        side.means[metric][rows, place] - side.means[metric][rows, 0] for side, rows in zip(sides, members, strict=True)
    )
    return TrueEffect(
        metric=metric,
        arm=arm,
        control=ARMS[0],
        population=population,
        n=len(drawn),
        sample=float(drawn.mean()),
        expected=float(means.mean()),
        population_mc_se=float(means.std() / np.sqrt(len(means))),
        complier=None if metric == NET_VALUE else float(means.mean()),
    )


def _members(people: Moments, population: str) -> Flags:
    if population == "all":
        return np.ones(people.n, dtype=np.bool_)
    column, _, level = population.partition("=")
    return np.asarray(getattr(people, column) == SEGMENTS[column].index(level))


def _harmed(side: _Side) -> HarmedGroup:
    rows = side.people.sleeping
    churn = side.means["churn_90d"][rows].mean(axis=0)
    effects = {arm: float(churn[place] - churn[0]) for place, arm in enumerate(ARMS) if place}
    name = "new customers who settle nearly everything themselves"
    return HarmedGroup(name=name, filter=SLEEPING, share=float(rows.mean()), churn_effect=effects)


def _policies(gains: Floats, today: npt.NDArray[np.int64]) -> Iterator[TruePolicy]:
    n, best = len(gains), int(gains.mean(axis=0).argmax())
    fixed = {"nobody": 0, **{f"everybody:{arm}": place for place, arm in enumerate(ARMS) if place}, "best_arm": best}
    for name, place in fixed.items():
        yield policy(name, gains, np.full(n, place))
    yield policy("current_rule", gains, today)
    yield policy("oracle", gains, gains.argmax(axis=1))


def policy(name: str, gains: Floats, arm: npt.NDArray[Any]) -> TruePolicy:
    """Return what it is worth to give every customer the arm at its place.

    Args:
        name: of the policy.
        gains: true gains against the control, shape (n, arms).
        arm: places, shape (n,).
    """
    share = np.bincount(arm, minlength=len(ARMS)) / len(arm)
    return TruePolicy(
        name=name,
        gain=float(gains[np.arange(len(arm)), arm].mean()),
        cost=float(UNIT_COSTS[arm].mean()),
        share=dict(zip(ARMS, share.tolist(), strict=True)),
    )


def _frontier(gains: Floats) -> Iterator[TrueFrontier]:
    full = float(UNIT_COSTS[gains.argmax(axis=1)].mean())
    for share in SHARES_OF_FULL:
        budget = share * full
        best = oracle(gains, UNIT_COSTS, budget=budget).gain
        untargeted = by_lot(gains, UNIT_COSTS, budget)
        yield TrueFrontier(share_of_full=share, budget=budget, gain=best, untargeted=untargeted)


def _moments(gains: Floats, people: Moments, may: Flags) -> Iterator[TrueMoment]:
    intent, tier = people.intent[may], people.tier[may]
    for row, told in enumerate(INTENTS):
        for column, level in enumerate(TIERS):
            cell = (intent == row) & (tier == column)
            means = gains[cell].mean(axis=0)
            told_gains = dict(zip(ARMS, means.tolist(), strict=True))
            arm = ARMS[int(means.argmax())]
            yield TrueMoment(intent=told, tier=level, share=float(cell.mean()), arm=arm, gains=told_gains)
