"""Each unit's weight in its arm's mean of a target population, as the effects use them."""

from cxcausal.core.rows import Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.road import ScoreRoad


def arm_weights(road: ScoreRoad, target: Target, contrast: tuple[str, str], arm: str) -> Floats:
    """Return the weights of one arm's units in one contrast, 0 for all others, shape (n,); from the first split.

    Args:
        road: with the units and their propensities.
        target: whose effect is told.
        contrast: the treated arm, whose units the target `att` is, and the other one.
        arm: of the two the one whose weights are wanted.
    """
    place = road.rows.arms.index(arm)
    treated = contrast[0] if target == "att" else road.rows.arms[0]
    weights = road.tilt(target, treated, 0).h * road.inverse(target, place, 0)
    weights[road.rows.arm != place] = 0.0
    return weights
