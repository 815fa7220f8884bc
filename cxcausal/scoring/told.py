"""What every unit tells of its arms' means in one target population, from which any group's means follow by sums."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.scoring.potential import Potential, Tilt

Places = npt.NDArray[np.int64]
MOST_KEPT = 100_000_000
"""Bytes of what units tell that are held for the next question about the same measure and target."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What n units tell of every arm's mean: mass · μ + h · 1{A = a}(Y − μ)/e, whose sum over the mass's is the mean.

    Attributes:
        upper: shape (n, arms). lower: the same of a ratio's denominator; None where the measure is no ratio.
        mass: shape (n,).
        weight: of each unit in its own arm's mean, 0 where it has no value, shape (n,).
    """

    upper: Floats
    lower: Floats | None
    mass: Floats
    weight: Floats

    @property
    def size(self) -> int:
        """Bytes."""
        lower = 0 if self.lower is None else self.lower.nbytes
        return self.upper.nbytes + lower + self.mass.nbytes + self.weight.nbytes

    def potential(self, units: Places | None = None) -> Potential:
        """Return every arm's mean among some units, and influence functions of their shape.

        Args:
            units: places of the units; None for all of them.
        """
        mass = self.mass if units is None else self.mass[units]
        found = _mean(self.upper, mass, units)
        if self.lower is None:
            return found
        below = _mean(self.lower, mass, units)
        point = found.mean / below.mean
        return Potential(mean=point, phi=(found.phi - point * below.phi) / below.mean)


def told_of_arm(y: Floats, known: Flags, mean: Floats, inverse: Floats, tilt: Tilt) -> Floats:
    """Return what units tell of one arm's mean, shape (n,).

    Args:
        y: outcomes, shape (n,).
        known: which units are of the arm and have a value, shape (n,).
        mean: the arm's predicted means μ, shape (n,).
        inverse: 1 / (propensity × chance of a value), shape (n,).
        tilt: the target population.
    """
    told = tilt.mass * mean
    told[known] += tilt.h[known] * inverse[known] * (y[known] - mean[known])
    return np.asarray(told)


def _mean(told: Floats, mass: Floats, units: Places | None) -> Potential:
    part = told if units is None else told[units]
    total = float(np.mean(mass)) if len(mass) else float("nan")
    if not total > 0:
        return Potential(mean=np.full(part.shape[1], np.nan), phi=np.full(part.shape, np.nan))
    mean = part.mean(axis=0) / total
    return Potential(mean=mean, phi=(part - mass[:, None] * mean) / total)


@dataclass(kw_only=True)
class Kept:
    """The latest of what units told, up to so many bytes, and the latest at least."""

    most: int = MOST_KEPT
    _found: dict[Hashable, tuple[Told, ...]] = field(default_factory=dict)

    def get(self, key: Hashable) -> tuple[Told, ...] | None:
        """Return what is held under a key, which makes it the latest."""
        found = self._found.pop(key, None)
        if found is not None:
            self._found[key] = found
        return found

    def put(self, key: Hashable, told: tuple[Told, ...]) -> tuple[Told, ...]:
        """Hold it, and let go of the oldest beyond what may be held."""
        self._found[key] = told
        sizes = {held: sum(one.size for one in each) for held, each in self._found.items()}
        for oldest in list(self._found)[:-1]:
            if sum(sizes.values()) <= self.most:
                break
            del self._found[oldest], sizes[oldest]
        return told
