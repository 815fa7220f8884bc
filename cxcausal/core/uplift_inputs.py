"""What a notebook hands to `UpliftModel`, refused where it has no meaning: shapes, numbers, arms and shares."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import Problem, UsageError
from cxcausal.core.rows import Flags, Floats

Texts = npt.NDArray[np.str_]
_WHOLE = 1e-6
"""By which shares may miss 1."""
_HUGE = 1e150
"""Larger numbers can't be squared."""


def refusal(where: str, what: str, mend: str) -> UsageError:
    """Return the error of an argument without meaning."""
    return UsageError(Problem(where=f"UpliftModel.{where}", code="U244", what=what, mend=mend))


def numbers_of(where: str, values: npt.ArrayLike, n: int, *, unknown: bool = False) -> Floats:
    """Return an argument as floats of shape (n,), NaN only where it may be unknown.

    Raises:
        UsageError: it has another shape, or values that are no finite numbers.

    Example:
        >>> numbers_of("fit y", [1, 2], 2).tolist()
        [1.0, 2.0]
    """
    given = _one_per_row(where, values, n)
    try:
        found = given.astype(np.float64)
    except (TypeError, ValueError):
        raise refusal(where, "it does not hold numbers", "give one number per row") from None
    if bool((np.abs(found) > _HUGE).any()):
        raise refusal(where, "a number is infinite, or too large to be squared", "correct it, or leave it unknown: NaN")
    if not unknown and bool(np.isnan(found).any()):
        raise refusal(where, "a value is missing", "give every row a number")
    return found


def weights_of(where: str, values: npt.ArrayLike | None, n: int) -> Floats:
    """Return each customer's weight, mean 1, shape (n,); equal ones where none are given."""
    found = np.ones(n) if values is None else numbers_of(where, values, n)
    if n and (bool((found < 0).any()) or not found.any()):
        raise refusal(where, "a weight is below zero, or all are zero", "weigh every customer with 0 or more")
    return found / found.mean() if n else found


def texts_of(where: str, values: npt.ArrayLike, n: int, what: str) -> Texts:
    """Return names, one per row, as text of shape (n,); a missing one is refused, `what` being the word for it."""
    given = _one_per_row(where, values, n)
    missing = [value is None or value is not value or value != value for value in given.tolist()]  # noqa: PLR0124
    if any(missing):
        raise refusal(where, f"{sum(missing):,} rows have no {what}", f"leave out customers whose {what} is not known")
    return given.astype(str)


def flags_of(where: str, values: npt.ArrayLike, n: int) -> Flags:
    """Return yes or no per row, shape (n,), from booleans or 0 and 1."""
    given = _one_per_row(where, values, n)
    if not set(given.tolist()) <= {True, False}:
        raise refusal(where, "it holds something else than True and False", "give True to those who may be contacted")
    return given.astype(np.bool_)


def shares_of(where: str, shares: Mapping[str, float], arms: tuple[str, ...]) -> tuple[float, ...]:
    """Return the share of every arm, in their order; they are above zero, and 1 together."""
    named = {str(arm): float(share) for arm, share in shares.items()}
    if missing := [arm for arm in arms if arm not in named]:
        raise refusal(where, f"the arm '{missing[0]}' has no share", "give every arm one, the control too")
    found = tuple(named[arm] for arm in arms)
    if not all(share > 0 for share in found) or not abs(sum(found) - 1) <= _WHOLE:
        raise refusal(where, "shares are above zero, and 1 together", 'write them as the coin was, such as {"a": 0.5}')
    return found


def cost_of(cost: Mapping[str, float] | None) -> dict[str, float]:
    """Return what a contact of each arm costs."""
    found = {str(arm): float(each) for arm, each in (cost or {}).items()}
    if not all(isfinite(each) and each >= 0 for each in found.values()):
        raise refusal("cost", "a cost is a number from 0 on", "write what one contact costs")
    return found


def within(where: str, value: float, *, ends: tuple[float, float]) -> float:
    """Return a number that lies strictly between two others."""
    if not ends[0] < value < ends[1]:
        raise refusal(where, f"it lies between {ends[0]:g} and {ends[1]:g}", "write a share, such as 0.05 or 0.95")
    return value


def budget_of(where: str, budget: float | None) -> float | None:
    """Return a budget, None without a limit."""
    if budget is not None and not (isfinite(budget) and budget >= 0):
        raise refusal(where, "a budget is a number from 0 on", "name a sum, or None without a limit")
    return budget


def capacity_of(capacity: Mapping[str, float] | None, arms: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Return the largest share of customers that each arm has room for."""
    found = {str(arm): float(most) for arm, most in (capacity or {}).items()}
    if strange := sorted(set(found) - set(arms[1:])):
        raise refusal("policy capacity", f"'{strange[0]}' is no arm with a contact", f"use: {', '.join(arms[1:])}")
    if not all(0 <= most <= 1 for most in found.values()):
        raise refusal("policy capacity", "a share lies between 0 and 1", "write the share of eligible customers")
    return tuple(found.items())


def _one_per_row(where: str, values: npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    given = np.asarray(values)
    if given.ndim != 1:
        raise refusal(where, f"it has the shape {given.shape}", "give one value per row, such as y.ravel()")
    if len(given) != n:
        raise refusal(where, f"it has {len(given)} values for {n} rows of X", "give one value per row")
    return given
