"""What looking costs before the data: the power of a test that may end at any of several looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from cxcausal.stats.sequential import AlwaysValid, GroupSequential
from cxcausal.stats.sequential_integration import crossing

_CERTAIN = 1 - 1e-9
_WIDEST_DRIFT = 50.0


@dataclass(frozen=True, kw_only=True)
class Looking:
    """When a plan is read: at these shares of its units, the last of which is 1.

    Attributes:
        shares: strictly increasing.
        tuned: units at which always valid intervals are tightest; None for a group-sequential plan.
        alpha: the plan's own, for which they are.
    """

    shares: tuple[float, ...]
    tuned: int | None = None
    alpha: float = 0.05

    def power(self, fixed: float, error: float, sides: int, units: float) -> float:
        """Return the probability to find, at any look, what a single test at the end finds with probability `fixed`.

        The single test's power is turned into the mean of a normal statistic at the end; the statistics of all looks
        then are jointly normal, and their boundaries crossed as in Jennison & Turnbull 1999, chapter 19.

        Args:
            fixed: power of the only reading at all units, with the same error and sides.
            error: of the test.
            sides: 2, or 1 for non-inferiority, whose boundary is that of 2 · error, on one side.
            units: in all arms together.

        Example:
            >>> fifths = Looking(shares=(0.2, 0.4, 0.6, 0.8, 1.0))
            >>> round(fifths.power(0.8, 0.05, 2, 1000), 3)
            0.79
        """
        if not 0 < fixed < _CERTAIN:
            return fixed
        found = crossing(self.shares, self._bounds(min(error * 2 / sides, 1.0), units), _drift(fixed, error, sides))
        return min(found.upper + (found.lower if sides > 1 else 0.0), 1.0)

    def _bounds(self, alpha: float, units: float) -> Sequence[float]:
        if self.tuned is None:
            return _spent(self.shares, alpha)
        levels = (
            AlwaysValid(units=max(share * units, 1.0), tuned=self.tuned, alpha=self.alpha).nominal(alpha)
            for share in self.shares
        )
        return [-float(ndtri(level / 2)) for level in levels]


def equally_spaced(looks: int) -> tuple[float, ...]:
    """Return the shares of so many looks.

    Example:
        >>> equally_spaced(4)
        (0.25, 0.5, 0.75, 1.0)
    """
    return tuple((look + 1) / looks for look in range(looks))


def _drift(power: float, error: float, sides: int) -> float:
    """Return the mean of a normal statistic that a single test finds with this power."""
    critical = -float(ndtri(error / sides))
    if sides == 1:
        return critical + float(ndtri(power))
    if power <= error:
        return 0.0

    def excess(drift: float) -> float:
        return float(ndtr(drift - critical) + ndtr(-drift - critical)) - power

    return float(brentq(excess, 0.0, _WIDEST_DRIFT, xtol=1e-10))


@lru_cache(maxsize=256)
def _spent(shares: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    return GroupSequential(spent=shares, information=shares).bounds(alpha)
