"""How often something alarmed where nothing was, against what was promised; and the smallest effect in sight."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import kolmogorov, nctdtrinc, ndtri, stdtrit

from cxcausal.stats.newcombe import wilson

CONFIDENCE = 0.99
"""Of the Monte-Carlo interval of a rate: several are told at once, so that each may err more rarely."""
_TOO_LOOSE = 2.0
_HUGE_DF = 1e6

Judgement = Literal["as_promised", "too_many", "too_few_to_tell"]


def rate_limits(alarms: int, tosses: int) -> tuple[float, float]:
    """Return Wilson's limits of an alarm rate, at the confidence of `CONFIDENCE`.

    Example:
        >>> low, high = rate_limits(25, 500)
        >>> round(low, 4), round(high, 4)
        (0.0303, 0.0815)
    """
    return wilson(alarms, tosses, float(ndtri((1 + CONFIDENCE) / 2)))


def judged(alarms: int, tosses: int, promised: float) -> Judgement:
    """Return whether an alarm rate is what was promised.

    There are too many where the whole interval lies above the promise, and too few tosses to tell where it reaches
    beyond twice the promise.

    Example:
        >>> judged(25, 500, 0.05), judged(60, 500, 0.05), judged(2, 40, 0.05)
        ('as_promised', 'too_many', 'too_few_to_tell')
    """
    low, high = rate_limits(alarms, tosses)
    if low > promised:
        return "too_many"
    return "as_promised" if high <= _TOO_LOOSE * promised else "too_few_to_tell"


def uniform_p(p_values: Sequence[float]) -> float:
    """Return the p-value of Kolmogorov's test that p-values are uniform (his limiting distribution).

    Args:
        p_values: at least one.

    Example:
        >>> round(uniform_p([0.1, 0.3, 0.5, 0.7, 0.9]), 4), round(uniform_p([0.01] * 20), 4)
        (1.0, 0.0)
    """
    ordered = np.sort(np.asarray(p_values, dtype=np.float64))
    n = len(ordered)
    above = (np.arange(1, n + 1) / n - ordered).max()
    below = (ordered - np.arange(n) / n).max()
    return float(kolmogorov(np.sqrt(n) * max(above, below)))


def smallest_in_sight(se: float, df: float, alpha: float, power: float, *, sides: Literal[1, 2] = 2) -> float:
    """Return the smallest effect that a test with this standard error finds with the power asked for.

    It is the non-centrality at which t exceeds its critical value that often, times the standard error; being found
    on the wrong side is not counted.

    Args:
        se: of the effect, in its unit.
        df: its degrees of freedom.
        alpha: the test's error level.
        power: strictly between 0 and 1.
        sides: 2 asks for a difference, 1 for non-inferiority; the size is then a margin.

    Example:
        >>> round(smallest_in_sight(1.0, 1e9, 0.05, 0.8), 3)  # 1.96 + 0.84
        2.802
    """
    kept = min(df, _HUGE_DF)
    critical = -float(stdtrit(kept, alpha / sides))
    return se * float(nctdtrinc(kept, 1 - power, critical))
