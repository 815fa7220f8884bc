"""Columns that can't make a segment by what they hold: one that is a copy of the treatment, or of what is measured."""

import numpy as np
import numpy.typing as npt

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats
from cxcausal.scoring.overlap import discrimination
from cxcausal.scoring.road import ScoreRoad

MOST_SEPARATION = 0.99
"""Of two units in different arms, the chance that the segment alone tells which is which: from here on it is a copy."""
MOST_EXPLAINED = 0.98**2
"""The share of an outcome's variation within arms that a segment may explain: a correlation of .98, as of leakage."""
FEWEST_OF_LEVEL = 20
"""Units below which levels are taken together: rare ones tell units apart, and nothing else."""


def why_no_segment(road: ScoreRoad, by: str, measure: Measure) -> str | None:
    """Return why nothing may be told within the levels of a column; None where it may.

    Args:
        road: with the units.
        by: the segment's column.
        measure: whose effects are asked for.
    """
    codes = _levels(road, by)
    if _tells_arms(road, codes) >= MOST_SEPARATION:
        return f"'{by}' alone all but tells who was treated, so it makes no segment: not shown"
    if _explained(road, codes, measure) >= MOST_EXPLAINED:
        return f"'{by}' all but gives the outcome away, so it makes no segment: not shown"
    return None


def _levels(road: ScoreRoad, by: str) -> npt.NDArray[np.int64]:
    """Return the place of every unit's level, rare levels as one, shape (n,)."""
    text = road.rows.texts[by]
    rare = np.bincount(text.codes, minlength=len(text.levels)) < FEWEST_OF_LEVEL
    return np.where(rare[text.codes], len(text.levels), text.codes).astype(np.int64)


def _tells_arms(road: ScoreRoad, codes: npt.NDArray[np.int64]) -> float:
    arms = (road.rows.units_of(arm) for arm in road.rows.arms)
    return max((discrimination(_means(codes, own.astype(np.float64)), own) for own in arms), default=0.5)


def _explained(road: ScoreRoad, codes: npt.NDArray[np.int64], measure: Measure) -> float:
    """Return the share of the variation within arms that levels explain; 0 where nothing varies.

    One level more than another in arms explains nothing, so levels are counted within each arm.
    """
    values = road.values(measure)[0]
    own, total = 0.0, 0.0
    for place, arm in enumerate(road.rows.arms):
        units: Flags = road.rows.units_of(arm) & values.seen
        outcome: Floats = values.of(place)[units]
        if len(outcome):
            total += float(np.sum((outcome - outcome.mean()) ** 2))
            own += float(np.sum((outcome - _means(codes[units], outcome)) ** 2))
    return 1 - own / total if total > 0 else 0.0


def _means(codes: npt.NDArray[np.int64], values: Floats) -> Floats:
    """Return for every unit the mean of its level, shape (n,)."""
    sums, counts = np.bincount(codes, weights=values), np.bincount(codes)
    return np.asarray((sums / np.maximum(counts, 1))[codes])
