"""The analysed units as columns: what learners need, held in memory for one run and kept nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
TIME_ZERO = "time zero"
"""Under which name days of time zero stand among the numbers; no plan can write a column so and mean another."""


@dataclass(frozen=True, kw_only=True)
class RowsWanted:
    """Which columns of the analysed units are asked for, by role.

    Attributes:
        covariates: numbers or texts, whatever the data hold.
        numbers: columns that must be numbers.
        texts: segments.
        clusters: names of what shares a fate.
        time_zero: whether the day of time zero is asked for.
    """

    covariates: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    time_zero: bool = False


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text column: the place of every unit's value among the levels; a missing value is the empty text."""

    codes: Codes
    levels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """n analysed units, in the order of a hash of their ids, so that the order of the data doesn't matter.

    Attributes:
        arms: the plan's arms, the control first.
        arm: place of each unit's arm, shape (n,).
        key: 64-bit hash of each unit's id (of its content, where every row is a unit), shape (n,).
        numbers: name → shape (n,), NaN where missing.
        texts: name → text column.
        clusters: name → 64-bit hashes of shape (n,), equal where units share a fate.
    """

    arms: tuple[str, ...]
    arm: npt.NDArray[np.int8]
    key: npt.NDArray[np.uint64]
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Text]
    clusters: Mapping[str, npt.NDArray[np.uint64]]

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.arm)

    def units_of(self, arm: str) -> Flags:
        """Return which units are of an arm, shape (n,)."""
        return np.asarray(self.arm == self.arms.index(arm))
