"""The outreach world: a randomised trial of bots, experts and agents, by household, with known truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import Problem, UsageError
from cxcausal.simulate.effects import ARMS, CONTACTS, CONTROL
from cxcausal.simulate.outcomes import Noise, Outcomes, draw_noise, draw_outcomes
from cxcausal.simulate.population import (
    AGE_BANDS,
    INTENTS,
    REGIONS,
    RELATIONSHIPS,
    TIERS,
    Floats,
    Ints,
    Population,
    draw_population,
)
from cxcausal.simulate.truth import Truth, truth_of

Column = npt.NDArray[Any]

_STREAMS = ("population", "assignment", "time", "noise", "ids")
_FIRST_DAY = np.datetime64("2026-05-04T00:00:00", "s")
_WEEKS = 8
_DAY = 86_400
_MATURE_AT = np.datetime64("2026-10-01T00:00:00", "s")
_EARLY_AT = np.datetime64("2026-09-14T00:00:00", "s")
_WINDOW_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawn world: what an analyst would be given, and the truth that they would not.

    Attributes:
        columns: name → array of shape (n,); a missing answer is NaN.
        truth: true effects, per arm and segment.
    """

    columns: Mapping[str, Column]
    truth: Truth


@dataclass(frozen=True, kw_only=True)
class OutreachWorld:
    """Who is drawn, how they are assigned, and how strong the effects are.

    Attributes:
        n: customers. seed: fixes every byte.
        arms: the control `none` and any of `bot`, `gig`, `agent`.
        shares: planned shares of households per arm, exact fractions as text that sum to 1.
        effect_scale: multiplies every effect of contact on outcomes; 0 is a null world (costs remain).
        mature: whether every customer's 90 days are over at `extracted_at`; if not, the last weeks are cut short.

    Raises:
        UsageError: an option has no meaning.

    Example:
        >>> drawn = OutreachWorld(n=2_000, seed=1, arms=("none", "gig"), shares=("1/2", "1/2")).draw()
        >>> len(drawn.columns["customer_id"])
        2000
    """

    name: ClassVar[str] = "outreach"
    n: int = 60_000
    seed: int = 1
    arms: tuple[str, ...] = ARMS
    shares: tuple[str, ...] = ("2/5", "1/5", "1/5", "1/5")
    effect_scale: float = 1.0
    mature: bool = True

    def __post_init__(self) -> None:
        """Tell every option that makes no sense, at once."""
        problems = tuple(_problems(self))
        if problems:
            raise UsageError(problems)

    @property
    def costs(self) -> Mapping[str, float]:
        """What one contact of each arm costs, in the currency."""
        return {arm: CONTACTS[arm].unit_cost for arm in self.arms if arm in CONTACTS}

    def draw(self) -> Drawn:
        """Return the data and the truth; equal worlds give equal draws."""
        rng = {name: np.random.default_rng([self.seed, stream]) for stream, name in enumerate(_STREAMS)}
        people = draw_population(self.n, rng["population"])
        noise = draw_noise(self.n, rng["noise"])
        outcomes = {arm: draw_outcomes(people, arm, noise, scale=self.effect_scale) for arm in self.arms}
        assigned = assign_households(people.households, self.shares, rng["assignment"])[people.household]
        seconds = rng["time"].integers(0, _WEEKS * 7 * _DAY, people.households)[people.household]
        observed = Outcomes(
            **{
                name: np.choose(assigned, [getattr(outcomes[arm], name) for arm in self.arms])
                for name in Outcomes.__dataclass_fields__
            }
        )
        columns = {
            **_identity(people, rng["ids"]),
            "arm": np.array(self.arms)[assigned],
            **_calendar(self, seconds),
            **_covariates(people),
            **_results(observed, _seen(self, noise, seconds)),
        }
        return Drawn(columns=columns, truth=truth_of(people, outcomes, scale=self.effect_scale))


def assign_households(households: int, shares: tuple[str, ...], rng: np.random.Generator) -> Ints:
    """Return an arm code per household: exactly the planned shares, up to rounding (largest remainders).

    Example:
        >>> codes = assign_households(8, ("1/2", "1/4", "1/4"), np.random.default_rng(1))
        >>> np.bincount(codes).tolist()
        [4, 2, 2]
    """
    wanted = [Fraction(share) * households for share in shares]
    counts = [int(count) for count in wanted]
    by_remainder = sorted(range(len(shares)), key=lambda arm: counts[arm] - wanted[arm])
    for arm in by_remainder[: households - sum(counts)]:
        counts[arm] += 1
    return rng.permutation(np.repeat(np.arange(len(shares)), counts))


