"""What a budget gains: by predicted value, and with the best single arm for as many customers drawn by lot."""

from dataclasses import replace

import numpy as np

from cxcausal.core.held_out import Spending
from cxcausal.core.whom import FrontierPoint
from cxcausal.policy.best_arm import BestArm, by_lot
from cxcausal.policy.predicted import Dealt, Limited
from cxcausal.policy.prices import Prices
from cxcausal.policy.seen import Chooser, Seen
from cxcausal.policy.valuing import Sides, of_choosers
from cxcausal.policy.worth import Judging

SHARES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Of the full budget: what contacting all who seem to gain costs, as far as capacities go."""


def full_budget(seen: Seen) -> float:
    """Return what contacting all who seem to gain costs per customer, as far as capacities go."""
    spending = replace(seen.setting.spending, budget=None)
    arms = seen.prices_at(spending).best(seen.lots, spending.cost)
    return max(float(np.average(spending.cost[arms], weights=seen.weight)), 0.0)


def frontier_of(sides: tuple[Sides, ...], judging: Judging, alpha: float) -> tuple[FrontierPoint, ...]:
    """Return points of the frontier; none where contacting costs nothing, or nobody seems to gain.

    Budgets are shares of what contacting all who seem to gain costs among those judged; a point's budget is the mean
    over turns.
    """
    full = [full_budget(turn.judged) for turn in sides]
    if not any(full):
        return ()
    weights = [turn.judged.weight.sum() for turn in sides]
    prices: list[Prices | None] = [None] * len(sides)
    points = []
    for share in SHARES[::-1]:
        limits = [_limited(turn, share * budget) for turn, budget in zip(sides, full, strict=True)]
        found = [turn.judged.prices_at(own, start) for turn, own, start in zip(sides, limits, prices, strict=True)]
        prices = list(found)
        lots = tuple(by_lot(turn.learned, own) for turn, own in zip(sides, limits, strict=True))
        budget = share * float(np.average(full, weights=weights))
        dealt = tuple(Dealt(spending=own, start=start) for own, start in zip(limits, found, strict=True))
        points.append(_point(sides, judging, alpha, (dealt, lots), (budget, share)))
    return tuple(points[::-1])


def break_even(sides: tuple[Sides, ...]) -> float:
    """Return the budget per customer beyond which nobody is left who seems to gain, the mean over turns."""
    return float(np.average([full_budget(turn.judged) for turn in sides],
                            weights=[turn.judged.weight.sum() for turn in sides]))  # fmt: skip


def _limited(turn: Sides, budget: float) -> Spending:
    return replace(turn.judged.setting.spending, budget=budget)


def _point(
    sides: tuple[Sides, ...],
    judging: Judging,
    alpha: float,
    rules: tuple[tuple[Chooser, ...], tuple[Chooser, ...]],
    budget: tuple[float, float],
) -> FrontierPoint:
    chosen, drawn = of_choosers(Limited(), rules[0], sides), of_choosers(BestArm(), rules[1], sides)
    gain, untargeted, beyond = judging.told(
        np.column_stack([chosen.gains, drawn.gains, chosen.gains - drawn.gains]), alpha
    )
    return FrontierPoint(
        budget=budget[0],
        share_of_full=budget[1],
        contacted=float(chosen.share[1:].sum()),
        gain=gain,
        untargeted=untargeted,
        beyond=beyond,
    )
