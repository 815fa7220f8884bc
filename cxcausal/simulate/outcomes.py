"""Potential outcomes under one arm: drawn from noise that all arms share, or as exact conditional means."""

from dataclasses import dataclass, fields

import numpy as np

from cxcausal.simulate.effects import Shift, reach_probability, shift_of
from cxcausal.simulate.population import Floats, Population, churn_logit, sigmoid

_CSAT_CUTS = (-2.6, -1.5, -0.4, 1.1)
_NPS_CUTS = (-3.6, -3.1, -2.7, -2.3, -1.9, -1.3, -0.8, -0.1, 0.7, 1.6)
_PROMOTER, _PASSIVE = 9, 7
_MARGIN_RATE = np.array([0.30, 0.34, 0.38])
_LOST_ORDERS = 0.6
_MOST_ORDERS = 20
_BASKET_NOISE = 0.3
_MINUTES_NOISE = 0.6


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Everything random about what follows, shared by all arms; uniform (or standard normal), shape (n,) each."""

    reach: Floats
    churn: Floats
    churn_day: Floats
    complaint: Floats
    mood: Floats
    csat_answer: Floats
    nps_answer: Floats
    resolution: Floats
    orders: Floats
    basket: Floats
    again: Floats
    minutes: Floats


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What happens under one arm, or its conditional mean; arrays of shape (n,).

    `csat` and `nps` are what each customer would answer (NPS scored -100, 0 or 100); `csat_given` and `nps_given` are
    the same times having answered, so that respondents' means are ratios of sums. `nps_rating` is 0 to 10
    (NaN where these are means, since no effect is measured on it).
    """

    reached: Floats
    churned: Floats
    complained: Floats
    csat: Floats
    csat_answered: Floats
    csat_given: Floats
    nps: Floats
    nps_answered: Floats
    nps_given: Floats
    nps_rating: Floats
    resolved: Floats
    orders: Floats
    revenue: Floats
    margin: Floats
    minutes: Floats


@dataclass(frozen=True, kw_only=True)
class _Odds:
    """The law of the outcomes, given whether the contact reached the customer."""

    churn: Floats
    complaint: Floats
    mood: Floats
    csat_answer: Floats
    nps_answer: Floats
    resolution: Floats
    orders: Floats
    basket: Floats
    again: Floats
    minutes: Floats


def draw_noise(n: int, rng: np.random.Generator) -> Noise:
    """Return noise for n customers."""
    normal = {"basket", "minutes"}
    names = [field.name for field in fields(Noise)]
    return Noise(**{name: rng.standard_normal(n) if name in normal else rng.random(n) for name in names})


def draw_outcomes(people: Population, arm: str, noise: Noise, *, scale: float) -> Outcomes:
    """Return what would happen to each customer under the arm.

    The same noise under another arm gives the other potential outcome, so differences are exact individual effects.
    """
    reached = (noise.reach < reach_probability(people, arm)).astype(np.float64)
    odds = _odds(people, shift_of(people, arm, scale=scale), reached)
    churned = (noise.churn < odds.churn).astype(np.float64)
    mood = odds.mood + np.log(noise.mood / (1 - noise.mood))
    rating = _cuts_below(mood, _NPS_CUTS)
    csat = 1.0 + _cuts_below(mood, _CSAT_CUTS)
    nps = 100.0 * ((rating >= _PROMOTER).astype(np.float64) - (rating < _PASSIVE))
    csat_answered = (noise.csat_answer < odds.csat_answer).astype(np.float64)
    nps_answered = (noise.nps_answer < odds.nps_answer).astype(np.float64)
    orders = _poisson(odds.orders * (1 - _LOST_ORDERS * churned), noise.orders)
    revenue = orders * odds.basket * np.exp(_BASKET_NOISE * noise.basket - _BASKET_NOISE**2 / 2)
    return Outcomes(
        reached=reached,
        churned=churned,
        complained=(noise.complaint < odds.complaint).astype(np.float64),
        csat=csat,
        csat_answered=csat_answered,
        csat_given=csat * csat_answered,
        nps=nps,
        nps_answered=nps_answered,
        nps_given=nps * nps_answered,
        nps_rating=rating,
        resolved=(noise.resolution < odds.resolution).astype(np.float64),
        orders=orders,
        revenue=np.round(revenue, 2),
        margin=np.round(revenue * _MARGIN_RATE[people.tier], 2),
        minutes=np.round(
            (noise.again < odds.again) * odds.minutes * np.exp(_MINUTES_NOISE * noise.minutes - _MINUTES_NOISE**2 / 2),
            1,
        ),
    )


