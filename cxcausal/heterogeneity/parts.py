"""The parts of an outcome: what is 0 or 1 is learned as a chance, and the rest as a mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import Places
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.formulas import Effect, Formula, Terms
from cxcausal.scoring.measured import Values


@dataclass(frozen=True, kw_only=True, eq=False)
class LessonPart:
    """One of the outcomes that make up the aim.

    Attributes:
        y: of the units that may be learned from and have a value, NaN of all others, shape (n,).
        times: how often it counts in every arm, shape (arms,). binary: whether it is 0 or 1.
    """

    y: Floats
    times: tuple[float, ...]
    binary: bool


def parts_of(values: Values, arm: npt.NDArray[np.int8], train: Places) -> tuple[LessonPart, ...]:
    """Return what is 0 or 1 among the units learned from, part by part, and after it the sum of all else.

    There are none where nothing is 0 or 1: the outcome is then learned as it is.
    """
    own = train[values.seen[train]]
    chances, rest = [], np.zeros(len(own))
    for part in values.parts:
        y = part.y[own]
        if not any(part.coefficients) or np.ptp(y) == 0:
            continue
        if np.isin(y, (0.0, 1.0)).all():
            chances.append(LessonPart(y=_spread(y, own, len(arm)), times=part.coefficients, binary=True))
        else:
            rest += np.asarray(part.coefficients)[arm[own]] * y
    if not chances or np.ptp(rest) == 0:
        return tuple(chances)
    once = (1.0,) * len(values.constants)
    return (*chances, LessonPart(y=_spread(rest, own, len(arm)), times=once, binary=False))


def _spread(y: Floats, units: Places, n: int) -> Floats:
    found = np.full(n, np.nan)
    found[units] = y
    return found


def summed(parts: Sequence[LessonPart], learned: Callable[[LessonPart, int], Formula]) -> Effect:
    """Return the gains that parts add up to.

    Args:
        parts: of the outcome.
        learned: the formula of a part's mean in an arm; asked once of each in which the part counts.
    """
    arms = range(len(parts[0].times))
    terms: list[Terms] = [
        tuple((part.times[place], learned(part, place)) for part in parts if part.times[place]) for place in arms
    ]
    missed = tuple((-times, formula) for times, formula in terms[0])
    return Effect(arms=tuple((*own, *missed) for own in terms[1:]))
