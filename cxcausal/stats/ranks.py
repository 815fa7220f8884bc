"""Units ranked by a prediction, ties and weights included, and what an area over the ranks is with its influence."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Curve = Callable[[Array], Array]
SAME = 1e-12
"""Predictions that differ by less than this share of the largest are one prediction: arithmetic makes no ranking."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """n units in blocks of equal prediction, the most promising block first.

    Attributes:
        block: of each unit, shape (n,).
        share: of each unit in the population, Σ = 1, shape (n,).
        edges: shares of the population before, between and after the K blocks, from 0 to 1, shape (K + 1,).
    """

    block: npt.NDArray[np.intp]
    share: Array
    edges: Array

    @property
    def flat(self) -> bool:
        """Whether all units have one prediction."""
        return len(self.edges) == 2  # noqa: PLR2004 - one block has two edges

    def mean_by_block(self, values: Array) -> Array:
        """Return the mean of values in each block, shape (K,), 0 where a block weighs nothing."""
        sums = np.bincount(self.block, weights=self.share * values, minlength=len(self.edges) - 1)
        mass = np.diff(self.edges)
        return np.divide(sums, mass, out=np.zeros_like(sums), where=mass > 0)

    def part(self, low: float, high: float) -> Array:
        """Return the chance of each unit to rank between two shares, were its ties broken by lot, shape (n,)."""
        mass = np.diff(self.edges)
        inside = np.diff(np.clip(self.edges, low, high))
        return np.asarray(np.divide(inside, mass, out=np.zeros_like(mass), where=mass > 0)[self.block])


def ranked(predicted: Array, weight: Array | None = None) -> Ranked:
    """Return units ranked by what is predicted of them, the largest first.

    Args:
        predicted: shape (n,), finite.
        weight: of each unit in the population, shape (n,); None where all count alike.

    Example:
        >>> found = ranked(np.array([0.1, 0.3, 0.3, 0.2]))
        >>> found.block.tolist(), found.edges.tolist()
        ([2, 0, 0, 1], [0.0, 0.5, 0.75, 1.0])
    """
    n = len(predicted)
    order = np.argsort(-predicted, kind="stable")
    falling = predicted[order]
    apart = np.diff(falling) < -SAME * float(np.max(np.abs(predicted), initial=0.0))
    place = np.concatenate([[0], np.cumsum(apart)]).astype(np.intp)
    block = np.empty(n, dtype=np.intp)
    block[order] = place
    share = np.full(n, 1 / n) if weight is None else weight / float(weight.sum())
    edges = np.concatenate([[0.0], np.cumsum(np.bincount(place, weights=share[order]))])
    edges[-1] = 1.0
    return Ranked(block=block, share=share, edges=np.minimum(edges, 1.0))


def area(ranks: Ranked, values: Array, whole: Curve, slope: Curve) -> tuple[float, Array]:
    """Return ∫ ω(u) m(u) du and its influence function, shape (n,), where m(u) is the mean of values at rank u.

    In a block of ties every unit counts with the mean of ω over the block's ranks: what it has on average over all
    ways to break the ties. The influence function is the derivative by every unit's weight (the infinitesimal
    jackknife, Efron 1982), so that it knows that ranks are estimated, too.

    Args:
        ranks: of the units.
        values: whose weighted mean it is, shape (n,).
        whole: W(u) = ∫ ω from 0 to u.
        slope: ω(u), continuous; it is not asked at 0.

    Example:
        The mean is the area with ω = 1:

        >>> point, phi = area(ranked(np.array([2.0, 1.0])), np.array([3.0, 1.0]), lambda u: u, np.ones_like)
        >>> point, phi.tolist()
        (2.0, [1.0, -1.0])
    """
    means, steps, mass = ranks.mean_by_block(values), np.diff(whole(ranks.edges)), np.diff(ranks.edges)
    level = np.divide(steps, mass, out=np.zeros_like(steps), where=mass > 0)
    falls = -np.diff(means) * slope(ranks.edges[1:-1])
    later = np.concatenate([np.cumsum(falls[::-1])[::-1], [0.0]])
    phi = (values - means[ranks.block]) * level[ranks.block] + later[ranks.block] - float(falls @ ranks.edges[1:-1])
    return float(means @ steps), _weighted(ranks, phi)


def mean_between(ranks: Ranked, values: Array, low: float, high: float) -> tuple[float, Array]:
    """Return the mean of values between two shares of the ranking, and its influence function with the group as given.

    Units tied across a border count with the chance that they fall inside.

    Example:
        >>> values = np.array([4.0, 2.0, 0.0, 2.0])
        >>> round(mean_between(ranked(np.array([3.0, 1.0, 1.0, 1.0])), values, 0.0, 0.5)[0], 6)
        2.666667
    """
    part = ranks.part(low, high)
    point = float(np.sum(ranks.share * part * values)) / (high - low)
    return point, _weighted(ranks, part * (values - point) / (high - low))


def mean_of(ranks: Ranked, values: Array) -> tuple[float, Array]:
    """Return the mean of values and its influence function."""
    point = float(np.sum(ranks.share * values))
    return point, _weighted(ranks, values - point)


def _weighted(ranks: Ranked, phi: Array) -> Array:
    """Return an influence function per unit drawn, whose plain mean is 0."""
    return np.asarray(phi * ranks.share * len(phi))
