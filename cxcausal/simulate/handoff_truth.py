"""The true effects of handing a failed conversation to a person, and what lesser analyses would say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cxcausal.simulate.handoff_hidden import HiddenCause, Strengths, hidden_cause, pull_for
from cxcausal.simulate.handoff_late import LateExtract
from cxcausal.simulate.handoff_outcomes import ROUTES, Pull, levels, means
from cxcausal.simulate.handoff_people import Conversations, draw_conversations, person_probability
from cxcausal.simulate.population import INTENTS, Floats

REFERENCE_CUSTOMERS = 100_000
"""Conversations over which population effects are averaged; `population_mc_se` says how precise that makes them."""
_REFERENCE_SEED = 20_260_401

METRICS: Mapping[str, tuple[str, str | None]] = {
    "churn_90d": ("churned", None),
    "complaint_30d": ("complained", None),
    "csat": ("csat_given", "csat_answered"),
    "csat_if_all_answered": ("csat", None),
    "csat_answered": ("csat_answered", None),
    "margin_90d": ("margin", None),
    "net_value": ("net_value", None),
    "contacts_prev_year": ("contacts", None),
}
"""Metric → the outcome behind it, and its denominator where it is a ratio of means."""

ESTIMANDS = ("ate", "att", "ato")
Pair = tuple[Floats, Floats]
"""Something under the bot and under a person; shape (n,) each."""


@dataclass(frozen=True, kw_only=True)
class TrueHandoff:
    """The effect of a person against the bot on one metric, for one target population of eligible customers.

    Attributes:
        metric: a key of `METRICS`. population: `all`, or `intent=value`. n: its eligible customers in the sample.
        estimand: `ate` (everybody), `att` (those who met a person) or `ato` (weighted by e(1 − e), e being the chance
            of a person given the declared confounders).
        sample: mean over the sample's eligible customers of the expected effect given their declared confounders
            (for ratios: difference of ratios); None where there is nobody.
        expected: mean over the population; population_mc_se: its Monte Carlo standard error.
        naive: what the plain difference between the routes comes to, the same for every estimand.
        adjusted: what perfect adjustment for the declared confounders comes to; differs from `expected` only where
            something is hidden. Both are None in a late extract, whose own numbers `late` tells.
    """

    metric: str
    arm: str
    control: str
    population: str
    estimand: str
    n: int
    sample: float | None
    expected: float
    population_mc_se: float
    naive: float | None
    adjusted: float | None


@dataclass(frozen=True, kw_only=True)
class HandoffTruth:
    """What a perfect analysis would say, what is hidden from any analysis, and what a late time zero does."""

    effects: tuple[TrueHandoff, ...]
    hidden: HiddenCause | None = None
    late: LateExtract | None = None

    def effect(self, metric: str, estimand: str = "ato", population: str = "all") -> TrueHandoff:
        """Return one effect.

        Raises:
            KeyError: the world has no such metric, estimand or population.
        """
        for row in self.effects:
            if (row.metric, row.estimand, row.population) == (metric, estimand, population):
                return row
        raise KeyError((metric, estimand, population))


@dataclass(frozen=True, kw_only=True)
class _View:
    """One outcome's means given the declared confounders: for everybody, for those who met a person, and as seen."""

    everybody: Pair
    treated: Pair
    seen: Pair


@dataclass(frozen=True, kw_only=True)
class Side:
    """Eligible customers: their intents, their chance of a person given the confounders, and outcome → means."""

    intent: npt.NDArray[np.int64]
    chance: Floats
    views: Mapping[str, _View]

    def weights(self, estimand: str) -> Floats:
        """Return how much each customer counts in a target population; shape (n,)."""
        e = self.chance
        return {"ate": np.ones_like(e), "att": e, "ato": e * (1 - e)}[estimand]


@lru_cache(maxsize=1)
def reference_people() -> Conversations:
    """Return the eligible customers who stand for the population."""
    people = draw_conversations(REFERENCE_CUSTOMERS, np.random.default_rng(_REFERENCE_SEED))
    return people.take(people.eligible)


@lru_cache(maxsize=8)
def reference_pull(asked: Strengths | None, scale: float) -> Pull:
    """Return the coefficients of a hidden cause; of none, where nothing is asked."""
    return Pull() if asked is None else pull_for(asked, reference_people(), scale=scale)


