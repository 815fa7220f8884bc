"""Stretching: one regression of modifiers and arm shrinks what the arm does; held-out scores tell by how much."""

import numpy as np

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.formulas import Effect, constant
from cxcausal.heterogeneity.lesson import Lesson

SHRUNK = ("s_",)
"""How variants begin of learners whose penalty, or early stop, falls on effects as on all else."""
STRETCHED = "_stretched"
_MOST = 4.0


def stretched(lesson: Lesson, train: Places, out: Floats, effect: Effect) -> tuple[Floats, Effect]:
    """Return gains out of fold and the effect, both on the line that fits scores best: mean + slope × (gain − mean).

    It is the best linear predictor of Chernozhukov, Demirer, Duflo & Fernández-Val (2018,
    https://arxiv.org/abs/1712.04802), its slope between 1 and 4: nothing is shrunk here, as that is the choice's part.

    Args:
        lesson: what is known.
        train: the units learned from.
        out: gains of theirs, out of fold, shape (train, arms − 1).
        effect: what tells the gains of others.
    """
    weight = lesson.weight[train] / lesson.weight[train].sum()
    scores = lesson.scores[train, 1:] - lesson.scores[train, :1]
    lines = [line_of(told, score, weight) for told, score in zip(out.T, scores.T, strict=True)]
    arms = tuple(
        ((1.0, constant(at)), *((slope * times, formula) for times, formula in terms))
        for (at, slope), terms in zip(lines, effect.arms, strict=True)
    )
    gains = np.column_stack([at + slope * told for (at, slope), told in zip(lines, out.T, strict=True)])
    return gains, Effect(arms=arms)


def line_of(told: Floats, score: Floats, weight: Floats) -> tuple[float, float]:
    """Return where the line of scores over gains begins, and its slope, held between 1 and 4.

    Args:
        told: gains, shape (m,).
        score: doubly robust ones, shape (m,).
        weight: of each unit, summing to 1, shape (m,).

    Example:
        >>> told = np.array([-1.0, 0.0, 1.0])
        >>> line_of(told, 1 + 2 * told, np.full(3, 1 / 3))
        (1.0, 2.0)
        >>> line_of(0 * told, told, np.full(3, 1 / 3))
        (0.0, 1.0)
    """
    mean, middle = float(weight @ score), float(weight @ told)
    off = told - middle
    spread = float(weight @ off**2)
    slope = float(np.clip(weight @ (off * (score - mean)) / spread, 1.0, _MOST)) if spread > 0 else 1.0
    return mean - slope * middle, slope
