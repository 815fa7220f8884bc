"""The textbook's AIPW: straight-line outcomes and a logistic regression per arm on all units, nothing learned."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats
from cxcausal.core.score_queries import Target
from cxcausal.scoring.measured import Values
from cxcausal.scoring.opinions.opining import Asked, Heard, counted, parts_of
from cxcausal.scoring.potential import ratio
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.parametric_aipw import parametric_aipw

UNITS_PER_PARAMETER = 10
_NEW = 1e-8
"""The share of a column's variation that others must leave over for it to be one of its own."""


@dataclass(frozen=True, kw_only=True)
class Parametric:
    """Doubly robust means over everybody from models that anybody can write down.

    Every arm's mean has a linear regression among its units with a value, and a logistic regression of being one of
    them on everybody; the standard error counts the estimation of both (see `stats.parametric_aipw`). It is what other
    software calls AIPW, so that an effect that only learned models find is seen at once.
    """

    name: ClassVar[str] = "parametric_aipw"
    splits: ClassVar[int] = 1

    def target(self, asked: Target) -> Target:
        """Return everybody."""
        del asked  # it has one population only
        return "ate"

    def why_not(self, road: ScoreRoad, measure: Measure) -> str | None:
        """Return why it has no effect: units are weighted, or an arm has too few for its regressions."""
        if road.nuisances.weight is not None:
            return "this method knows no weights"
        parameters = columns_of(road.nuisances.features.filled).shape[1]
        for values in filter(None, parts_of(road, measure)):
            for place, arm in enumerate(road.rows.arms):
                if counted(road, values, place).sum() < UNITS_PER_PARAMETER * parameters:
                    return f"arm '{arm}' has too few customers for a regression on {parameters} columns"
        return None

    def heard(self, road: ScoreRoad, asked: Asked) -> Heard:
        """Return the difference of the two means; not finite where an arm's units are told apart without fail."""
        upper, lower = parts_of(road, asked.measure)
        x = columns_of(road.nuisances.features.filled)
        means = []
        for place in asked.places(road):
            found = _mean(road, upper, x, place)
            means.append(found if lower is None else ratio(found, _mean(road, lower, x, place)))
        (one, phi_one), (base, phi_base) = means
        return Heard(point=one - base, phi=phi_one - phi_base, base=base)


def columns_of(filled: Floats) -> Floats:
    """Return a constant and those columns that earlier ones don't give, shape (n, k).

    Args:
        filled: standardised columns, shape (n, p).

    Example:
        >>> one = np.array([1.0, -1.0, 1.0, -1.0])
        >>> columns_of(np.column_stack([one, -one, [1.0, 1.0, -1.0, -1.0]])).shape
        (4, 3)
    """
    kept = [np.ones(len(filled)) / np.sqrt(max(len(filled), 1))]
    chosen = []
    for place, column in enumerate(filled.T):
        left = column.copy()
        for _ in range(2):  # once more, for rounding
            for known in kept:
                left -= known * (known @ left)
        size = float(left @ left)
        if size > _NEW * float(column @ column):
            kept.append(left / np.sqrt(size))
            chosen.append(place)
    return np.column_stack([np.ones(len(filled)), filled[:, chosen]])


def _mean(road: ScoreRoad, values: Values, x: Floats, place: int) -> tuple[float, Floats]:
    """Return an arm's mean over everybody, with its influence function of shape (n,)."""
    own = counted(road, values, place)
    y = np.where(own, values.of(place), 0.0)
    try:
        with np.errstate(all="ignore"):
            found = parametric_aipw(y, own, x, x)
    except np.linalg.LinAlgError:
        return float("nan"), np.full(len(y), np.nan)
    return float(found.mean[1]), found.phi[:, 1]
