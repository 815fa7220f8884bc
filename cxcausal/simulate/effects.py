"""What each kind of contact does to a customer it reaches: the truth that an analysis must find again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxcausal.simulate.population import OPT_OUT_SHARE, RELATIONSHIPS, Floats, Population, sigmoid

ByIntent = tuple[float, float, float, float, float]
"""One number per intent, in the order of `INTENTS`: password_reset, order_status, billing, technical, complaint."""

CONTROL = "none"
RETAINED_CUSTOMER = 240.0
"""What a customer who stays is worth beyond the window, in the currency; the example of configs/value.yaml."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One arm: what it costs, whom it reaches, and its effects on those reached.

    Attributes:
        label: plain words. unit_cost: per customer reached, in the currency. reach: share reached on average.
        churn, complaint, resolution: shifts of the log odds by intent.
        satisfaction: shift of the latent mood behind CSAT and NPS by intent (logistic units).
        sting: shift of the log odds of leaving for quiet, loyal customers, who would rather be left alone.
        answering: shift of the log odds of answering a survey, larger for the happy.
        orders: relative change of the order rate. minutes: shift of the log of later service minutes.
    """

    label: str
    unit_cost: float
    reach: float
    churn: ByIntent
    complaint: ByIntent
    satisfaction: ByIntent
    resolution: ByIntent
    sting: float
    answering: float
    orders: float
    minutes: float


CONTACTS: Mapping[str, Contact] = {
    "bot": Contact(
        label="Bot message",
        unit_cost=0.35,
        reach=0.92,
        churn=(-0.30, -0.24, 0.02, 0.05, 0.24),
        complaint=(-0.10, -0.10, 0.05, 0.10, 0.40),
        satisfaction=(0.20, 0.15, -0.10, -0.12, -0.45),
        resolution=(0.60, 0.50, -0.10, -0.15, -0.40),
        sting=0.20,
        answering=0.05,
        orders=0.0,
        minutes=-0.02,
    ),
    "gig": Contact(
        label="Customer expert calls",
        unit_cost=3.2,
        reach=0.62,
        churn=(-0.04, -0.04, -0.56, -0.54, -0.38),
        complaint=(-0.10, -0.10, -0.60, -0.55, -0.60),
        satisfaction=(0.05, 0.05, 0.40, 0.40, 0.40),
        resolution=(0.10, 0.10, 0.50, 0.55, 0.35),
        sting=0.90,
        answering=0.30,
        orders=0.03,
        minutes=-0.08,
    ),
    "agent": Contact(
        label="Agent calls",
        unit_cost=8.5,
        reach=0.66,
        churn=(-0.02, -0.02, -0.48, -0.40, -0.62),
        complaint=(-0.05, -0.05, -0.55, -0.50, -0.80),
        satisfaction=(0.00, 0.00, 0.35, 0.30, 0.55),
        resolution=(0.05, 0.05, 0.45, 0.40, 0.60),
        sting=0.90,
        answering=0.30,
        orders=0.02,
        minutes=-0.06,
    ),
}
ARMS = (CONTROL, *CONTACTS)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How one contact, if it reaches them, moves each customer; arrays of shape (n,), zero without contact."""

    churn: Floats
    complaint: Floats
    satisfaction: Floats
    resolution: Floats
    answering: Floats
    orders: Floats
    minutes: Floats


def reach_probability(people: Population, arm: str) -> Floats:
    """Return the chance that a contact assigned to each customer is delivered; zero for the control arm."""
    if arm == CONTROL:
        return np.zeros(people.n)
    reach = CONTACTS[arm].reach
    return sigmoid(np.log(reach / (1 - reach)) + 0.25 * people.sentiment - 0.5 * (people.opt_out - OPT_OUT_SHARE))


def shift_of(people: Population, arm: str, *, scale: float) -> Shift:
    """Return what the arm does to each customer it reaches.

    Angry customers gain more from a person, and quiet, loyal ones are disturbed by any contact.

    Args:
        people: the customers.
        arm: one of `ARMS`.
        scale: multiplies every effect; 0 is a world in which contact does nothing.
    """
    zero = np.zeros(people.n)
    if arm == CONTROL:
        return Shift(**dict.fromkeys(Shift.__dataclass_fields__, zero))
    contact, quiet = CONTACTS[arm], people.relationship == RELATIONSHIPS.index("quiet_loyal")
    need = scale * (1 - 0.4 * people.sentiment)
    return Shift(
        churn=np.where(quiet, scale * contact.sting, need * _by_intent(contact.churn, people)),
        complaint=scale * (_by_intent(contact.complaint, people) + 0.3 * quiet),
        satisfaction=scale * (_by_intent(contact.satisfaction, people) - 0.3 * quiet),
        resolution=scale * _by_intent(contact.resolution, people),
        answering=scale * contact.answering * (1 + people.sentiment),
        orders=zero + scale * contact.orders,
        minutes=zero + scale * contact.minutes,
    )


def _by_intent(values: ByIntent, people: Population) -> Floats:
    return np.array(values, dtype=np.float64)[people.intent]
