"""The analysed units as columns: what learners need, held in memory for one run and kept nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
BUCKETS = 1024
"""Of ids: few enough that a bucket, which a run keeps for its reruns, tells nobody's id, and enough for even folds."""
TIME_ZERO = "time zero"
ELIGIBLE = "may be contacted"
"""Under which names days of time zero, and 1 for those who may be contacted, stand among the numbers."""


@dataclass(frozen=True, kw_only=True)
class RowsWanted:
    """Which columns of the analysed units are asked for, by role.

    Attributes:
        covariates: numbers or texts, whatever the data hold.
        numbers: columns that must be numbers.
        texts: segments.
        clusters: names of what shares a fate.
        time_zero: whether the day of time zero is asked for.
        eligible: whether it is asked who may be contacted.
    """

    covariates: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    time_zero: bool = False
    eligible: bool = False


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
        key: what folds are hashed from, shape (n,): the bucket of each unit's id among `BUCKETS`, or a hash of its
            content where every row is a unit.
        numbers: name → shape (n,), NaN where missing.
        texts: name → text column.
        clusters: name → 64-bit hashes of shape (n,), equal where units share a fate.
        cluster_keys: name → what folds are hashed from where they are grouped by this cluster, shape (n,).
    """

    arms: tuple[str, ...]
    arm: npt.NDArray[np.int8]
    key: npt.NDArray[np.uint64]
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Text]
    clusters: Mapping[str, npt.NDArray[np.uint64]]
    cluster_keys: Mapping[str, npt.NDArray[np.uint64]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.arm)

    def units_of(self, arm: str) -> Flags:
        """Return which units are of an arm, shape (n,)."""
        return np.asarray(self.arm == self.arms.index(arm))
