"""What follows a failed bot conversation on either route: drawn from shared noise, or as exact conditional means."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from cxcausal.simulate.effects import RETAINED_CUSTOMER
from cxcausal.simulate.handoff_people import HIDDEN_SHARE, MEAN_COMPLEXITY, Conversations
from cxcausal.simulate.population import Floats, sigmoid

ROUTES = ("bot", "human")
PERSON_COST = 6.4
"""What one hand-off costs, in the currency; the unit cost of the shipped plan."""

_CSAT_CUTS = np.array([-2.6, -1.5, -0.4, 1.1])
_CHURN_BY_INTENT = np.array([-0.15, -0.10, 0.20, 0.15, 0.40])
_CHURN_BY_TIER = np.array([0.15, 0.0, -0.25])
_SOLVED_BY_INTENT = np.array([0.9, 0.7, -0.4, -0.3, -0.7])
_COMPLAINT_BY_INTENT = np.array([-0.5, -0.4, 0.2, 0.1, 0.9])
_MINUTES_BY_INTENT = np.array([5.0, 5.0, 9.0, 12.0, 13.0])
_WORTH_OF_SOLVING = 0.55

_PERSON_CHURN = np.array([0.0, 0.0, -0.30, -0.14, -0.36])
_PERSON_SOLVES = np.array([0.1, 0.1, 1.6, 1.1, 1.4])
_PERSON_COMPLAINT = np.array([0.0, 0.0, -0.50, -0.35, -0.60])
_PERSON_MOOD = np.array([0.0, 0.0, 0.60, 0.40, 0.70])
_PERSON_ANSWER = 0.25

_AMOUNT_NOISE = 0.5
_MINUTES_NOISE = 0.4


@dataclass(frozen=True, kw_only=True)
class Pull:
    """How the hidden frustration moves things: shifts of log odds, and of the log rate of last year's contacts."""

    route: float = 0.0
    churn: float = 0.0
    contacts: float = 0.0


def levels() -> tuple[tuple[float, float], ...]:
    """Return how common each value of the hidden frustration is, and the value: (share, 0 or 1)."""
    return (1 - HIDDEN_SHARE, 0.0), (HIDDEN_SHARE, 1.0)


@dataclass(frozen=True, kw_only=True)
class AfterNoise:
    """Everything random about what follows, shared by both routes; shape (n,) each, normal where named so below."""

    churn: Floats
    churn_day: Floats
    complaint: Floats
    mood: Floats
    answer: Floats
    solved: Floats
    buys: Floats
    amount: Floats
    minutes: Floats


@dataclass(frozen=True, kw_only=True)
class After:
    """What happens on one route, drawn; arrays of shape (n,)."""

    churned: Floats
    complained: Floats
    csat: Floats
    csat_answered: Floats
    margin: Floats
    resolved: Floats
    minutes: Floats


@dataclass(frozen=True, kw_only=True)
class Law:
    """The law of what happens on one route, given the covariates and the hidden frustration; shape (n,) each."""

    solved: Floats
    churn_solved: Floats
    churn_unsolved: Floats
    complaint: Floats
    mood: Floats
    answer: Floats
    buys_staying: Floats
    buys_leaving: Floats
    amount: Floats
    minutes: Floats

    @property
    def churn(self) -> Floats:
        """The chance to leave, whether or not the issue is solved."""
        return self.solved * self.churn_solved + (1 - self.solved) * self.churn_unsolved


def law(people: Conversations, route: str, hidden: Floats | float, *, pull: Pull, scale: float) -> Law:
    """Return the law of what follows on a route.

    Args:
        people: the customers.
        route: one of `ROUTES`.
        hidden: whether each had voiced frustration by phone, or one value for all.
        pull: what that frustration does.
        scale: multiplies every effect of meeting a person; 0 is a world in which the route changes nothing.
    """
    person = scale * float(route == "human")
    away, by_intent = people.complexity - MEAN_COMPLEXITY, people.intent
    angry = pull.churn * (np.asarray(hidden) - HIDDEN_SHARE)
    solved = 0.4 - 0.20 * away + _SOLVED_BY_INTENT[by_intent] + person * _PERSON_SOLVES[by_intent]
    churn = _churn_logit(people) + person * _PERSON_CHURN[by_intent] + angry
    complaint = -3.75 + _COMPLAINT_BY_INTENT[by_intent] + 0.18 * away - 0.9 * people.sentiment
    staying = -0.6 + 0.020 * people.margin_prev + 0.25 * people.tier
    return Law(
        solved=sigmoid(solved),
        churn_solved=sigmoid(churn - _WORTH_OF_SOLVING),
        churn_unsolved=sigmoid(churn),
        complaint=sigmoid(complaint + person * _PERSON_COMPLAINT[by_intent] + 0.5 * angry),
        mood=0.3 + 1.1 * people.sentiment - 0.08 * away + person * _PERSON_MOOD[by_intent] - 0.3 * angry,
        answer=sigmoid(-0.8 + 0.3 * people.sentiment + person * _PERSON_ANSWER),
        buys_staying=sigmoid(staying),
        buys_leaving=sigmoid(staying - 1.2),
        amount=14.0 + 0.65 * people.margin_prev + 4.0 * people.tier,
        minutes=_minutes(people, route),
    )


