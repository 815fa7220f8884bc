"""From raw modifiers to the columns that formulas see, row by row: what a model keeps of the data it learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.rows import Floats, Rows
from cxcausal.heterogeneity.fences import fences_of
from cxcausal.heterogeneity.formulas import NEAR, Table
from cxcausal.nuisance.features import FEWEST_OF_LEVEL, MISSING, Column, Features

DECILES = tuple(float(place) / 10 for place in range(1, 10))
"""Without the lowest and the highest value, which are somebody's."""
_FEWEST_OF_DECILE = 10


@dataclass(frozen=True, kw_only=True)
class Modifier:
    """A column that effects may differ by, as it was among the units learned from.

    Attributes:
        name: of the column. kind: what its values are.
        levels: of a text those with a column of their own, the empty text being a missing value.
        base: of a text the most frequent level, which has none: unknown levels are taken as it. It is not named where
            fewer than `FEWEST_OF_LEVEL` units have it.
        shares: of a text those of `levels`, for drift. missing: the share of missing values.
        quantiles: of a number at `DECILES`; none where a tenth of the units are fewer than ten.
    """

    name: str
    kind: Literal["number", "text"]
    levels: tuple[str, ...] = ()
    base: str = ""
    shares: tuple[float, ...] = ()
    missing: float = 0.0
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """How modifiers become columns.

    Attributes:
        modifiers: as they were. columns: what the p columns are. means, spreads: theirs, each of shape (p,).
        low, high: how far out a value counts, each of shape (p,).
    """

    modifiers: tuple[Modifier, ...]
    columns: tuple[Column, ...]
    means: Floats
    spreads: Floats
    low: Floats
    high: Floats

    def table(self, columns: Mapping[str, npt.NDArray[Any]]) -> Table:
        """Return raw modifiers as columns.

        Args:
            columns: name → floats with NaN for numbers; texts, None or the empty text where missing.

        Raises:
            DataError: a modifier is not there, or its values are not of its kind.
        """
        raw = {modifier.name: _values(modifier, columns) for modifier in self.modifiers}
        rows = len(next(iter(raw.values()))) if raw else len(next(iter(columns.values()), ()))
        matrix, filled = (np.empty((rows, len(self.columns)), order="F") for _ in range(2))
        kinds = {modifier.name: modifier.kind for modifier in self.modifiers}
        for place, column in enumerate(self.columns):
            values = _column(raw[column.covariate], column, kinds[column.covariate])
            for start in range(0, rows, NEAR):
                part = slice(start, start + NEAR)
                self._put(place, values[part], matrix[part, place], filled[part, place])
        return Table(matrix=matrix, filled=filled)

    def _put(self, place: int, values: npt.NDArray[Any], own: Floats, filled: Floats) -> None:
        """Write some units' values of one column as trees and as planes see them."""
        np.clip(values, self.low[place], self.high[place], out=own)
        gaps = np.isnan(own)
        if gaps.any():
            np.subtract(np.where(gaps, self.means[place], own), self.means[place], out=filled)
        else:
            np.subtract(own, self.means[place], out=filled)
        filled /= self.spreads[place]


def encoding_of(rows: Rows, modifiers: Sequence[str], features: Features) -> Encoding:
    """Return how the modifiers of some rows became their features."""
    _, means, spreads = features.scaled
    low, high = fences_of(features)
    return Encoding(
        modifiers=tuple(_modifier(rows, name, features) for name in modifiers),
        columns=features.columns,
        means=means,
        spreads=spreads,
        low=low,
        high=high,
    )


def _modifier(rows: Rows, name: str, features: Features) -> Modifier:
    if name in rows.numbers:
        values = rows.numbers[name]
        known = values[~np.isnan(values)]
        enough = known.size >= _FEWEST_OF_DECILE * (len(DECILES) + 1)
        quantiles = np.quantile(known, DECILES, method="lower") if enough else ()
        missing = 1 - known.size / max(rows.n, 1)
        return Modifier(name=name, kind="number", missing=missing, quantiles=tuple(map(float, quantiles)))
    text = rows.texts[name]
    counted = np.bincount(text.codes, minlength=len(text.levels))
    counts = dict(zip(text.levels, counted / max(rows.n, 1), strict=True))
    own = tuple(_level(column) for column in features.columns if column.covariate == name)
    return Modifier(
        name=name,
        kind="text",
        levels=own,
        base=min(counts, key=lambda level: (-counts[level], level)) if counted.max() >= FEWEST_OF_LEVEL else "",
        shares=tuple(float(counts[level]) for level in own),
        missing=float(counts.get("", 0.0)),
    )


def _level(column: Column) -> str:
    return "" if column.level == MISSING else column.level


def _values(modifier: Modifier, columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if modifier.name not in columns:
        raise _unfit(modifier, "is not there", "add it to the file")
    values = np.asarray(columns[modifier.name])
    if modifier.kind == "text":
        return np.array(["" if each is None or each != each else str(each) for each in values.tolist()])  # noqa: PLR0124
    if values.dtype.kind not in "fiub":
        raise _unfit(modifier, "does not hold numbers", "give it numbers, empty where one is missing")
    return values.astype(np.float64, copy=False)


def _unfit(modifier: Modifier, what: str, mend: str) -> DataError:
    return DataError(Problem(where=f"column {modifier.name}", code="D621", what=f"a modifier {what}", mend=mend))


def _column(values: npt.NDArray[Any], column: Column, kind: str) -> npt.NDArray[Any]:
    if kind == "text":
        return np.asarray(values == _level(column))
    return np.isnan(values) if column.level == MISSING else values
