"""Mean potential outcomes of a target population, with their influence functions: the core of every score."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_queries import Target


@dataclass(frozen=True, kw_only=True)
class Tilt:
    """How much each unit counts in a target population.

    Attributes:
        h: by its propensities, shape (n,). mass: h with its derivative's correction, shape (n,), of the same mean.
    """

    h: Floats
    mass: Floats


@dataclass(frozen=True, kw_only=True)
class Potential:
    """Every arm's mean in one target population.

    Attributes:
        mean: shape (arms,). phi: centred influence functions, shape (n, arms).
    """

    mean: Floats
    phi: Floats


def tilt_of(target: Target, shares: Floats, arm: npt.NDArray[np.int8], treated: int | None, weight: Floats) -> Tilt:
    """Return how units count in a target population.

    Everybody (ate): 1. Those of one arm (att): its propensity, and for the mass whether a unit is of it. The overlap
    (ato): h = 1 / Σ 1/eₐ over all arms (Li & Li 2019, https://doi.org/10.1214/19-AOAS1282), whose influence function
    carries Σ (h²/eₐ²)(1{A = a} − eₐ) besides.

    Args:
        target: whom effects are of.
        shares: propensities, shape (n, arms).
        arm: place of each unit's arm, shape (n,).
        treated: place of the arm whose units the target `att` is.
        weight: of each unit in the population, mean 1, shape (n,).
    """
    if target == "ate":
        return Tilt(h=weight, mass=weight)
    if target == "att":
        place = int(treated or 0)
        return Tilt(h=weight * shares[:, place], mass=weight * (arm == place))
    safe = np.maximum(shares, 1e-12)
    h = 1 / np.sum(1 / safe, axis=1)
    own = np.zeros_like(shares)
    own[np.arange(len(arm)), arm] = 1.0
    moved = np.sum((h[:, None] / safe) ** 2 * (own - shares), axis=1)
    return Tilt(h=weight * h, mass=weight * (h + moved))


def potential_means(
    y: Floats, seen: Flags, own: Flags, mean: Floats, inverse: Floats, tilt: Tilt
) -> tuple[float, Floats]:
    """Return one arm's mean in the target population, and its influence function of shape (n,).

    m = Σ [mass·μ + h·1{A = a}(Y − μ)/e] / Σ mass, with influence function
    [mass·(μ − m) + h·1{A = a}(Y − μ)/e] / mean(mass).

    Args:
        y: outcomes, shape (n,).
        seen: which of them are known.
        own: which units are of the arm.
        mean: the arm's predicted means μ, shape (n,).
        inverse: 1 / (propensity × chance of a value), shape (n,).
        tilt: the target population.
    """
    mass = float(np.mean(tilt.mass))
    rest = np.where(own & seen, tilt.h * inverse * (np.where(seen, y, 0.0) - mean), 0.0)
    told = tilt.mass * mean + rest
    point = float(np.mean(told)) / mass
    return point, (told - tilt.mass * point) / mass


def ratio(upper: tuple[float, Floats], lower: tuple[float, Floats]) -> tuple[float, Floats]:
    """Return the ratio of two means with its influence function, by the delta method."""
    point = upper[0] / lower[0]
    return point, (upper[1] - point * lower[1]) / lower[0]
