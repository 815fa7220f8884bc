"""Whether there are units enough of every arm to learn anything of it."""

import numpy as np

from cxcausal.core.rows import Flags
from cxcausal.scoring.road import ScoreRoad

FEWEST_TO_LEARN = 20
"""Units of an arm outside any fold below which nothing is learned of it."""


def why_too_few(road: ScoreRoad, seen: Flags | None = None) -> str | None:
    """Return why nothing can be learned; None where it can.

    Args:
        road: with the units.
        seen: which of them have a value, shape (n,); all by default.
    """
    if road.rows.n == 0:
        return "there are no units to analyse"
    for arm in road.rows.arms:
        own = road.rows.units_of(arm) & (True if seen is None else seen)
        if _left(road, own) < FEWEST_TO_LEARN:
            return f"arm '{arm}' has too few customers to learn from (at least {FEWEST_TO_LEARN} outside every fold)"
    return None


def _left(road: ScoreRoad, own: Flags) -> int:
    """Return how many of some units are outside the fold that holds most of them, over all repeats."""
    folds, total = road.recipe.folds, int(own.sum())
    fullest = max(int(np.bincount(fold[own], minlength=folds).max()) for fold in road.nuisances.folds)
    return total - fullest
