"""Two arms compared within strata, and the differences averaged by the strata's sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import Array, Moments
from cxcausal.stats.difference import Difference

_FEWEST = 2
"""Units per arm and stratum without which its spread is not known."""


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """One stratum: the moments of either arm (of one component), and its units in all arms, which is its weight."""

    treated: Moments
    control: Moments
    size: int


def why_not_poststratified(strata: Sequence[Stratum]) -> str | None:
    """Return why two arms can't be compared within strata, or None where they can.

    Example:
        >>> why_not_poststratified([])
        'no customer has a value'
    """
    if not strata:
        return "no customer has a value"
    if any(min(stratum.treated.n, stratum.control.n) < _FEWEST for stratum in strata):
        return "in an epoch of the enrolment an arm has fewer than 2 customers with a value"
    return None


def poststratified(strata: Sequence[Stratum]) -> Difference:
    """Return the difference of two arms' means, both averaged over strata with the strata's shares of all units.

    Its variance has s²/n of every cell (HC2 of the saturated regression, Lin 2013,
    https://doi.org/10.1214/12-AOAS583; Miratrix, Sekhon & Yu 2013, https://doi.org/10.1111/j.1467-9868.2012.01048.x)
    and, for the population that the units were drawn from, the variance of the strata's own means around the average.
    Degrees of freedom are Welch–Satterthwaite's over all these parts.

    Args:
        strata: with two units or more in either cell (see `why_not_poststratified`).

    Example:
        >>> def cell(n, mean):
        ...     return Moments(n=n, mean=np.array([mean]), m2=np.array([[n - 1.0]]))
        >>> early = Stratum(treated=cell(10, 2.0), control=cell(90, 1.0), size=100)
        >>> late = Stratum(treated=cell(50, 6.0), control=cell(50, 5.0), size=100)
        >>> d = poststratified([early, late])  # pooled means would differ by 3.5
        >>> d.point, round(d.se, 6)
        (1.0, 0.194365)
    """
    cells = [(stratum.treated, stratum.control) for stratum in strata]
    sizes = np.array([stratum.size for stratum in strata], dtype=np.float64)
    n = np.array([[cell.n for cell in pair] for pair in cells], dtype=np.float64)
    means = np.array([[cell.mean[0] for cell in pair] for pair in cells])
    squares = np.array([[cell.m2[0, 0] for cell in pair] for pair in cells])
    units = sizes.sum()
    weights = sizes / units
    both = weights @ means
    away = means - both
    drawn = (away.T * sizes) @ away / (units - 1) / units
    own = weights[:, None] ** 2 * squares / (n - 1) / n
    between = drawn[0, 0] + drawn[1, 1] - 2 * drawn[0, 1]
    return Difference(
        mean_treated=float(both[0]),
        mean_control=float(both[1]),
        var_treated=float(own[:, 0].sum() + drawn[0, 0]),
        var_control=float(own[:, 1].sum() + drawn[1, 1]),
        covariance=float(drawn[0, 1]),
        df=_satterthwaite(np.append(own, between), np.append(n - 1, units - 1)),
    )


def _satterthwaite(variances: Array, df: Array) -> float:
    total = variances.sum()
    if total == 0:
        return float(df.min())
    return float(1 / np.sum((variances / total) ** 2 / df))
