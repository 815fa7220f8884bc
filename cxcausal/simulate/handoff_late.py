"""What a careless extract does: it starts the clock of those handed over when they were, not when the bot failed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxcausal.simulate.population import Floats

WINDOW_DAYS = 90
DELAY_DAYS = (2 / 24, 14.0)
"""A hand-off follows the failed intent by two hours to fourteen days."""

_DELAY_SKEW = 1.5
_LEAVING_SKEW = 1.6
_NODES = 2_000


@dataclass(frozen=True, kw_only=True)
class LateExtract:
    """What a late time zero does to the answer about churn, among eligible customers.

    Attributes:
        never_handed_over: share of those meant for a person who left before, and are counted with the bot.
        naive_churn: what the plain difference between the recorded routes comes to.
        adjusted_churn: estimand → what perfect adjustment for the declared confounders comes to.
    """

    never_handed_over: float
    naive_churn: float
    adjusted_churn: Mapping[str, float]


def leaving_day(uniform: Floats) -> Floats:
    """Return the day on which those who leave do so, 0 to 90 after the failed intent; many leave soon."""
    return WINDOW_DAYS * uniform**_LEAVING_SKEW


def delay_days(uniform: Floats) -> Floats:
    """Return how many days after the failed intent a person takes over."""
    low, high = DELAY_DAYS
    return low + (high - low) * uniform**_DELAY_SKEW


def late_extract(chance: Floats, churn: tuple[Floats, Floats]) -> LateExtract:
    """Return what the careless extract comes to.

    Meeting a person never makes a customer leave who would have stayed, so whoever would leave after meeting one
    would have left with the bot on the same day.

    Args:
        chance: of being meant for a person, given the confounders; shape (n,).
        churn: chance to leave with the bot, and with a person; shape (n,) each.
    """
    soon, (bot, human) = _gone_before(), churn
    lost = chance * bot * soon
    met, stayed = chance - lost, 1 - chance + lost
    among = (((1 - chance) * bot + lost) / stayed, chance * human * (1 - soon) / met)
    tilts = {"ate": np.ones_like(met), "att": met, "ato": met * stayed}
    return LateExtract(
        never_handed_over=float(lost.sum() / chance.sum()),
        naive_churn=float(np.average(among[1], weights=met) - np.average(among[0], weights=stayed)),
        adjusted_churn={name: float(np.average(among[1] - among[0], weights=tilt)) for name, tilt in tilts.items()},
    )


def _gone_before() -> float:
    """Return the chance that somebody who leaves does so before the hand-off, by the midpoint rule."""
    middle = (np.arange(_NODES) + 0.5) / _NODES
    return float(((delay_days(middle) / WINDOW_DAYS) ** (1 / _LEAVING_SKEW)).mean())
