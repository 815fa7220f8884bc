"""The true effects of a drawn world: exact for its customers, and for the population they were drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cxcausal.simulate.effects import CONTACTS, CONTROL, RETAINED_CUSTOMER
from cxcausal.simulate.outcomes import Outcomes, expected_outcomes
from cxcausal.simulate.population import INTENTS, QUIET_LOYAL, RELATIONSHIPS, TIERS, Floats, Population, draw_population

Rows = npt.NDArray[np.intp] | slice
"""Which customers belong to a population, as an index."""

REFERENCE_CUSTOMERS = 100_000
"""Customers over whom population effects are averaged; `population_mc_se` says how precise that makes them."""
_REFERENCE_SEED = 20_260_101

METRICS: Mapping[str, tuple[str, str | None]] = {
    "churn_90d": ("churned", None),
    "margin_90d": ("margin", None),
    "order_value": ("revenue", "orders"),
    "csat": ("csat_given", "csat_answered"),
    "csat_if_all_answered": ("csat", None),
    "csat_answered": ("csat_answered", None),
    "nps": ("nps_given", "nps_answered"),
    "nps_if_all_answered": ("nps", None),
    "nps_answered": ("nps_answered", None),
    "complaint_30d": ("complained", None),
    "handle_minutes_30d": ("minutes", None),
    "revenue_90d": ("revenue", None),
    "orders_90d": ("orders", None),
    "first_contact_resolution": ("resolved", None),
    "reached": ("reached", None),
}
"""Metric → the outcome behind it, and its denominator where it is a ratio of means."""

NET_VALUE = "net_value"

SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "tier": TIERS,
    "intent": INTENTS,
    "relationship": RELATIONSHIPS,
    "risk_top_third": ("0", "1"),
}
"""Column → its levels: the segments for which the truth is told."""


@dataclass(frozen=True, kw_only=True)
class TrueEffect:
    """One arm's effect on one metric against the control, as assigned (intention to treat).

    Attributes:
        metric: a key of `METRICS`, or `net_value` (currency per assigned customer, after contact cost).
        population: `all`, or `column=value`. n: its customers in the sample.
        sample: mean over the drawn customers of their own two potential outcomes (for ratios: difference of ratios).
        expected: mean over the population; population_mc_se: its Monte Carlo standard error.
        complier: expected effect on those whom the contact reaches; None for ratios and for `reached`.
    """

    metric: str
    arm: str
    control: str
    population: str
    n: int
    sample: float
    expected: float
    population_mc_se: float
    complier: float | None


@dataclass(frozen=True, kw_only=True)
class HarmedGroup:
    """Customers whom contact drives away: how to find them, and the effect on their churn by arm."""

    name: str
    filter: str
    share: float
    churn_effect: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a perfect analysis would say."""

    effects: tuple[TrueEffect, ...]
    harmed: HarmedGroup

    def effect(self, metric: str, arm: str, population: str = "all") -> TrueEffect:
        """Return one effect.

        Raises:
            KeyError: the world has no such metric, arm or population.
        """
        for row in self.effects:
            if (row.metric, row.arm, row.population) == (metric, arm, population):
                return row
        raise KeyError((metric, arm, population))


@dataclass(frozen=True, kw_only=True)
class _Side:
    """Customers with their outcomes under every arm: drawn for the sample, means for the population."""

    people: Population
    outcomes: Mapping[str, Outcomes]


def truth_of(people: Population, outcomes: Mapping[str, Outcomes], *, scale: float) -> Truth:
    """Return the true effects of every arm in `outcomes` against the control.

    Args:
        people: the drawn customers.
        outcomes: arm → their potential outcomes; the control arm is among them.
        scale: the world's effect scale, for the population's effects.
    """
    sample = _Side(people=people, outcomes=outcomes)
    reference = _reference(tuple(outcomes), scale)
    arms = [arm for arm in outcomes if arm != CONTROL]
    effects = [row for name in _populations(people) for row in _rows(sample, reference, arms, name)]
    truth = Truth(effects=tuple(effects), harmed=HarmedGroup(name="", filter="", share=0.0, churn_effect={}))
    return Truth(effects=truth.effects, harmed=_harmed(truth, people, arms))


