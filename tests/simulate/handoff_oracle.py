"""What a perfect analyst would compute: AIPW with the true nuisances, in plain numpy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxcausal.simulate.handoff_outcomes import Pull, means
from cxcausal.simulate.handoff_people import CHANNELS, HIDDEN_SHARE, Conversations, person_probability
from cxcausal.simulate.outreach import Column
from cxcausal.simulate.population import INTENTS, TIERS, Floats

COLUMNS = {
    "churned": "churned_90d",
    "complained": "complained_30d",
    "csat_answered": "csat_answered",
    "margin": "margin_90d",
    "contacts": "contacts_prev_year",
}
"""Outcome of the law → the column that shows it."""


@dataclass(frozen=True, kw_only=True)
class Nuisances:
    """Chance of a person, and outcome → means with the bot and with a person."""

    chance: Floats
    means: Mapping[str, tuple[Floats, Floats]]


def eligible(columns: Mapping[str, Column]) -> Mapping[str, Column]:
    """Return the rows that the plan's filter keeps."""
    rows = (columns["bot_failed_intents"] >= 1) & (columns["channel"] == "chat")
    return {name: values[rows] for name, values in columns.items()}


def people_of(columns: Mapping[str, Column], hidden: Floats | None = None) -> Conversations:
    """Return customers as the world knows them, from what the data show of them."""

    def coded(name: str, words: tuple[str, ...]) -> Column:
        return np.array([words.index(word) for word in columns[name].tolist()])

    return Conversations(
        tenure_months=columns["tenure_months"],
        tier=coded("tier", TIERS),
        intent=coded("intent", INTENTS),
        channel=coded("channel", CHANNELS),
        contacts_prev_90d=columns["contacts_prev_90d"],
        bot_turns=columns["bot_turns_before"],
        failed=(columns["bot_failed_intents"] > 0).astype(np.int64),
        complexity=columns["complexity"],
        sentiment=columns["sentiment_before"],
        margin_prev=columns["margin_prev_90d"],
        hidden=np.zeros(len(columns["tier"])) if hidden is None else hidden,
    )


def knowing_all(people: Conversations, pull: Pull) -> Nuisances:
    """Return the nuisances given the confounders and the hidden cause."""
    anger = people.hidden == 1
    both = [means_of(people, u, pull) for u in (0.0, 1.0)]
    found = {name: tuple(np.where(anger, both[1][name][arm], both[0][name][arm]) for arm in (0, 1)) for name in both[0]}
    return Nuisances(
        chance=person_probability(people, people.hidden, pull=pull.route),
        means={name: (pair[0], pair[1]) for name, pair in found.items()},
    )


def knowing_the_declared(people: Conversations, pull: Pull) -> Nuisances:
    """Return the nuisances given the declared confounders only: Bayes' rule over the hidden cause."""
    calm, angry = (person_probability(people, u, pull=pull.route) for u in (0.0, 1.0))
    chance = (1 - HIDDEN_SHARE) * calm + HIDDEN_SHARE * angry
    angry_if = (HIDDEN_SHARE * (1 - angry) / (1 - chance), HIDDEN_SHARE * angry / chance)
    low, high = (means_of(people, u, pull) for u in (0.0, 1.0))
    found = {
        name: tuple(low[name][arm] + angry_if[arm] * (high[name][arm] - low[name][arm]) for arm in (0, 1))
        for name in low
    }
    return Nuisances(chance=chance, means={name: (pair[0], pair[1]) for name, pair in found.items()})


def means_of(people: Conversations, hidden: float, pull: Pull) -> Mapping[str, tuple[Floats, Floats]]:
    """Return outcome → its means with the bot and with a person, at one value of the hidden cause."""
    bot, human = (means(people, route, hidden, pull=pull, scale=1.0) for route in ("bot", "human"))
    return {name: (bot[name], human[name]) for name in bot}


def aipw(y: Floats, person: Floats, e: Floats, mean: tuple[Floats, Floats], estimand: str) -> Floats:
    """Return each customer's score, whose mean is the effect: shape (n,)."""
    below, above = mean
    if estimand == "att":
        scores: Floats = (person - (1 - person) * e / (1 - e)) * (y - below) / person.mean()
        return scores
    tilt = np.ones_like(e) if estimand == "ate" else e * (1 - e)
    scores = above - below + person / e * (y - above) - (1 - person) / (1 - e) * (y - below)
    tilted: Floats = tilt * scores / tilt.mean()
    return tilted


def naive(y: Floats, person: Floats) -> float:
    """Return the plain difference between the routes."""
    return float(y[person == 1].mean() - y[person == 0].mean())
