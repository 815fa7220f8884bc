"""How well each covariate alone tells who was treated: one that decides it is no cause of it, but its definition."""

import numpy as np

from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.score_answers import SeparationAnswer
from cxcausal.core.score_queries import SeparationQuery
from cxcausal.scoring.overlap import discrimination
from cxcausal.scoring.road import ScoreRoad

_FEWEST_OF_LEVEL = 20
"""Units below which a text's values are taken together: rare ones tell units apart, and no arms."""


def answer(road: ScoreRoad, query: SeparationQuery) -> SeparationAnswer:
    """Return for every covariate how well it alone tells the arms apart; nothing has to be learned."""
    del query  # it has no options
    return SeparationAnswer(alone={name: _alone(road.rows, name) for name in road.nuisances.covariates})


def _alone(rows: Rows, name: str) -> float:
    return max((_one(rows, name, rows.units_of(arm)) for arm in rows.arms), default=0.5)


def _one(rows: Rows, name: str, own: Flags) -> float:
    if name not in rows.numbers:
        return discrimination(_shares(rows, name, own), own)
    values = rows.numbers[name]
    gaps = np.isnan(values)
    found = discrimination(values[~gaps], own[~gaps])
    by_gap = discrimination(gaps.astype(np.float64), own)
    # Values that only one arm has, and their absence, tell it as well as any value.
    return max(found, 1 - found, by_gap, 1 - by_gap)


def _shares(rows: Rows, name: str, own: Flags) -> Floats:
    """Return for every unit the share of `own` among those with the same text, shape (n,)."""
    text = rows.texts[name]
    counts = np.bincount(text.codes, minlength=len(text.levels))
    codes = np.where(counts[text.codes] < _FEWEST_OF_LEVEL, len(text.levels), text.codes)
    sizes = np.bincount(codes, minlength=len(text.levels) + 1)
    members = np.bincount(codes, weights=own, minlength=len(text.levels) + 1)
    return np.asarray((members / np.maximum(sizes, 1))[codes])
