"""Sums within clusters as arrays: from the finest groups to those asked for, and there to deviations from the mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import Array, ClusterSums, Key
from cxcausal.data.covariates import Column
from cxcausal.data.exact import Grid
from cxcausal.data.lines import Sums, spread_of

_ROUNDING = 1e-12
"""Of a column's squares: what rounding leaves of them where the column is constant."""
Whole = npt.NDArray[np.int64]


def pairs_of(k: int, q: int) -> tuple[tuple[int, int], ...]:
    """Return the pairs of which products are summed: k covariates with each other and with the q − k measures.

    Example:
        >>> pairs_of(2, 3)
        ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2))
    """
    measured = ((z, y) for z in range(k) for y in range(k, q))
    return (*combinations_with_replacement(range(k), 2), *measured)


def _places(k: int, q: int) -> Whole:
    """Return where the product of a covariate with a covariate or a measure stands, shape (k, q)."""
    found = np.empty((k, q), dtype=np.int64)
    for place, (a, b) in enumerate(pairs_of(k, q)):
        found[a, b] = place
        if b < k:
            found[b, a] = place
    return found


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Sums of the finest groups of a batch, one row per cluster, arm and group, of k covariates and q columns in all.

    Attributes:
        arms: their names; levels: the values of every column of groups.
        cluster: a number for its name, shape (m,); arm: shape (m,); groups: shape (m, columns of groups).
        k: the covariates' columns; sums: units, totals and products in the order of `pairs_of`, shape (m, 1 + q + …).
    """

    arms: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    cluster: Whole
    arm: Whole
    groups: Whole
    k: int
    sums: Array

    def pools(self, by: Sequence[int], q: int) -> Iterator[tuple[Key, "Pool"]]:
        """Yield the groups of some of the columns, sorted, with the sums over all others.

        What is added has one order, whatever the clusters' names: that of the groups.
        """
        asked = self.groups[:, list(by)]
        order = np.lexsort((*self.groups.T, self.arm, self.cluster, *asked.T[::-1]))
        keys = np.column_stack([asked, self.cluster, self.arm])[order]
        first = _starts(keys)
        sums, keys = _added(self.sums, order, first), keys[first]
        for start, end in pairwise([*_starts(keys[:, :-2]).tolist(), len(keys)]):
            own = zip(by, keys[start, :-2].tolist(), strict=True)
            arms, arm = np.unique(keys[start:end, -1], return_inverse=True)
            yield (
                tuple(self.levels[column][level] for column, level in own),
                Pool(
                    arms=tuple(self.arms[at] for at in arms),
                    cluster=keys[start:end, -2],
                    arm=arm.astype(np.int64),
                    k=self.k,
                    n=sums[start:end, 0],
                    total=sums[start:end, 1 : 1 + q],
                    products=sums[start:end, 1 + q :],
                ),
            )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The sums of one group, one row per cluster and arm, over q columns of which the first k are covariates.

    Attributes:
        arms: the names of the arms with rows.
        cluster, arm: shape (m,).
        n: shape (m,); total: shape (m, q); products: in the order of `pairs_of`, shape (m, pairs).
    """

    arms: tuple[str, ...]
    cluster: Whole
    arm: Whole
    k: int
    n: Array
    total: Array
    products: Array

    def told(self, columns: Sequence[Column], center: Array) -> tuple[ClusterSums, ...]:
        """Return the sums of deviations from the group's means for every measure; all share the covariates' part.

        Args:
            columns: the covariates'.
            center: what was subtracted from every column, shape (q,).
        """
        places = _places(self.k, len(center))
        whole = self._by_content()
        noise = _ROUNDING * whole.products.sum(axis=0)[np.diag(places)]
        pool, away = whole._at_the_mean()  # noqa: SLF001 - its own kind
        center = center + away
        arms = {name: pool._arm(at, center, noise, places) for at, name in enumerate(pool.arms)}  # noqa: SLF001 - as above
        spread = spread_of(arms, tuple(column.binary for column in columns))
        kept = np.array(spread.kept, dtype=np.intp)
        common = ClusterSums(
            arms=pool.arms,
            fitted=tuple(spread.lines),
            columns=tuple(columns[at].name for at in kept),
            dropped=tuple(column.name for at, column in enumerate(columns) if at not in spread.kept),
            clusters=int(pool.cluster[-1]) + 1,
            center=0.0,
            cluster=pool.cluster,
            arm=pool.arm,
            n=pool.n,
            d=pool.total[:, kept],
            gram=pool.products[:, places[kept[:, None], kept]],
            y=np.zeros(0),
            cross=np.zeros((0, len(kept))),
        )
        return tuple(
            replace(common, center=float(center[at]), y=pool.total[:, at], cross=pool.products[:, places[kept, at]])
            for at in range(self.k, len(center))
        )

    def _by_content(self) -> "Pool":
        """Order clusters by what their rows hold, so that nothing is left of the order of their names."""
        content = np.lexsort((*self.total.T[::-1], self.n, self.arm))
        _, first, own = np.unique(self.cluster[content], return_index=True, return_inverse=True)
        number = np.empty_like(first)
        number[np.argsort(first)] = np.arange(len(first))
        cluster = number[own]
        order = content[np.lexsort((self.arm[content], cluster))]
        return replace(
            self,
            cluster=np.sort(cluster),
            arm=self.arm[order],
            n=self.n[order],
            total=self.total[order],
            products=self.products[order],
        )

    def _at_the_mean(self) -> tuple["Pool", Array]:
        """Return the sums of deviations from the group's own means, and those means."""
        away = self.total.sum(axis=0) / self.n.sum()
        total = self.total - self.n[:, None] * away
        left, right = np.array(pairs_of(self.k, len(away)), dtype=np.intp).reshape(-1, 2).T
        products = total.take(right, axis=1)
        products *= away[left]
        np.subtract(self.products, products, out=products)
        moved = self.total.take(left, axis=1)
        moved *= away[right]
        products -= moved
        return replace(self, total=total, products=products), away

    def _arm(self, place: int, center: Array, noise: Array, places: Whole) -> Sums:
        """Return one arm's means and centred cross-products; what varies by no more than `noise` is constant."""
        own, k = self.arm == place, self.k
        n = self.n[own].sum()
        away, products = self.total[own].sum(axis=0) / n, self.products[own].sum(axis=0)[places]
        centred = products - n * np.outer(away[:k], away)
        varies = np.diag(centred) > noise
        gram = np.where(np.outer(varies, varies), centred[:, :k], 0.0)
        return Sums(n=round(n), mean=center + away, gram=gram, cross=centred[:, k:])


