"""Customers in households before anything happens to them: covariates, and the traits that no column shows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TIERS = ("basic", "plus", "premium")
INTENTS = ("password_reset", "order_status", "billing", "technical", "complaint")
AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
REGIONS = ("north", "east", "south", "west", "centre")
RELATIONSHIPS = ("new", "settled", "quiet_loyal")
QUIET_MONTHS, NEW_MONTHS, QUIET_CONTACTS = 48, 12, 1
QUIET_LOYAL = f"tier == 'premium' and tenure_months >= {QUIET_MONTHS} and contacts_prev_90d <= {QUIET_CONTACTS}"
"""The quiet, loyal customers as a plan's filter would name them."""
OPT_OUT_SHARE = 0.12

_HOUSEHOLD_SIZES = (0.42, 0.33, 0.13, 0.08, 0.04)
_INTENT_SHARES = (0.20, 0.20, 0.24, 0.22, 0.14)
_MOOD_BY_INTENT = np.array([0.15, 0.10, -0.15, -0.10, -0.45])
_CONTACTS_BY_INTENT = np.array([0.7, 0.7, 1.1, 1.3, 1.8])


@dataclass(frozen=True, kw_only=True)
class Population:
    """Customers as arrays of length n; coded columns index the tuples above.

    Attributes:
        household: code of the household, counted from 0, in runs.
        tier, intent, age_band, region, relationship: codes.
        tenure_months, contacts_prev_90d, opt_out: whole numbers, known before assignment.
        sentiment: -1 (angry) to 1 (happy), before assignment.
        margin_prev: contribution margin of the 90 days before, in the currency.
        risk: score between 0 and 1 from today's churn model. risk_top_third: 0/1, the rule in use today.
        buyer: 0/1, whether the customer ever orders anything; no column shows it.
        worth: latent log spending power (standard normal); no column shows it.
        frailty: latent household inclination to leave, in logits; no column shows it.
    """

    household: Ints
    tier: Ints
    intent: Ints
    age_band: Ints
    region: Ints
    relationship: Ints
    tenure_months: Ints
    contacts_prev_90d: Ints
    opt_out: Ints
    sentiment: Floats
    margin_prev: Floats
    risk: Floats
    risk_top_third: Ints
    buyer: Ints
    worth: Floats
    frailty: Floats

    @property
    def n(self) -> int:
        """Customers."""
        return len(self.household)

    @property
    def households(self) -> int:
        """Households."""
        return int(self.household[-1]) + 1


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), element by element.

    Example:
        >>> float(sigmoid(np.zeros(1))[0])
        0.5
    """
    return 1.0 / (1.0 + np.exp(-x))


def household_codes(n: int, rng: np.random.Generator) -> Ints:
    """Return n household codes in runs of one to five; the last household is cut where n ends."""
    sizes = rng.choice(np.arange(1, 6), size=n, p=_HOUSEHOLD_SIZES)
    codes: Ints = np.repeat(np.arange(n), sizes)
    return codes[:n]


def churn_logit(people: Population) -> Floats:
    """Return the log odds of leaving within 90 days when nobody gets in touch; shape (n,)."""
    logit: Floats = (
        -1.80
        - 0.011 * np.minimum(people.tenure_months, 120)
        + np.array([0.18, 0.0, -0.25])[people.tier]
        + np.array([-0.25, -0.20, 0.30, 0.20, 0.50])[people.intent]
        + 0.13 * np.minimum(people.contacts_prev_90d, 6)
        - 0.45 * people.sentiment
        - 0.10 * people.worth
        + people.frailty
    )
    return logit


def draw_population(n: int, rng: np.random.Generator) -> Population:
    """Return n customers.

    Args:
        n: customers, at least 1.
        rng: the only source of randomness.
    """
    household = household_codes(n, rng)
    count = int(household[-1]) + 1
    tenure = np.minimum(1 + np.floor(rng.gamma(1.4, 30.0, n)), 240).astype(np.int64)
    worth = 0.6 * rng.standard_normal(count)[household] + 0.8 * rng.standard_normal(n)
    tier = np.digitize(worth + 0.009 * tenure + 0.6 * rng.standard_normal(n), [0.55, 1.35]).astype(np.int64)
    intent = rng.choice(len(INTENTS), size=n, p=_INTENT_SHARES)
    contacts = rng.poisson(_CONTACTS_BY_INTENT[intent])
    mood: Floats = np.clip(_MOOD_BY_INTENT[intent] + 0.4 * rng.standard_normal(n), -1.0, 1.0)
    buyer = (rng.random(n) < sigmoid(1.1 + 0.5 * worth)).astype(np.int64)
    people = Population(
        household=household,
        tier=tier,
        intent=intent,
        age_band=rng.choice(len(AGE_BANDS), size=n, p=(0.2, 0.32, 0.28, 0.2)),
        region=rng.integers(0, len(REGIONS), count)[household],
        relationship=_relationship(tier, tenure, contacts),
        tenure_months=tenure,
        contacts_prev_90d=contacts,
        opt_out=(rng.random(n) < OPT_OUT_SHARE).astype(np.int64),
        sentiment=np.round(mood, 2),
        margin_prev=_margin_before(buyer, worth, rng),
        risk=np.zeros(n),
        risk_top_third=np.zeros(n, dtype=np.int64),
        buyer=buyer,
        worth=worth,
        frailty=0.35 * rng.standard_normal(count)[household],
    )
    return _with_risk(people, rng)


def _relationship(tier: Ints, tenure: Ints, contacts: Ints) -> Ints:
    quiet = (tier == TIERS.index("premium")) & (tenure >= QUIET_MONTHS) & (contacts <= QUIET_CONTACTS)
    return np.where(quiet, RELATIONSHIPS.index("quiet_loyal"), (tenure >= NEW_MONTHS).astype(np.int64))


def _margin_before(buyer: Ints, worth: Floats, rng: np.random.Generator) -> Floats:
    bought = buyer * (rng.random(len(worth)) < 0.96)  # noqa: PLR2004 - buyers who ordered in those 90 days
    return np.round(bought * np.exp(3.35 + 0.50 * worth + 0.15 * rng.standard_normal(len(worth))), 2)


def _with_risk(people: Population, rng: np.random.Generator) -> Population:
    """Return the customers with the score of a model that sees no latent trait, and is wrong by its own noise."""
    score = sigmoid(churn_logit(people) - people.frailty + 0.1 * people.worth + 0.35 * rng.standard_normal(people.n))
    risk = np.round(score, 4)
    top = (risk >= np.quantile(risk, 2 / 3)).astype(np.int64)
    fields = {name: getattr(people, name) for name in people.__dataclass_fields__}
    return Population(**{**fields, "risk": risk, "risk_top_third": top})
