"""Customers at a moment of truth: what is known before anybody answers, and nothing that no column shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit, ndtr

from cxcausal.simulate.population import AGE_BANDS, INTENTS, TIERS, Floats, Ints, sigmoid

TOUCHPOINTS = ("app", "web", "chat", "phone")
ARMS = ("bot", "gig", "agent")
NEW_MONTHS, ALONE = 12, 0.7
SLEEPING = f"tenure_months < {NEW_MONTHS} and self_service_share >= {ALONE}"
"""The customers whom a call reminds that they could leave, as a plan's filter would name them."""

_INTENT_SHARES = (0.18, 0.20, 0.26, 0.22, 0.14)
_MOOD_BY_INTENT = np.array([0.2, 0.15, -0.1, -0.1, -0.4])
_CONTACTS_BY_INTENT = np.array([0.7, 0.7, 1.1, 1.3, 1.8])
_AGE_SHARES = (0.24, 0.32, 0.26, 0.18)
_ALONE_LEVEL, _ALONE_NOISE, _ALONE_STEP = 0.4, 1.1, 0.01
_ALONE_BY_AGE = np.array([0.7, 0.25, -0.2, -0.7])
_ALONE_BY_TOUCHPOINT = np.array([0.6, 0.4, 0.1, -0.9])
_TOUCHPOINTS_BY_AGE = np.array(
    [[0.45, 0.25, 0.22, 0.08], [0.34, 0.30, 0.22, 0.14], [0.20, 0.32, 0.20, 0.28], [0.12, 0.26, 0.14, 0.48]]
)
OPT_OUT_SHARE = 0.1
_BUYING_SHARE = 0.62
_AGENT_ABOVE, _GIG_ABOVE = 0.88, 2 / 3


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Customers as arrays of length n; coded columns index the tuples of names.

    Attributes:
        touchpoint, intent, tier, age_band: codes.
        tenure_months, contacts_prev_90d, opt_out: whole numbers. self_service_share: of earlier matters, 0 to 1.
        sentiment: -1 (angry) to 1 (happy). margin_prev: of the 90 days before, in the currency, many of them 0.
        risk: score of today's churn model, 0 to 1.
    """

    touchpoint: Ints
    intent: Ints
    tier: Ints
    age_band: Ints
    tenure_months: Ints
    contacts_prev_90d: Ints
    opt_out: Ints
    self_service_share: Floats
    sentiment: Floats
    margin_prev: Floats
    risk: Floats

    @property
    def n(self) -> int:
        """Customers."""
        return len(self.intent)

    @property
    def sleeping(self) -> npt.NDArray[np.bool_]:
        """Whom a call reminds that they could leave: new customers who settle nearly everything themselves."""
        return (self.tenure_months < NEW_MONTHS) & (self.self_service_share >= ALONE)

    @property
    def rule_today(self) -> Ints:
        """The arm that today's rule gives: agents to the highest risks, experts to the next."""
        return np.digitize(self.risk, np.quantile(self.risk, [_GIG_ABOVE, _AGENT_ABOVE])).astype(np.int64)


def draw_moments(n: int, rng: np.random.Generator) -> Moments:
    """Return n customers, each with one matter.

    Args:
        n: customers, at least 1.
        rng: the only source of randomness.
    """
    age = rng.choice(len(AGE_BANDS), size=n, p=_AGE_SHARES)
    touchpoint = (rng.random(n)[:, None] > np.cumsum(_TOUCHPOINTS_BY_AGE, axis=1)[age]).sum(axis=1)
    intent = rng.choice(len(INTENTS), size=n, p=_INTENT_SHARES)
    tenure = np.minimum(1 + np.floor(rng.gamma(1.1, 26.0, n)), 240).astype(np.int64)
    tier = np.digitize(rng.standard_normal(n) + 0.008 * tenure, [0.35, 1.25]).astype(np.int64)
    contacts = rng.poisson(_CONTACTS_BY_INTENT[intent])
    leaning = _ALONE_LEVEL + _ALONE_BY_AGE[age] + _ALONE_BY_TOUCHPOINT[touchpoint]
    alone = sigmoid(leaning + _ALONE_NOISE * rng.standard_normal(n))
    mood: Floats = np.clip(_MOOD_BY_INTENT[intent] + 0.5 * (alone - 0.5) + 0.35 * rng.standard_normal(n), -1, 1)
    spend: Floats = np.exp(2.9 + np.array([0.0, 0.35, 0.75])[tier] + 0.5 * rng.standard_normal(n))
    opt_out = (rng.random(n) < OPT_OUT_SHARE).astype(np.int64)
    bought: Floats = np.where(rng.random(n) < _BUYING_SHARE, spend, 0.0)
    people = Moments(
        touchpoint=touchpoint.astype(np.int64),
        intent=intent,
        tier=tier,
        age_band=age,
        tenure_months=tenure,
        contacts_prev_90d=contacts,
        opt_out=opt_out,
        self_service_share=np.round(alone, 2),
        sentiment=np.round(mood, 2),
        margin_prev=np.round(bought, 2),
        risk=np.zeros(n),
    )
    score = sigmoid(leaving_logit(people) + 0.4 * rng.standard_normal(n))
    return Moments(**{**_fields(people), "risk": np.round(score, 4)})


