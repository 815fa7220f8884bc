"""What the data edge answers: counts, moments and patterns of groups, exact and without a row.

Cells (arm × group) hold counts, means and centred cross-products, so they can be merged exactly and never suffer the
cancellation of raw sums of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.entry import Entry
from cxcausal.core.falsified import Falsified
from cxcausal.core.score_answers import ScoreAnswer

Array = npt.NDArray[np.float64]
Key = tuple[str, ...]
"""Group values in the order of a query's `by`, as text; a missing value is the empty string."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean and centred cross-products of k components (k = 1, or 2 for a ratio).

    Attributes:
        n: units that count.
        mean: shape (k,), in the measure's unit.
        m2: shape (k, k), the sum over units of (x − mean)(x − mean)ᵀ.
        events: units with a non-zero numerator.
        low: the smallest numerator (nan when n is 0).
        high: the largest numerator.
    """

    n: int
    mean: Array
    m2: Array
    events: int = 0
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class ClusterPatterns:
    """Clusters collapsed by their size in either arm: what CR2 needs, exactly, with no cluster identified.

    Clusters with equal (n_treated, n_control) share one row. `sums` are of k components per arm, ordered treated
    then control, so vectors have length 2k; sums are centred at `center` (subtracted from each unit's component).

    Attributes:
        clusters: shape (P,), how many clusters have this pattern.
        n_treated: shape (P,), units of the treated arm in each such cluster.
        n_control: shape (P,), units of the control arm in each such cluster.
        total: shape (P, 2k), Σ over clusters of the cluster's sums.
        cross: shape (P, 2k, 2k), Σ over clusters of sums × sumsᵀ.
        center: shape (k,), what was subtracted from every unit's components.
        clusters_treated: clusters with at least one treated unit.
        clusters_control: clusters with at least one control unit.
    """

    clusters: npt.NDArray[np.int64]
    n_treated: npt.NDArray[np.int64]
    n_control: npt.NDArray[np.int64]
    total: Array
    cross: Array
    center: Array
    clusters_treated: int
    clusters_control: int


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Units from file to analysis. All counts are of rows but `randomization_units`.

    `entry` is what came before enrolment, where columns are made of event tables.

    `matures_on` is the ISO date on which the last enrolled unit will have its whole window, `days_to_mature` after its
    time zero; None without windows.
    `enrolled_from` and `enrolled_to` are the days of the first and the last time zero; None where the plan names none.
    """

    rows: int
    filtered_out: int
    enrolled: int
    immature: int
    analysed: int
    randomization_units: int
    enrolled_by_arm: Mapping[str, int] = field(default_factory=dict)
    immature_by_arm: Mapping[str, int] = field(default_factory=dict)
    analysed_by_arm: Mapping[str, int] = field(default_factory=dict)
    matures_on: str | None = None
    maturity_known: bool = False
    enrolled_from: str | None = None
    enrolled_to: str | None = None
    days_to_mature: int | None = None
    entry: Entry | None = None


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Units that appear more than once: `repeated` within one arm, `mixed` in several arms."""

    repeated: int
    mixed: int


@dataclass(frozen=True, kw_only=True)
class ArmFit:
    """One arm's least squares of a measure's k components (k = 1, or 2 for a ratio) on c covariate columns.

    Attributes:
        n: units that count.
        mean: shape (k,), of the components as they are.
        adjusted: shape (k,), the fitted means at the covariates' mean over all arms.
        covariance: shape (k, k), HC2 covariance matrix of `adjusted`, with the covariates as they were drawn.
        slopes: shape (c, k).
        leverage: the largest of any unit; at 1 that unit alone decides a coefficient, and HC2 is not defined.
    """

    n: int
    mean: Array
    adjusted: Array
    covariance: Array
    slopes: Array
    leverage: float


@dataclass(frozen=True, kw_only=True)
class Regression:
    """The fits of one group's arms on the same c covariate columns.

    Attributes:
        n: units that count, of all arms.
        columns: the c columns.
        dropped: columns that carry nothing of their own in some arm, in the plan's order.
        spread: covariance matrix of the columns over all arms' units, shape (c, c), divisor n − 1.
        arms: the fits; an arm with fewer than `UNITS_PER_COLUMN` units per column has none.
        strata_apart: whether several strata are columns one by one, because their combinations were too many.
    """

    n: int
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    spread: Array
    arms: Mapping[str, ArmFit]
    strata_apart: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterSums:
    """Sums within the clusters of one group, one row per cluster and arm with units that count: no cluster is named.

    With d a unit's k covariate columns less their mean over all arms' units, and y its measure less `center`.

    Attributes:
        arms: of the rows, and of them those `fitted`: with at least `UNITS_PER_COLUMN` units per column.
        columns: the k columns; dropped: those that carry nothing of their own in some arm, in the plan's order.
        clusters: how many there are; where their sums would be too large to hold, they have no rows.
        center: what was subtracted from every unit's measure.
        cluster: shape (m,), equal where rows are of one cluster, and else of no meaning; arm: shape (m,), places.
        n: units, shape (m,); d: Σ d, shape (m, k); gram: Σ dd′, shape (m, k, k).
        y: Σ y, shape (m,); cross: Σ dy, shape (m, k).
        memo: what was made of the covariates' part; measures of the same units share that part, and the memo with it.
    """

    arms: tuple[str, ...]
    fitted: tuple[str, ...]
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    clusters: int
    center: float
    cluster: npt.NDArray[np.int64]
    arm: npt.NDArray[np.int64]
    n: Array
    d: Array
    gram: Array
    y: Array
    cross: Array
    memo: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class BoundEnd:
    """One end of a set of effects, as a difference of two means over all analysed units.

    The units' values are such that this difference is the end, and its variance the end's to first order.

    Attributes:
        treated, control: moments of those values.
        patterns: the same by cluster, for every non-empty subset of the cluster names; empty without clusters.
    """

    treated: Moments
    control: Moments
    patterns: Mapping[tuple[str, ...], ClusterPatterns] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Nonresponse:
    """What two arms say of those who did not answer.

    Attributes:
        units: analysed, treated and control. answers: of them with a value.
        lee: low and high end of the effect on those who answer in either arm, the arm that answers more trimmed; None
            where an arm has fewer than two answers.
        worst_case: the same of the effect on everybody, with the support's ends for all who did not answer; None
            without a support. support: its two values.
    """

    units: tuple[int, int]
    answers: tuple[int, int]
    lee: tuple[BoundEnd, BoundEnd] | None
    worst_case: tuple[BoundEnd, BoundEnd] | None
    support: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class OrderStatistics:
    """Some of a cell's values by their rank, around one quantile and outwards in small steps of its spread.

    Attributes:
        n: units that count.
        ranks: shape (R,), from 1 to n, rising.
        values: shape (R,), the values that have these ranks in rising order.
    """

    n: int
    ranks: npt.NDArray[np.int64]
    values: Array


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """The answer to a `QuantileQuery`.

    Attributes:
        cells: (arm, group) → its values around the quantile.
        shares: (treated, control, group) → twice the patterns of every non-empty subset of the cluster names, of the
            units whose value is at least their arm's quantile, and of those whose value is above it.
    """

    cells: Mapping[tuple[str, Key], OrderStatistics]
    shares: Mapping[tuple[str, str, Key], tuple[Mapping[tuple[str, ...], ClusterPatterns], ...]] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Cap:
    """Values above `high` count as `high`, and values below `low` as `low`; None where no value lies beyond."""

    low: float | None = None
    high: float | None = None


UNITS_PER_COLUMN = 20
"""Units per covariate column below which an arm is not fitted."""

Counts = Mapping[tuple[str, Key], int]
"""(arm, group) → count."""
MomentTable = Mapping[tuple[str, Key], Moments]
"""(arm, group) → moments."""
MissingCounts = Mapping[str, tuple[int, int]]
"""arm → (units, of which missing)."""
MaturedCounts = Mapping[str, int]
"""ISO date → units."""
RegressionTable = Mapping[Key, Regression]
"""group → the fits of its arms."""
ClusterRegressionTable = Mapping[Key, ClusterSums]
"""group → the sums within its clusters."""
Answer = (
    Counts
    | RegressionTable
    | ClusterRegressionTable
    | MomentTable
    | MissingCounts
    | MaturedCounts
    | ClusterPatterns
    | Nonresponse
    | Quantiles
    | Cap
    | Flow
    | int
    | float
    | Duplicates
    | Falsified
    | ScoreAnswer
)
