"""Which rank a quantile has: the inverse of the empirical distribution, in exact arithmetic."""

from fractions import Fraction
from math import ceil


def quantile_rank(n: int, q: float) -> int:
    """Return the rank, from 1 to n, of the sample's q-quantile: the smallest value with at least n·q values up to it.

    This is definition 1 of Hyndman & Fan (1996, https://doi.org/10.1080/00031305.1996.10473566); no two values are
    ever averaged. `q` is taken as it is written, so that a tenth of 30 units is 3 of them.

    Args:
        n: units, at least 1.
        q: between 0 and 1.

    Example:
        >>> quantile_rank(10, 0.9), quantile_rank(11, 0.9), quantile_rank(30, 0.1), quantile_rank(1, 0.01)
        (9, 10, 3, 1)
    """
    return min(max(ceil(Fraction(repr(q)) * n), 1), n)
