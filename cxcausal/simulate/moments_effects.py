"""What each answer does to a customer at a moment of truth: the law of the outcomes, in closed form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cxcausal.simulate.effects import RETAINED_CUSTOMER, ByIntent
from cxcausal.simulate.moments_people import ARMS, OPT_OUT_SHARE, Moments, age_chances, leaving_logit
from cxcausal.simulate.population import Floats, sigmoid

_AMOUNT_NOISE = 0.6
_LOST_SHARE = 0.6
"""Of the chance to buy, that those who leave lose."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One arm beside the bot.

    Attributes:
        label: plain words. unit_cost: per customer, in the currency.
        leaving: shift of the log odds of leaving by intent. by_tier, by_age: factors of it, in the levels' order.
        sting: the shift for those who would rather be left alone (`SLEEPING`), in place of all of that.
        buying: shift of the log odds of buying by intent. complaint: of complaining.
    """

    label: str
    unit_cost: float
    leaving: ByIntent
    by_tier: tuple[float, float, float]
    by_age: tuple[float, float, float, float]
    sting: float
    buying: ByIntent
    complaint: ByIntent


ANSWERS: Mapping[str, Answer] = {
    "gig": Answer(
        label="Customer expert calls",
        unit_cost=3.2,
        leaving=(-0.02, -0.04, -0.46, -0.50, -0.26),
        by_tier=(1.15, 1.0, 0.75),
        by_age=(1.1, 1.05, 0.95, 0.85),
        sting=0.55,
        buying=(0.0, 0.0, 0.10, 0.14, 0.0),
        complaint=(0.05, 0.05, -0.45, -0.50, -0.40),
    ),
    "agent": Answer(
        label="Agent calls",
        unit_cost=8.5,
        leaving=(-0.02, -0.02, -0.44, -0.36, -0.74),
        by_tier=(0.85, 1.0, 1.35),
        by_age=(0.8, 0.95, 1.1, 1.25),
        sting=0.50,
        buying=(0.0, 0.0, 0.08, 0.06, 0.12),
        complaint=(0.05, 0.05, -0.40, -0.40, -0.75),
    ),
}
UNIT_COSTS = np.array([0.0, *(ANSWERS[arm].unit_cost for arm in ARMS[1:])])
"""Of every arm per customer, shape (arms,)."""


@dataclass(frozen=True, kw_only=True)
class Chances:
    """The law of the outcomes under one arm, given what the columns show; shape (n,) each.

    Attributes:
        leaving, complaint: chances. buying, buying_after: chance of any margin for those who stay, and who left.
        amount: mean margin of those who buy, in the currency.
    """

    leaving: Floats
    complaint: Floats
    buying: Floats
    buying_after: Floats
    amount: Floats

    @property
    def margin(self) -> Floats:
        """The mean margin of the window."""
        return self.amount * ((1 - self.leaving) * self.buying + self.leaving * self.buying_after)

    @property
    def worth(self) -> Floats:
        """Margin of the window, less what those who leave would have been worth beyond it."""
        return self.margin - RETAINED_CUSTOMER * self.leaving


@dataclass(frozen=True, kw_only=True)
class Luck:
    """Everything random about what follows, shared by all arms; uniform, but for `amount`: standard normal."""

    leaving: Floats
    complaint: Floats
    buying: Floats
    amount: Floats


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What happens under one arm, shape (n,) each."""

    churned: Floats
    complained: Floats
    margin: Floats

    @property
    def worth(self) -> Floats:
        """Margin of the window, less what those who leave would have been worth beyond it."""
        return self.margin - RETAINED_CUSTOMER * self.churned


def chances(people: Moments, arm: str, *, scale: float) -> Chances:
    """Return the law of the outcomes under an arm.

    Args:
        people: the customers.
        arm: one of `ARMS`.
        scale: multiplies every effect; 0 is a world in which nobody's answer matters.
    """
    leaving, buying, complaint = (np.zeros(people.n) for _ in range(3))
    if arm != ARMS[0]:
        answer = ANSWERS[arm]
        need = np.array(answer.by_tier)[people.tier] * np.array(answer.by_age)[people.age_band]
        need = need * (1 - 0.3 * people.sentiment) * np.where(people.opt_out == 1, 0.4, 1.0)
        leaving = scale * np.where(people.sleeping, answer.sting, need * np.array(answer.leaving)[people.intent])
        buying = scale * np.where(people.sleeping, -0.15, np.array(answer.buying)[people.intent])
        complaint = scale * (np.array(answer.complaint)[people.intent] + 0.3 * people.sleeping)
    habit = -0.9 + 0.40 * np.log1p(people.margin_prev) + np.array([0.0, 0.1, 0.2])[people.tier]
    annoyed = np.array([-0.6, -0.5, 0.1, 0.1, 1.2])[people.intent]
    stays = sigmoid(habit + buying)
    return Chances(
        leaving=sigmoid(leaving_logit(people) + leaving),
        complaint=sigmoid(-3.9 + annoyed - 0.6 * people.sentiment + complaint),
        buying=stays,
        buying_after=(1 - _LOST_SHARE) * stays,
        amount=np.exp(2.75 + 0.16 * np.log1p(people.margin_prev) + np.array([0.0, 0.2, 0.45])[people.tier]),
    )


def draw_luck(n: int, rng: np.random.Generator) -> Luck:
    """Return luck for n customers."""
    leaving, complaint, buying = (rng.random(n) for _ in range(3))
    return Luck(leaving=leaving, complaint=complaint, buying=buying, amount=rng.standard_normal(n))


def happen(law: Chances, luck: Luck) -> Happened:
    """Return what happens: the same luck under another arm gives the other potential outcome of each customer."""
    churned = (luck.leaving < law.leaving).astype(np.float64)
    buys = luck.buying < np.where(churned == 1, law.buying_after, law.buying)
    amount = law.amount * np.exp(_AMOUNT_NOISE * luck.amount - _AMOUNT_NOISE**2 / 2)
    margin: Floats = np.where(buys, amount, 0.0)
    return Happened(
        churned=churned,
        complained=(luck.complaint < law.complaint).astype(np.float64),
        margin=np.round(margin, 2),
    )


def net_values(people: Moments, *, scale: float = 1.0) -> Floats:
    """Return the expected net value of every arm for every customer, in the currency, shape (n, arms).

    Exact: the law of the outcomes depends on nothing but what the columns show.
    """
    worth = np.column_stack([chances(people, arm, scale=scale).worth for arm in ARMS])
    return np.asarray(worth - UNIT_COSTS)


def net_values_unseen(people: Moments, *, scale: float = 1.0) -> Floats:
    """Return the net value of every arm expected by whoever knows neither age nor opt-out, shape (n, arms).

    Exact: the mean of `net_values` over both, given all other columns.

    Example:
        >>> from cxcausal.simulate.moments_people import draw_moments
        >>> people = draw_moments(50_000, np.random.default_rng(1))
        >>> gap = net_values(people) - net_values_unseen(people)
        >>> bool(np.abs(gap[:, 1:].mean(axis=0)).max() < 0.1 < gap[:, 1:].std(axis=0).min())
        True
    """
    total = np.zeros((people.n, len(ARMS)))
    for age, chance in enumerate(age_chances(people).T):
        for opt_out, share in ((0, 1 - OPT_OUT_SHARE), (1, OPT_OUT_SHARE)):
            both = replace(people, age_band=np.full(people.n, age), opt_out=np.full(people.n, opt_out))
            total += (chance * share)[:, None] * net_values(both, scale=scale)
    return total
