"""What fixed rules are worth on customers that they did not learn from: means of scores, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from cxcausal.core.rows import Floats, Rows
from cxcausal.core.whom import Told
from cxcausal.stats.multiplicity import max_t
from cxcausal.stats.scores import codes_of, covariance_of, degrees_of_freedom

_CORRELATED_AT_MOST = 200_000
"""Units whose influence values tell how the means of a family move together; each mean's own error is of all units."""
NOTHING = Told(point=0.0, se=0.0, low=0.0, high=0.0, p=1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Judging:
    """The customers on whom rules are judged, shape (m,) each.

    Attributes:
        arm: place of the arm that each had. weight: of each in the population.
        clusters: name → codes from 0 without gaps, equal where customers share a fate. turn: which turn judged each.
    """

    arm: npt.NDArray[np.int8]
    weight: Floats
    clusters: Mapping[str, npt.NDArray[np.uint64]]
    turn: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Rows, weight: Floats, parts: Sequence[npt.NDArray[np.intp]]) -> "Judging":
        """Return the customers at some places among the rows, one part per turn."""
        units = np.concatenate(parts)
        return cls(
            arm=rows.arm[units],
            weight=weight[units],
            clusters={name: codes_of([keys[units]]).astype(np.uint64) for name, keys in rows.clusters.items()},
            turn=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        )

    def told(self, values: Floats, alpha: float) -> tuple[Told, ...]:
        """Return the mean over turns of each column's mean within its turn, with an interval at 1 − alpha.

        Values are those of rules that were fixed before their turn, so within turns they are independent draws, and
        errors of turns add as those of a martingale: what is covered is the mean over turns of the rules' values,
        each turn weighing as many customers as it judges.

        Args:
            values: shape (m, k).
            alpha: error level.
        """
        points = np.average(values, axis=0, weights=self.weight)
        phi = self.weight[:, None] * (values - self._turn_means(values)) / self.weight.mean()
        return tuple(
            _told(float(point), self._se(own), self._df(own, self.weight), alpha)
            for point, own in zip(points, phi.T, strict=True)
        )

    def together(self, family: Sequence["Part"], alpha: float) -> tuple[Told, ...]:
        """Return the mean of every part of a family, with intervals that hold for all of them at 1 − alpha."""
        phis = [self._influence(part) for part in family]
        points = [float(np.average(part.values, weights=part.weight)) for part in family]
        ses = [self._se(phi) for phi in phis]
        dfs = [self._df(phi, part.weight) for phi, part in zip(phis, family, strict=True)]
        ps = [_p(point, se, df) for point, se, df in zip(points, ses, dfs, strict=True)]
        level = max_t(ps, self._correlation(phis), alpha)
        return tuple(
            Told(point=point, se=se, low=point - reach, high=point + reach, p=p)
            for point, se, df, own, p in zip(points, ses, dfs, level.alpha, level.p, strict=True)
            for reach in [float(stdtrit(df, 1 - own / 2)) * se]
        )

    def _turn_means(self, values: Floats) -> Floats:
        total = np.bincount(self.turn, weights=self.weight)
        sums = [np.bincount(self.turn, weights=self.weight * column) for column in values.T]
        return np.asarray((np.column_stack(sums) / total[:, None])[self.turn])

    def _influence(self, part: "Part") -> Floats:
        mean = np.average(part.values, weights=part.weight)
        return np.asarray(part.weight * (part.values - mean) / part.weight.mean())

    def _se(self, phi: Floats) -> float:
        """Return a mean's standard error; every turn's mean was taken from its own customers, or clusters of them."""
        draws = min((int(codes.max()) + 1 for codes in self.clusters.values()), default=len(phi))
        lost = (draws - 1) / max(draws - int(self.turn.max()) - 1, 1)
        return float(np.sqrt(lost * covariance_of(phi[:, None], self.clusters)[0, 0]))

    def _df(self, phi: Floats, weight: Floats) -> float:
        return degrees_of_freedom(phi, self.arm, weight, self.clusters)

    def _correlation(self, phis: list[Floats]) -> Floats:
        step = -(-len(self.arm) // _CORRELATED_AT_MOST)
        thinned = np.column_stack([phi[::step] for phi in phis])
        covariance = covariance_of(
            thinned - thinned.mean(axis=0), {n: keys[::step] for n, keys in self.clusters.items()}
        )
        sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        found = np.asarray(covariance / np.outer(sd, sd))
        np.fill_diagonal(found, 1.0)
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One mean of a family: its values, and weights that are 0 outside its group, shape (m,) each."""

    values: Floats
    weight: Floats


def _told(point: float, se: float, df: float, alpha: float) -> Told:
    if se == 0:
        return Told(point=point, se=0.0, low=point, high=point, p=1.0 if point == 0 else 0.0)
    reach = float(stdtrit(df, 1 - alpha / 2)) * se
    return Told(point=point, se=se, low=point - reach, high=point + reach, p=_p(point, se, df))


def _p(point: float, se: float, df: float) -> float:
    if se == 0:
        return 1.0 if point == 0 else 0.0
    return float(2 * stdtr(df, -abs(point / se)))