def expected_outcomes(people: Population, arm: str, *, scale: float) -> Outcomes:
    """Return each customer's mean outcomes under the arm, given their traits and free of outcome noise."""
    reach, shift = reach_probability(people, arm), shift_of(people, arm, scale=scale)
    missed = _means(people, _odds(people, shift, np.zeros(people.n)), 0.0)
    met = _means(people, _odds(people, shift, np.ones(people.n)), 1.0)
    names = [field.name for field in fields(Outcomes)]
    return Outcomes(**{name: (1 - reach) * getattr(missed, name) + reach * getattr(met, name) for name in names})


def _odds(people: Population, shift: Shift, reached: Floats) -> _Odds:
    """Return the law of every outcome for customers of whom some are `reached` (0/1)."""
    again = (
        -0.35 + np.array([-0.5, -0.4, 0.2, 0.4, 0.5])[people.intent] + 0.15 * np.minimum(people.contacts_prev_90d, 6)
    )
    minutes = np.array([6.0, 6.0, 11.0, 15.0, 17.0])[people.intent]
    unhappy = np.array([-0.6, -0.5, 0.1, 0.1, 1.3])[people.intent]
    fixed = np.array([1.2, 1.1, 0.3, 0.0, -0.4])[people.intent]
    return _Odds(
        churn=sigmoid(churn_logit(people) + reached * shift.churn),
        complaint=sigmoid(-4.15 + unhappy - 0.6 * people.sentiment + reached * shift.complaint),
        mood=0.35 + 1.2 * people.sentiment + reached * shift.satisfaction,
        csat_answer=sigmoid(-0.35 + 0.4 * people.sentiment + reached * shift.answering),
        nps_answer=sigmoid(-1.15 + 0.4 * people.sentiment + reached * shift.answering),
        resolution=sigmoid(fixed + reached * shift.resolution),
        orders=people.buyer * np.minimum(np.exp(0.80 + 0.20 * people.worth), 4.0) * (1 + reached * shift.orders),
        basket=np.exp(3.85 + 0.30 * people.worth),
        again=sigmoid(again),
        minutes=minutes * np.exp(reached * shift.minutes),
    )


def _means(people: Population, odds: _Odds, reached: float) -> Outcomes:
    nps = 100.0 * (sigmoid(odds.mood - _NPS_CUTS[_PROMOTER - 1]) - sigmoid(_NPS_CUTS[_PASSIVE - 1] - odds.mood))
    csat = 1.0 + np.sum([sigmoid(odds.mood - cut) for cut in _CSAT_CUTS], axis=0)
    orders = odds.orders * (1 - _LOST_ORDERS * odds.churn)
    return Outcomes(
        reached=np.full(people.n, reached),
        churned=odds.churn,
        complained=odds.complaint,
        csat=csat,
        csat_answered=odds.csat_answer,
        csat_given=csat * odds.csat_answer,
        nps=nps,
        nps_answered=odds.nps_answer,
        nps_given=nps * odds.nps_answer,
        nps_rating=np.full(people.n, np.nan),
        resolved=odds.resolution,
        orders=orders,
        revenue=orders * odds.basket,
        margin=orders * odds.basket * _MARGIN_RATE[people.tier],
        minutes=odds.again * odds.minutes,
    )


def _cuts_below(mood: Floats, cuts: tuple[float, ...]) -> Floats:
    """Return how many of the cuts each latent mood exceeds: the answer on a rating scale that starts at 0."""
    return np.searchsorted(np.array(cuts), mood).astype(np.float64)


def _poisson(rate: Floats, uniform: Floats) -> Floats:
    """Return Poisson counts by inversion, so that a higher rate never gives fewer; rates stay below 5."""
    mass = np.exp(-rate)
    reached = mass.copy()
    count = np.zeros_like(rate)
    for k in range(1, _MOST_ORDERS):
        count += uniform > reached
        mass = mass * rate / k
        reached += mass
    return count
