"""Readable splits of customers by the plan's own columns: a number at a round value, a text at one level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats, Rows, Text

_CUTS, _LEVELS = 15, 24


@dataclass(frozen=True, kw_only=True)
class Split:
    """A question with the answer yes or no.

    Attributes:
        column: of the plan. kind: at_most (a number), is (a number or a text), missing (a number).
        value: that it is compared with. holes: whether values of the column may be missing.
    """

    column: str
    kind: Literal["at_most", "is", "missing"]
    value: float | str = ""
    holes: bool = False

    def holds(self, column: Any) -> Flags:  # noqa: ANN401 - numbers, a text column, or an array of texts
        """Return for whom the answer is yes; a missing number never is at most a value, and is no value."""
        if isinstance(column, Text):
            known = [place for place, level in enumerate(column.levels) if level == self.value]
            return np.asarray(np.isin(column.codes, known))
        if self.kind == "missing":
            return np.asarray(np.isnan(np.asarray(column, dtype=np.float64)))
        if self.kind == "at_most":
            return np.asarray(np.asarray(column, dtype=np.float64) <= float(self.value))
        if isinstance(self.value, str):
            return np.array([("" if each is None or each != each else str(each)) == self.value for each in column])  # noqa: PLR0124 - NaN
        return np.asarray(np.asarray(column, dtype=np.float64) == self.value)

    def text(self, *, yes: bool) -> str:
        """Return the answer as a condition.

        Example:
            >>> split = Split(column="tenure", kind="at_most", value=12.0, holes=True)
            >>> split.text(yes=True), split.text(yes=False)
            ('tenure ≤ 12', 'tenure > 12 or missing')
        """
        if self.kind == "missing" or self.value == "":
            return f"{self.column} is {'missing' if yes else 'known'}"
        told = self.value if isinstance(self.value, str) else f"{self.value:.12g}"
        if self.kind == "at_most":
            return f"{self.column} ≤ {told}" if yes else f"{self.column} > {told}{' or missing' if self.holes else ''}"
        return f"{self.column} is {'' if yes else 'not '}{told}"


def condition_of(path: Sequence[tuple[Split, bool]]) -> str:
    """Return answers in a row as one condition, each column told as shortly as it can be.

    Example:
        >>> fault, move = (Split(column="why", kind="is", value=each) for each in ("fault", "move"))
        >>> condition_of([(fault, False), (move, False)]), condition_of([(fault, False), (move, True)])
        ('why is neither fault nor move', 'why is move')
        >>> long, short = (Split(column="tenure", kind="at_most", value=each) for each in (24.0, 6.0))
        >>> condition_of([(long, True), (short, True)]), condition_of([])
        ('tenure ≤ 6', 'everybody')
    """
    named = {split.column for split, yes in path if yes and split.kind == "is"}
    told: dict[tuple[str, str, bool], str] = {}
    others: dict[str, list[str]] = {}
    for split, yes in path:
        key = (split.column, split.kind if split.value != "" else "missing", yes)
        if key[1:] != ("is", False):
            told[key] = split.text(yes=yes)  # a later bound is a tighter one
        elif split.column not in named:
            own = others.setdefault(split.column, [])
            own.append(split.text(yes=True).removeprefix(f"{split.column} is "))
            told[key] = split.text(yes=False) if len(own) == 1 else f"{split.column} is neither {' nor '.join(own)}"
    return " and ".join(told.values()) or "everybody"


@dataclass(frozen=True, kw_only=True, eq=False)
class Feature:
    """A column cut into bins, and the splits that it offers.

    Attributes:
        codes: the bin of each of m customers. splits: that may be made. yes: which bins answer yes, (splits, bins).
    """

    codes: npt.NDArray[np.intp]
    splits: tuple[Split, ...]
    yes: Flags

    def of(self, chosen: npt.NDArray[np.intp]) -> "Feature":
        """Return the same for some of the customers."""
        return Feature(codes=self.codes[chosen], splits=self.splits, yes=self.yes)


def features_of(rows: Rows, names: tuple[str, ...], units: npt.NDArray[np.intp]) -> tuple[Feature, ...]:
    """Return the columns cut for some units, those left out that offer no split."""
    found = [_texts(name, rows.texts[name], units) if name in rows.texts else _numbers(name, rows.numbers[name][units])
             for name in names if name in rows.texts or name in rows.numbers]  # fmt: skip
    return tuple(feature for feature in found if feature.splits)


def column_of(rows: Rows, name: str, units: npt.NDArray[np.intp]) -> Floats | Text:
    """Return one column for some units."""
    if name in rows.texts:
        return Text(codes=rows.texts[name].codes[units], levels=rows.texts[name].levels)
    return rows.numbers[name][units]


def columns_of(rows: Rows, names: tuple[str, ...], units: npt.NDArray[np.intp]) -> Mapping[str, Floats | Text]:
    """Return columns for some units."""
    return {name: column_of(rows, name, units) for name in names}


def _numbers(name: str, values: Floats) -> Feature:
    """Cut at round values near sixteenths of the customers; a column of two values asks for one of them."""
    missing = np.isnan(values)
    holes, known = bool(missing.any()), values[~missing]
    points = np.unique(known) if known.size else known
    if points.size == 2:  # noqa: PLR2004 - two values: a yes and a no
        splits = [Split(column=name, kind="is", value=float(points[1]), holes=holes)]
        codes, bins = np.where(missing, 2, (values == points[1]).astype(np.intp)), 3
        yes = np.array([[False, True, False]])
    else:
        cuts = _round_cuts(known) if points.size > 1 else np.empty(0)
        splits = [Split(column=name, kind="at_most", value=float(cut), holes=holes) for cut in cuts]
        bins = len(cuts) + 2
        codes = np.where(missing, bins - 1, np.searchsorted(cuts, np.where(missing, 0.0, values), side="left"))
        yes = np.arange(bins) <= np.arange(len(cuts))[:, None]
    if holes and known.size:
        splits = [*splits, Split(column=name, kind="missing", holes=True)]
        yes = np.vstack([yes, np.arange(bins) == bins - 1])
    return Feature(codes=codes.astype(np.intp), splits=tuple(splits), yes=yes)


def _round_cuts(values: Floats) -> Floats:
    """Return distinct values between the customers, each with as few digits as the spread needs."""
    quantiles = np.quantile(values, np.arange(1, _CUTS + 1) / (_CUTS + 1))
    spread = float(np.quantile(values, 0.95) - np.quantile(values, 0.05)) or float(np.ptp(values))
    digits = 1 - floor(log10(spread))
    cuts = np.unique(np.round(quantiles, digits))
    return np.asarray(cuts[(cuts >= values.min()) & (cuts < values.max())])


def _texts(name: str, column: Text, units: npt.NDArray[np.intp]) -> Feature:
    """Ask for each of the commonest levels."""
    codes = column.codes[units].astype(np.intp)
    counts = np.bincount(codes, minlength=len(column.levels))
    order = [int(place) for place in np.argsort(-counts, kind="stable")[:_LEVELS] if counts[place]]
    place_of = np.full(len(column.levels), len(order), dtype=np.intp)
    place_of[order] = np.arange(len(order))
    asked = order[:1] if len(order) == 2 else order if len(order) > 1 else []  # noqa: PLR2004 - the other is its no
    splits = tuple(Split(column=name, kind="is", value=column.levels[place]) for place in asked)
    yes = np.eye(len(order) + 1, dtype=bool)[: len(asked)]
    return Feature(codes=place_of[codes], splits=splits, yes=yes)