@lru_cache(maxsize=8)
def reference_cause(pull: Pull, scale: float) -> HiddenCause:
    """Return what a hidden cause comes to in the population."""
    return hidden_cause(reference_people(), pull, scale=scale)


@lru_cache(maxsize=8)
def reference_side(pull: Pull, scale: float) -> Side:
    """Return the population's means."""
    return side_of(reference_people(), pull, scale=scale)


def side_of(people: Conversations, pull: Pull, *, scale: float) -> Side:
    """Return eligible customers' means, the hidden cause averaged out as nature mixes it."""
    mix = levels() if pull != Pull() else ((1.0, 0.0),)
    shares = np.array([[share] for share, _ in mix])
    met = np.array([person_probability(people, u, pull=pull.route) for _, u in mix])
    given = {route: [means(people, route, u, pull=pull, scale=scale) for _, u in mix] for route in ROUTES}

    def mixed(name: str, route: str, weights: Floats) -> Floats:
        values = np.array([one[name] for one in given[route]])
        averaged: Floats = (weights * values).sum(axis=0) / weights.sum(axis=0)
        return averaged

    views = {}
    for name in given["bot"][0]:
        treated = mixed(name, "bot", shares * met), mixed(name, "human", shares * met)
        views[name] = _View(
            everybody=(mixed(name, "bot", shares), mixed(name, "human", shares)),
            treated=treated,
            seen=(mixed(name, "bot", shares * (1 - met)), treated[1]),
        )
    return Side(intent=people.intent, chance=(shares * met).sum(axis=0), views=views)


def effects_of(sample: Side, reference: Side, *, observed: bool) -> tuple[TrueHandoff, ...]:
    """Return every true effect, over everybody and by the intents that the sample has.

    Args:
        sample: the drawn eligible customers.
        reference: the population.
        observed: whether the naive and the adjusted differences are told.
    """
    return tuple(
        _row((sample, reference), (metric, estimand, population), observed=observed)
        for population in _populations(sample)
        for metric in METRICS
        for estimand in ESTIMANDS
    )


def _populations(sample: Side) -> Sequence[str]:
    return ("all", *(f"intent={name}" for code, name in enumerate(INTENTS) if (sample.intent == code).any()))


def _rows(side: Side, population: str) -> npt.NDArray[np.intp]:
    _, _, name = population.partition("=")
    inside = side.intent == INTENTS.index(name) if name else np.ones(len(side.intent), dtype=bool)
    return np.flatnonzero(inside)


def _row(sides: tuple[Side, Side], key: tuple[str, str, str], *, observed: bool) -> TrueHandoff:
    (sample, reference), (metric, estimand, population) = sides, key
    here, there = (_rows(side, population) for side in sides)
    true = _difference(reference, metric, estimand, there)
    return TrueHandoff(
        metric=metric,
        arm="human",
        control="bot",
        population=population,
        estimand=estimand,
        n=len(here),
        sample=_difference(sample, metric, estimand, here).point if len(here) else None,
        expected=true.point,
        population_mc_se=true.error,
        naive=_difference(reference, metric, "naive", there).point if observed else None,
        adjusted=_difference(reference, metric, f"adjusted {estimand}", there).point if observed else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Difference:
    point: float
    error: float


def _difference(side: Side, metric: str, kind: str, rows: npt.NDArray[np.intp]) -> _Difference:
    """Return an estimand, `naive`, or `adjusted <estimand>` among the rows, and its error over customers."""
    e = side.chance
    weights = (1 - e, e) if kind == "naive" else (side.weights(kind.removeprefix("adjusted ")),) * 2
    top, bottom = METRICS[metric]
    parts = []
    for arm in (0, 1):
        weight = weights[arm][rows]
        above = _means(side.views[top], kind)[arm][rows]
        below = np.ones_like(above) if bottom is None else _means(side.views[bottom], kind)[arm][rows]
        mass = float((weight * below).mean())
        point = float((weight * above).mean()) / mass
        parts.append((point, weight * (above - point * below) / mass))
    (bot, bot_spread), (human, human_spread) = parts
    return _Difference(point=human - bot, error=float((human_spread - bot_spread).std() / np.sqrt(len(rows))))


def _means(view: _View, kind: str) -> Pair:
    if kind == "att":
        return view.treated
    return view.everybody if kind in ESTIMANDS else view.seen