def age_chances(people: Moments) -> Floats:
    """Return the chance of every age band given all other columns, shape (n, bands).

    By Bayes' rule, exactly: of all that is drawn, only the touchpoint and the self-service share depend on age, and
    the latter is known to a hundredth.

    Example:
        >>> found = age_chances(draw_moments(20_000, np.random.default_rng(1)))
        >>> bool(np.allclose(found.sum(axis=1), 1)), found.mean(axis=0).round(2).tolist()
        (True, [0.24, 0.32, 0.26, 0.18])
    """
    ends = people.self_service_share[:, None] + np.array([-0.5, 0.5]) * _ALONE_STEP
    low, high = logit(np.clip(ends, 0.0, 1.0)).T
    found = np.empty((people.n, len(AGE_BANDS)))
    for age, share in enumerate(_AGE_SHARES):
        leaning = _ALONE_LEVEL + _ALONE_BY_AGE[age] + _ALONE_BY_TOUCHPOINT[people.touchpoint]
        within = ndtr((high - leaning) / _ALONE_NOISE) - ndtr((low - leaning) / _ALONE_NOISE)
        found[:, age] = share * _TOUCHPOINTS_BY_AGE[age][people.touchpoint] * within
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def leaving_logit(people: Moments) -> Floats:
    """Return the log odds of leaving within 90 days where the bot answers; shape (n,)."""
    logit: Floats = (
        -1.75
        - 0.008 * np.minimum(people.tenure_months, 120)
        + np.array([0.15, 0.0, -0.25])[people.tier]
        + np.array([-0.35, -0.30, 0.30, 0.25, 0.55])[people.intent]
        + 0.12 * np.minimum(people.contacts_prev_90d, 6)
        - 0.45 * people.sentiment
    )
    return logit


def columns_of(people: Moments) -> dict[str, npt.NDArray[Any]]:
    """Return what an analyst sees of the customers, name → shape (n,)."""
    today = people.rule_today
    return {
        "touchpoint": np.array(TOUCHPOINTS)[people.touchpoint],
        "intent": np.array(INTENTS)[people.intent],
        "tier": np.array(TIERS)[people.tier],
        "age_band": np.array(AGE_BANDS)[people.age_band],
        "tenure_months": people.tenure_months,
        "contacts_prev_90d": people.contacts_prev_90d,
        "self_service_share": people.self_service_share,
        "sentiment_before": people.sentiment,
        "margin_prev_90d": people.margin_prev,
        "risk_score": people.risk,
        "was_called": (today > 0).astype(np.int64),
        "arm_today": np.array(ARMS)[today],
        "marketing_opt_out": people.opt_out,
    }


def moments_of(columns: Mapping[str, npt.NDArray[Any]]) -> Moments:
    """Return the customers again from what an analyst sees of them, in any order of rows.

    Example:
        >>> people = draw_moments(50, np.random.default_rng(1))
        >>> bool((moments_of(columns_of(people)).intent == people.intent).all())
        True
    """
    coded = {"touchpoint": TOUCHPOINTS, "intent": INTENTS, "tier": TIERS, "age_band": AGE_BANDS}
    codes = {name: _codes(columns[name], levels) for name, levels in coded.items()}
    whole = {name: columns[name].astype(np.int64) for name in ("tenure_months", "contacts_prev_90d")}
    return Moments(
        **codes,
        **whole,
        opt_out=columns["marketing_opt_out"].astype(np.int64),
        self_service_share=columns["self_service_share"].astype(np.float64),
        sentiment=columns["sentiment_before"].astype(np.float64),
        margin_prev=columns["margin_prev_90d"].astype(np.float64),
        risk=columns["risk_score"].astype(np.float64),
    )


def _codes(values: npt.NDArray[Any], levels: tuple[str, ...]) -> Ints:
    place = {level: code for code, level in enumerate(levels)}
    return np.array([place[str(value)] for value in values.tolist()], dtype=np.int64)


def _fields(people: Moments) -> dict[str, Any]:
    return {name: getattr(people, name) for name in people.__dataclass_fields__}
