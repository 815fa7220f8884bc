"""Twins of the bounds: sorted rows, a loop that keeps answers one by one, and influences by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a set, and a value for every unit whose difference in means it is."""

    treated: Values
    control: Values

    @property
    def point(self) -> float:
        return float(self.treated.mean() - self.control.mean())

    @property
    def se(self) -> float:
        parts = (arm.var(ddof=1) / len(arm) for arm in (self.treated, self.control))
        return float(sum(parts) ** 0.5)


def kept_mean(answers: Values, mass: float) -> float:
    """Return the mean of the smallest answers of this mass, the last of them kept in part."""
    left, total = mass, 0.0
    for answer in np.sort(answers):
        part = min(1.0, left)
        total += part * answer
        left -= part
        if left <= 0:
            break
    return float(total / mass)


def lee_ends(treated: Values, control: Values) -> tuple[End, End]:
    """Return Lee's low and high end; an answer that is nan was not given."""
    if np.mean(~np.isnan(treated)) > np.mean(~np.isnan(control)):
        return _trimmed_low(treated, control), _mirrored(_trimmed_low(-treated, -control))
    return _swapped(_trimmed_low(-control, -treated)), _mirrored(_swapped(_trimmed_low(control, treated)))


def worst_case_ends(treated: Values, control: Values, lowest: float, highest: float) -> tuple[End, End]:
    """Return the ends with every missing answer at the support's worst."""
    worst, best = (
        End(treated=np.nan_to_num(treated, nan=one), control=np.nan_to_num(control, nan=two))
        for one, two in ((lowest, highest), (highest, lowest))
    )
    return worst, best


def _trimmed_low(trimmed: Values, other: Values) -> End:
    """Return the mean of the low answers of one arm less that of the other, with jackknife-like influences."""
    share = float(np.mean(~np.isnan(other)))
    answers, others = trimmed[~np.isnan(trimmed)], other[~np.isnan(other)]
    mass = share * len(trimmed)
    mean = kept_mean(answers, mass)
    # The last answer of which a part is kept: smallest y with as many answers at or below it.
    cut = np.sort(answers)[int(np.ceil(np.round(mass, 9))) - 1]
    # θ = kept sum / share. An answer below the cut adds y − cut, the mass adds cut; nobody else adds anything.
    own = mean + (np.where(np.isnan(trimmed), 0.0, np.minimum(np.nan_to_num(trimmed) - cut, 0.0))) / share
    own += -own.mean() + mean
    answered = ~np.isnan(other)
    by_share = (cut - mean) / share * (answered - share)
    by_mean = np.where(answered, np.nan_to_num(other) - others.mean(), 0.0) / share
    return End(treated=own, control=others.mean() + by_mean - by_share)


def _mirrored(end: End) -> End:
    return End(treated=-end.treated, control=-end.control)


def _swapped(end: End) -> End:
    return End(treated=-end.control, control=-end.treated)
