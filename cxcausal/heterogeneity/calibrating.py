"""Calibration: what customers of like predictions gained on held-out turns, as a line with its covariance."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cxcausal.core.held_out import HeldOut, Side
from cxcausal.core.rows import Floats
from cxcausal.stats.scores import covariance_of

_MODELS = 2
"""How often the slope's variance counts: the model that is calibrated is none of those behind the line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Mean gain = at + slope × (prediction − centre), of one arm.

    Attributes:
        centre: mean prediction of the model that is calibrated, so that its own mean's error is taken out of it.
        at, slope: the best linear predictor. covariance: theirs, shape (2, 2).
    """

    centre: float
    at: float
    slope: float
    covariance: Floats

    def interval(self, gains: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the interval of the mean gain of customers of like predictions, widened to hold the prediction."""
        away = gains - self.centre
        middle = self.at + self.slope * away
        matrix = self.covariance
        variance = matrix[0, 0] + 2 * away * matrix[0, 1] + _MODELS * away**2 * matrix[1, 1]
        half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(np.maximum(variance, 0.0))
        return np.minimum(middle - half, gains), np.maximum(middle + half, gains)


def lines_of(held: HeldOut, centres: Floats) -> tuple[Line, ...]:
    """Return the line of every arm but the control, over the judged units of all turns.

    It is the best linear predictor of Chernozhukov, Demirer, Duflo & Fernández-Val (2018,
    https://arxiv.org/abs/1712.04802), robust to clusters. Predictions count from their turn's mean, and those of the
    model that is calibrated from its own: `centres`, of shape (arms − 1,).
    """
    units = held.judged
    scores = np.concatenate([turn.judged.scores for turn in held.turns])
    gains = np.concatenate([_centred(turn.judged, held.weight) for turn in held.turns])
    clusters = {name: keys[units] for name, keys in held.rows.clusters.items()}
    weight = held.weight[units] / held.weight[units].mean()
    found = []
    for place in range(1, gains.shape[1]):
        told, y = gains[:, place], scores[:, place] - scores[:, 0]
        x = np.column_stack([np.ones(len(y)), told])
        inverse = np.linalg.pinv((x * weight[:, None]).T @ x / len(y), hermitian=True)
        beta = inverse @ (x.T @ (weight * y) / len(y))
        phi = (x * (weight * (y - x @ beta))[:, None]) @ inverse
        covariance = covariance_of(np.asarray(phi), clusters)
        found.append(
            Line(centre=float(centres[place - 1]), at=float(beta[0]), slope=float(beta[1]), covariance=covariance)
        )
    return tuple(found)


def _centred(side: Side, weight: Floats) -> Floats:
    return side.gains - np.average(side.gains, axis=0, weights=weight[side.units])
