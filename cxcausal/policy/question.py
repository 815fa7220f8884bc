"""What is asked of policies beside the turns and the costs, and the sides on which it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cxcausal.core.held_out import HeldOut, Rules, Side
from cxcausal.core.rows import Text


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What the plan names, and how sure an answer must be.

    Attributes:
        segments: declared ones, in the plan's order, over all n rows. protected: columns of `policy.protected`.
        modifiers: columns of the rows that readable rules may ask for. labels: arm → for readers.
        alpha: error level. seed: of the plan. population: customers of the roll-out, where declared.
        success: turns of the first success metric, for what contact may do to individuals; None where the policy's
            own aim is it, or where it has no turns.
    """

    segments: Mapping[str, Text] = field(default_factory=dict)
    protected: Mapping[str, Text] = field(default_factory=dict)
    modifiers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    alpha: float = 0.05
    seed: int = 1
    population: int | None = None
    success: HeldOut | None = None


def eligible_of(side: Side, rules: Rules) -> Side:
    """Return the eligible customers of a side."""
    may = rules.eligible[side.units]
    return side if may.all() else side.of(np.flatnonzero(may))


def everyone(held: HeldOut, rules: Rules) -> Side:
    """Return all eligible customers with scores from models that did not see them: for what learned nothing.

    The first turn learned from the blocks before the first that was judged, and has their scores out of fold.
    """
    sides = [held.turns[0].learned, *(turn.judged for turn in held.turns)]
    whole = Side(
        units=np.concatenate([side.units for side in sides]),
        scores=np.concatenate([side.scores for side in sides]),
        gains=np.concatenate([side.gains for side in sides]),
        means=np.concatenate([side.means for side in sides]),
    )
    return eligible_of(whole, rules)