def _problems(world: OutreachWorld) -> list[Problem]:
    found = []
    if world.n < 1:
        found.append(_problem("n", f"{world.n} customers can't be drawn", "ask for at least 1"))
    if world.seed < 0:
        found.append(_problem("seed", f"{world.seed} is negative", "use a whole number from 0"))
    if not 0 <= world.effect_scale <= 2:  # noqa: PLR2004 - beyond twice the effects the order rates leave their range
        found.append(_problem("effect_scale", f"{world.effect_scale} is out of range", "use 0 to 2; 0 is a null world"))
    known = set(world.arms) <= set(ARMS) and len(set(world.arms)) == len(world.arms)
    if not known or CONTROL not in world.arms or len(world.arms) < 2:  # noqa: PLR2004 - a trial has two arms
        text = f"'{', '.join(world.arms)}' is not a set of arms"
        found.append(_problem("arms", text, f"name none and at least one of {', '.join(ARMS[1:])}"))
    if len(world.shares) != len(world.arms) or not _sum_to_one(world.shares):
        text = f"'{', '.join(world.shares)}' are not the shares of {len(world.arms)} arms"
        found.append(_problem("shares", text, "give one positive fraction per arm, such as 1/2,1/4,1/4, that sum to 1"))
    return found


def _sum_to_one(shares: tuple[str, ...]) -> bool:
    try:
        exact = [Fraction(share) for share in shares]
    except (ValueError, ZeroDivisionError):
        return False
    return all(share > 0 for share in exact) and sum(exact) == 1


def _problem(option: str, what: str, mend: str) -> Problem:
    return Problem(where=f"simulate outreach {option}", code="U210", what=what, mend=mend)


def _identity(people: Population, rng: np.random.Generator) -> dict[str, Column]:
    """Return ids as text with leading zeros, in an order that tells nothing."""
    customers = rng.permutation(people.n) + 1
    households = (rng.permutation(people.households) + 1)[people.household]
    return {
        "customer_id": np.char.zfill(customers.astype(np.str_), 9),
        "household_id": np.char.zfill(households.astype(np.str_), 8),
    }


def _calendar(world: OutreachWorld, seconds: Ints) -> dict[str, Column]:
    cut = _MATURE_AT if world.mature else _EARLY_AT
    return {
        "assigned_at": _FIRST_DAY + seconds.astype("timedelta64[s]"),
        "extracted_at": np.full(world.n, cut),
    }


def _seen(world: OutreachWorld, noise: Noise, seconds: Ints) -> Floats:
    """Return 1 where the day of leaving, if any, lies before the extract, else 0."""
    if world.mature:
        return np.ones(world.n)
    elapsed = ((_EARLY_AT - _FIRST_DAY).astype(np.int64) - seconds) / _DAY
    return (noise.churn_day * _WINDOW_DAYS <= elapsed).astype(np.float64)


def _covariates(people: Population) -> dict[str, Column]:
    return {
        "tenure_months": people.tenure_months,
        "tier": np.array(TIERS)[people.tier],
        "intent": np.array(INTENTS)[people.intent],
        "relationship": np.array(RELATIONSHIPS)[people.relationship],
        "contacts_prev_90d": people.contacts_prev_90d,
        "margin_prev_90d": people.margin_prev,
        "sentiment_before": people.sentiment,
        "age_band": np.array(AGE_BANDS)[people.age_band],
        "region": np.array(REGIONS)[people.region],
        "risk_score": people.risk,
        "risk_top_third": people.risk_top_third,
        "marketing_opt_out": people.opt_out,
    }


def _results(observed: Outcomes, seen: Floats) -> dict[str, Column]:
    whole = np.int64
    return {
        "reached": observed.reached.astype(whole),
        "churned_90d": (observed.churned * seen).astype(whole),
        "margin_90d": observed.margin,
        "revenue_90d": observed.revenue,
        "orders_90d": observed.orders.astype(whole),
        "csat_answered": observed.csat_answered.astype(whole),
        "csat": np.where(observed.csat_answered > 0, observed.csat, np.nan),
        "nps_answered": observed.nps_answered.astype(whole),
        "nps_answer": np.where(observed.nps_answered > 0, observed.nps_rating, np.nan),
        "complained_30d": observed.complained.astype(whole),
        "handle_minutes_30d": observed.minutes,
        "resolved_first_contact": observed.resolved.astype(whole),
    }