def means(people: Conversations, route: str, hidden: float, *, pull: Pull, scale: float) -> Mapping[str, Floats]:
    """Return each customer's mean outcomes on a route: outcome → shape (n,).

    `csat_given` is the rating times having answered, so that respondents' means are ratios of sums; `net_value` is
    margin in the window plus the worth of staying beyond it, minus the hand-off's cost.
    """
    after = law(people, route, hidden, pull=pull, scale=scale)
    csat = 1.0 + np.sum([sigmoid(after.mood - cut) for cut in _CSAT_CUTS], axis=0)
    buys = after.buys_staying * (1 - after.churn) + after.buys_leaving * after.churn
    margin = buys * after.amount
    cost = PERSON_COST * (route == "human")
    return {
        "churned": after.churn,
        "complained": after.complaint,
        "csat": csat,
        "csat_answered": after.answer,
        "csat_given": csat * after.answer,
        "margin": margin,
        "net_value": margin - RETAINED_CUSTOMER * after.churn - cost,
        "contacts": people.contacts_prev_90d + contact_rate(people, hidden, pull=pull),
    }


def squares(people: Conversations, after: Mapping[str, Floats], *, hidden: float, pull: Pull) -> Mapping[str, Floats]:
    """Return the mean squares of the outcomes whose variance is told, from their means on one route.

    A yes-or-no outcome is its own square; margins are log-normal where there are any; last year's contacts before
    the last 90 days are Poisson.
    """
    amount = 14.0 + 0.65 * people.margin_prev + 4.0 * people.tier
    return {
        "churned": after["churned"],
        "complained": after["complained"],
        "margin": after["margin"] * amount * np.exp(_AMOUNT_NOISE**2),
        "contacts": after["contacts"] ** 2 + contact_rate(people, hidden, pull=pull),
    }


def contact_rate(people: Conversations, hidden: Floats | float, *, pull: Pull) -> Floats:
    """Return last year's expected contacts before the last 90 days, which no later route can change."""
    away = people.complexity - MEAN_COMPLEXITY
    base = np.exp(0.9 + 0.12 * away - 0.10 * people.tier + 0.001 * people.tenure_months)
    usual = 1 - HIDDEN_SHARE + HIDDEN_SHARE * np.exp(pull.contacts)
    rate: Floats = base * np.exp(pull.contacts * np.asarray(hidden)) / usual
    return rate


def draw_after_noise(n: int, rng: np.random.Generator) -> AfterNoise:
    """Return noise for n customers."""
    normal = {"amount", "minutes"}
    names = [field.name for field in fields(AfterNoise)]
    return AfterNoise(**{name: rng.standard_normal(n) if name in normal else rng.random(n) for name in names})


def draw_after(people: Conversations, route: str, noise: AfterNoise, *, pull: Pull, scale: float) -> After:
    """Return what would happen to each customer on a route; the same noise gives the other potential outcome."""
    after = law(people, route, people.hidden, pull=pull, scale=scale)
    solved = noise.solved < after.solved
    churned = noise.churn < np.where(solved, after.churn_solved, after.churn_unsolved)
    buys = noise.buys < np.where(churned, after.buys_leaving, after.buys_staying)
    mood = after.mood + np.log(noise.mood / (1 - noise.mood))
    csat = 1.0 + np.searchsorted(_CSAT_CUTS, mood).astype(np.float64)
    longer: Floats = after.minutes * np.exp(_MINUTES_NOISE * noise.minutes) * np.where(solved, 1.0, 1.5)
    return After(
        churned=churned.astype(np.float64),
        complained=(noise.complaint < after.complaint).astype(np.float64),
        csat=csat,
        csat_answered=(noise.answer < after.answer).astype(np.float64),
        margin=np.round(buys * after.amount * np.exp(_AMOUNT_NOISE * noise.amount - _AMOUNT_NOISE**2 / 2), 2),
        resolved=solved.astype(np.float64),
        minutes=np.round(longer, 1),
    )


def _churn_logit(people: Conversations) -> Floats:
    """Return the log odds of leaving within 90 days for those who stay with a bot that does not solve it."""
    logit: Floats = (
        -1.20
        + 0.27 * (people.complexity - MEAN_COMPLEXITY)
        - 1.00 * people.sentiment
        + _CHURN_BY_INTENT[people.intent]
        + _CHURN_BY_TIER[people.tier]
        + 0.10 * people.contacts_prev_90d
        + 0.05 * (people.bot_turns - 4)
        - 0.006 * people.tenure_months
        - 0.004 * people.margin_prev
        - 0.6 * (1 - people.failed)
    )
    return logit


def _minutes(people: Conversations, route: str) -> Floats:
    """Return the typical minutes that people spend on the customer afterwards: few where nobody took over."""
    minutes = _MINUTES_BY_INTENT[people.intent] * np.exp(0.08 * (people.complexity - MEAN_COMPLEXITY))
    return minutes if route == "human" else 0.25 * minutes