@lru_cache(maxsize=4)
def _reference(arms: tuple[str, ...], scale: float) -> _Side:
    people = draw_population(REFERENCE_CUSTOMERS, np.random.default_rng(_REFERENCE_SEED))
    return _Side(people=people, outcomes={arm: expected_outcomes(people, arm, scale=scale) for arm in arms})


def _populations(people: Population) -> tuple[str, ...]:
    """Return the populations that have at least one customer in the sample."""
    names = [f"{column}={level}" for column, levels in SEGMENTS.items() for level in levels]
    return ("all", *(name for name in names if len(people.household[_members(people, name)])))


def _members(people: Population, population: str) -> Rows:
    if population == "all":
        return slice(None)
    column, _, level = population.partition("=")
    return np.flatnonzero(getattr(people, column) == SEGMENTS[column].index(level))


def _rows(sample: _Side, reference: _Side, arms: Sequence[str], population: str) -> list[TrueEffect]:
    here, there = _members(sample.people, population), _members(reference.people, population)
    return [
        _effect((sample, reference), (metric, arm, population), (here, there))
        for arm in arms
        for metric in (*METRICS, NET_VALUE)
    ]


def _effect(sides: tuple[_Side, _Side], key: tuple[str, str, str], rows: tuple[Rows, Rows]) -> TrueEffect:
    metric, arm, population = key
    (sample, reference), (here, there) = sides, rows
    drawn = _contrast(sample, metric, arm, here)
    expected = _contrast(reference, metric, arm, there)
    complier = None
    if metric not in {NET_VALUE, "reached"} and METRICS[metric][1] is None:
        complier = expected.point / float(reference.outcomes[arm].reached[there].mean())
    return TrueEffect(
        metric=metric,
        arm=arm,
        control=CONTROL,
        population=population,
        n=len(sample.people.household[here]),
        sample=drawn.point,
        expected=expected.point,
        population_mc_se=expected.error,
        complier=complier,
    )


@dataclass(frozen=True, kw_only=True)
class _Mean:
    """A mean, or a ratio of means, and each customer's share in its error (delta method)."""

    point: float
    influence: Floats


@dataclass(frozen=True, kw_only=True)
class _Contrast:
    point: float
    error: float


def _contrast(side: _Side, metric: str, arm: str, rows: Rows) -> _Contrast:
    """Return the difference between arm and control among the rows, and its standard error over customers."""
    treated, control = (_mean(side.outcomes[name], metric, name, rows) for name in (arm, CONTROL))
    spread = treated.influence - control.influence
    return _Contrast(point=treated.point - control.point, error=float(spread.std() / np.sqrt(len(spread))))


def _mean(outcomes: Outcomes, metric: str, arm: str, rows: Rows) -> _Mean:
    if metric == NET_VALUE:
        values = net_value(outcomes, arm)[rows]
        return _Mean(point=float(values.mean()), influence=values)
    top, bottom = METRICS[metric]
    numerator = getattr(outcomes, top)[rows]
    if bottom is None:
        return _Mean(point=float(numerator.mean()), influence=numerator)
    denominator = getattr(outcomes, bottom)[rows]
    weight = max(float(denominator.mean()), np.finfo(float).tiny)
    ratio = float(numerator.mean()) / weight
    return _Mean(point=ratio, influence=(numerator - ratio * denominator) / weight)


def net_value(outcomes: Outcomes, arm: str) -> Floats:
    """Return margin in the window plus the worth of staying beyond it, minus contact cost; currency, shape (n,)."""
    cost = CONTACTS[arm].unit_cost if arm != CONTROL else 0.0
    return outcomes.margin - RETAINED_CUSTOMER * outcomes.churned - cost * outcomes.reached


def _harmed(truth: Truth, people: Population, arms: Sequence[str]) -> HarmedGroup:
    """Return the sleeping dogs; a small sample may hold none, then no effect is told."""
    code = RELATIONSHIPS.index("quiet_loyal")
    share = float((people.relationship == code).mean())
    told = arms if share > 0 else ()
    effects = {arm: truth.effect("churn_90d", arm, "relationship=quiet_loyal").expected for arm in told}
    return HarmedGroup(name="relationship=quiet_loyal", filter=QUIET_LOYAL, share=share, churn_effect=effects)