def cells_of(found: Mapping[str, Any], groups: Sequence[str], k: int, grids: Sequence[Grid]) -> Cells:
    """Return the engine's columns as arrays, with sums off their grids.

    Args:
        found: the columns `arm`, `cluster`, those of the groups, `n` and the sums in their order.
        groups: the names of their columns.
        k: the covariates' columns.
        grids: of the sums.
    """
    arms, arm = np.unique(found["arm"].astype(str), return_inverse=True)
    coded = [np.unique(found[name].astype(str), return_inverse=True) for name in groups]
    sums = np.empty((len(arm), 1 + len(grids)))
    sums[:, 0] = found["n"]
    for place, grid in enumerate(grids):
        np.ldexp(found[f"s{place}"], -grid.shift, out=sums[:, 1 + place])
    return Cells(
        arms=tuple(arms.tolist()),
        levels=tuple(tuple(levels.tolist()) for levels, _ in coded),
        cluster=found["cluster"].astype(np.int64),
        arm=arm.astype(np.int64),
        groups=np.array([codes for _, codes in coded], dtype=np.int64).reshape(len(groups), len(arm)).T,
        k=k,
        sums=sums,
    )


def _added(sums: Array, order: npt.NDArray[np.intp], first: npt.NDArray[np.intp]) -> Array:
    """Return the sums of ordered rows from every first one to the next; most of them stand alone."""
    sizes = np.diff([*first, len(order)])
    found = sums[order[first]]
    for place in range(1, int(sizes.max())):
        more = np.flatnonzero(sizes > place)
        found[more] += sums[order[first[more] + place]]
    return found


def _starts(keys: Whole) -> npt.NDArray[np.intp]:
    """Return where a new row begins among sorted rows, of which there is at least one."""
    new = (keys[1:] != keys[:-1]).any(axis=1)
    return np.concatenate([[0], np.flatnonzero(new) + 1]).astype(np.intp)
