"""What a stage asks of the data, and the aggregates it gets back: no row crosses this line.

A check, an estimator or the value model declares its queries; the pipeline hands them all to the data edge at once,
which answers them in as few passes as it can. Cells (arm × group) hold counts, means and centred cross-products, so
they can be merged exactly and never suffer the cancellation of raw sums of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Key = tuple[str, ...]
"""Group values in the order of a query's `by`, as text; a missing value is the empty string."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number per unit, as an expression the engine can compute.

    The value is `sum(coefficient × column)` over `terms`, then `transform`ed. With a `denominator` the metric is a
    ratio of means. Units whose value is missing, or whose `response` column is not true, do not count.
    `at_least` belongs to the transform `top_box` (1 where the value is at least that, else 0); `nps` maps 0–6 to
    −100, 7–8 to 0 and 9–10 to 100. `weight` multiplies numerator and denominator (a weighted mean is a ratio).

    Money needs what differs by arm (a contact costs, no contact doesn't): `arm_terms` adds the terms of a unit's own
    arm to the sum, and `arm_constant` its own arm's constant; an arm that isn't named there gets nothing added. A
    column with coefficient 0 adds nothing but must still be present: parts that shall sum to a whole say so that way.
    """

    name: str
    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0
    transform: Literal["identity", "top_box", "nps"] = "identity"
    at_least: float | None = None
    denominator: str | None = None
    response: str | None = None
    weight: str | None = None
    arm_terms: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    arm_constant: tuple[tuple[str, float], ...] = ()

    @property
    def is_ratio(self) -> bool:
        """Whether cells carry two components (numerator, denominator) instead of one."""
        return self.denominator is not None or self.weight is not None


@dataclass(frozen=True, kw_only=True)
class CountQuery:
    """Distinct `of` per arm × `by`, over `enrolled` units (all that were assigned) or those `analysed` (matured)."""

    of: Literal["unit", "randomization_unit"] = "unit"
    by: tuple[str, ...] = ()
    population: Literal["enrolled", "analysed"] = "enrolled"


@dataclass(frozen=True, kw_only=True)
class MixedQuery:
    """How many `of` appear in more than one arm, among enrolled units."""

    of: Literal["unit", "randomization_unit"] = "randomization_unit"


@dataclass(frozen=True, kw_only=True)
class FlowQuery:
    """The units on their way from the file to the analysis, in all and per arm."""


@dataclass(frozen=True, kw_only=True)
class MissingQuery:
    """Analysed units per arm, and how many have no value for the measure."""

    measure: Measure


@dataclass(frozen=True, kw_only=True)
class MomentQuery:
    """Count, mean and centred cross-products of a measure, per arm × `by`, over analysed units."""

    measure: Measure
    by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClusterQuery:
    """Sums of a measure within clusters, for two arms, over analysed units of `by = value` (all without `by`).

    `cluster` names one column, or several whose combinations are the clusters.
    """

    measure: Measure
    cluster: tuple[str, ...]
    treated: str
    control: str
    by: str | None = None
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class DuplicateQuery:
    """Units that appear more than once among the enrolled; answered by `Duplicates`."""


@dataclass(frozen=True, kw_only=True)
class CovariateQuery:
    """How a covariate is spread over the arms, over enrolled units (for balance).

    A numeric column is answered by a `MomentTable` with the keys (arm, ()), a text column by `Counts` of units with
    the keys (arm, (level,)).
    """

    column: str


@dataclass(frozen=True, kw_only=True)
class CorrelationQuery:
    """Pearson correlation between a numeric column and a measure within arms, pooled, over analysed units.

    The answer is nan for a text column, and where the column or the measure doesn't vary.
    """

    column: str
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class RegressionQuery:
    """Least squares of a measure on covariates, arm by arm, per group of `by`, over analysed units.

    A numeric covariate is one column, with its mean where missing and a 0/1 column that says so; a text covariate is
    one 0/1 column per value but the first. Answered by a `RegressionTable`.

    With a `contrast` (treated, control) only these two arms' units count, and both have the same slopes; each arm's
    `variance` is then its share in the HC2 variance of the difference.
    """

    measure: Measure
    covariates: tuple[str, ...]
    by: tuple[str, ...] = ()
    contrast: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class MaturedQuery:
    """Analysed units whose window of so many days was over on each of some ISO dates; answered by `MaturedCounts`.

    The answer is empty where the plan has no time zero.
    """

    dates: tuple[str, ...]
    days: int = 0


Query = (
    CountQuery
    | MixedQuery
    | FlowQuery
    | MissingQuery
    | MomentQuery
    | ClusterQuery
    | DuplicateQuery
    | CovariateQuery
    | CorrelationQuery
    | RegressionQuery
    | MaturedQuery
)


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

    `matures_on` is the ISO date on which the last enrolled unit will have its whole window; None without windows.
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


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Units that appear more than once: `repeated` within one arm, `mixed` in several arms."""

    repeated: int
    mixed: int


@dataclass(frozen=True, kw_only=True)
class ArmFit:
    """One arm's least squares on k covariates.

    Attributes:
        n: units that count.
        mean: of the measure as it is.
        adjusted: the fitted mean at the covariates' mean over all arms.
        variance: HC2 variance of `adjusted`, with the covariates as they were drawn.
        slopes: shape (k,).
        leverage: the largest of any unit; at 1 that unit alone decides a coefficient, and HC2 is not defined.
    """

    n: int
    mean: float
    adjusted: float
    variance: float
    slopes: Array
    leverage: float


@dataclass(frozen=True, kw_only=True)
class Regression:
    """The fits of one group's arms on the same k covariate columns.

    Attributes:
        n: units that count, of all arms.
        columns: the k columns.
        dropped: columns that carry nothing of their own in some arm, in the plan's order.
        spread: covariance matrix of the columns over all arms' units, shape (k, k), divisor n − 1.
        arms: the fits; an arm with fewer than `UNITS_PER_COLUMN` units per column has none.
    """

    n: int
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    spread: Array
    arms: Mapping[str, ArmFit]


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
Answer = (
    Counts
    | RegressionTable
    | MomentTable
    | MissingCounts
    | MaturedCounts
    | ClusterPatterns
    | Flow
    | int
    | float
    | Duplicates
)


def cluster_queries(
    measure: Measure,
    clusters: tuple[str, ...],
    *,
    treated: str,
    control: str,
    by: str | None = None,
    value: str | None = None,
) -> dict[tuple[str, ...], ClusterQuery]:
    """Return one query per non-empty subset of the cluster names, as inclusion–exclusion over them needs.

    Example:
        >>> margin = Measure(name="margin", terms=(("margin", 1.0),))
        >>> list(cluster_queries(margin, ("household", "agent"), treated="gig", control="none"))
        [('household',), ('agent',), ('household', 'agent')]
    """
    subsets = (subset for size in range(1, len(clusters) + 1) for subset in combinations(clusters, size))
    return {
        subset: ClusterQuery(measure=measure, cluster=subset, treated=treated, control=control, by=by, value=value)
        for subset in subsets
    }
