"""Customers whose bot conversation fails, and the rules by which trouble brings some of them to a person."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.simulate.population import Floats, Ints, sigmoid

CHANNELS = ("chat", "voice", "email")
HIDDEN_SHARE = 0.3
"""Share of customers who had voiced frustration by phone; no column shows it."""
MEAN_COMPLEXITY = 4.5

_CHANNEL_SHARES = (0.84, 0.10, 0.06)
_INTENT_SHARES = np.array([0.20, 0.20, 0.24, 0.22, 0.14])
_INTENT_BY_COMPLEXITY = np.array([-0.20, -0.15, 0.05, 0.10, 0.15])
_MOOD_BY_INTENT = np.array([0.15, 0.10, -0.15, -0.10, -0.40])
_ROUTE_BY_INTENT = np.array([-0.35, -0.30, 0.10, 0.05, 0.45])
_ROUTE_BY_TIER = np.array([0.0, 0.10, 0.25])
_PHONE_TO_PERSON = 0.8


@dataclass(frozen=True, kw_only=True)
class Conversations:
    """One conversation per customer, as arrays of length n; tier, intent and channel are codes.

    Attributes:
        tenure_months, contacts_prev_90d, bot_turns: whole numbers, known at the first failed intent.
        complexity: how tangled the customer's account is, 0 to 10. sentiment: -1 (angry) to 1 (happy).
        margin_prev: contribution margin of the 90 days before, in the currency.
        failed: 0/1, whether the bot failed at an intent, so that there was anything to hand over.
        hidden: 0/1, whether the customer had voiced frustration by phone; no column shows it.
    """

    tenure_months: Ints
    tier: Ints
    intent: Ints
    channel: Ints
    contacts_prev_90d: Ints
    bot_turns: Ints
    failed: Ints
    complexity: Floats
    sentiment: Floats
    margin_prev: Floats
    hidden: Floats

    @property
    def n(self) -> int:
        """Customers."""
        return len(self.tier)

    @property
    def eligible(self) -> npt.NDArray[np.bool_]:
        """Whom the question is about: a bot's chat that failed; shape (n,)."""
        rows: npt.NDArray[np.bool_] = (self.failed == 1) & (self.channel == CHANNELS.index("chat"))
        return rows

    def take(self, rows: npt.NDArray[np.bool_]) -> "Conversations":
        """Return the customers among `rows`."""
        kept: dict[str, Any] = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return Conversations(**kept)


def draw_conversations(n: int, rng: np.random.Generator) -> Conversations:
    """Return n conversations, of which about seven in ten are eligible.

    Args:
        n: customers, at least 1.
        rng: the only source of randomness.
    """
    tenure = np.minimum(1 + np.floor(rng.gamma(1.4, 30.0, n)), 240).astype(np.int64)
    tier = np.digitize(0.008 * tenure + 0.9 * rng.standard_normal(n), [0.55, 1.45]).astype(np.int64)
    complexity = np.clip(np.round(4.2 + 0.4 * tier + 1.7 * rng.standard_normal(n), 1), 0.0, 10.0)
    away = complexity - MEAN_COMPLEXITY
    intent = _intents(away, rng.random(n))
    contacts = rng.poisson(np.exp(-0.3 + 0.10 * away))
    mood = _MOOD_BY_INTENT[intent] - 0.05 * away - 0.04 * contacts + 0.38 * rng.standard_normal(n)
    return Conversations(
        tenure_months=tenure,
        tier=tier,
        intent=intent,
        channel=rng.choice(len(CHANNELS), size=n, p=_CHANNEL_SHARES),
        contacts_prev_90d=contacts,
        bot_turns=1 + rng.poisson(np.exp(1.1 + 0.05 * away)),
        failed=(rng.random(n) < sigmoid(1.7 + 0.2 * away)).astype(np.int64),
        complexity=complexity,
        sentiment=np.round(np.clip(mood, -1.0, 1.0), 2),
        margin_prev=_margin_before(tier, rng),
        hidden=(rng.random(n) < HIDDEN_SHARE).astype(np.float64),
    )


def person_probability(people: Conversations, hidden: Floats | float, *, pull: float) -> Floats:
    """Return the chance that an eligible conversation is handed to a person; shape (n,).

    Trouble causes hand-off: tangled accounts, bad mood and hard intents go to people more often.

    Args:
        people: the customers.
        hidden: whether each had voiced frustration by phone, or one value for all.
        pull: shift of the log odds by that frustration; 0 where nothing is hidden.
    """
    logit = (
        -0.10
        + 0.30 * (people.complexity - MEAN_COMPLEXITY)
        - 1.00 * people.sentiment
        + _ROUTE_BY_INTENT[people.intent]
        + _ROUTE_BY_TIER[people.tier]
        + 0.10 * people.contacts_prev_90d
        + 0.05 * (people.bot_turns - 4)
        - 0.002 * people.tenure_months
        + 0.002 * people.margin_prev
        + pull * (np.asarray(hidden) - HIDDEN_SHARE)
    )
    return sigmoid(logit)


def draw_routes(people: Conversations, rng: np.random.Generator, *, pull: float) -> Floats:
    """Return who met a person (1) or stayed with the bot (0); the ineligible follow rules of their own."""
    chance = person_probability(people, people.hidden, pull=pull)
    by_phone = np.where(people.channel == CHANNELS.index("chat"), 0.0, _PHONE_TO_PERSON)
    return (rng.random(people.n) < np.where(people.eligible, chance, by_phone)).astype(np.float64)


def _intents(away: Floats, uniform: Floats) -> Ints:
    weights = _INTENT_SHARES * np.exp(away[:, None] * _INTENT_BY_COMPLEXITY)
    upper = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    codes: Ints = (uniform[:, None] > upper[:, :-1]).sum(axis=1)
    return codes


def _margin_before(tier: Ints, rng: np.random.Generator) -> Floats:
    bought = (rng.random(len(tier)) < np.array([0.62, 0.70, 0.78])[tier]).astype(np.float64)
    return np.round(bought * np.exp(3.2 + 0.20 * tier + 0.5 * rng.standard_normal(len(tier))), 2)
