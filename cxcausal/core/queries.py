"""What a stage asks of the data: aggregates, so that no row crosses this line.

A check, an estimator or the value model declares its queries; the pipeline hands them all to the data edge at once,
which answers them (`core.answers`) in as few passes as it can.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from cxcausal.core.measure import Measure
from cxcausal.core.score_queries import ScoreQuery


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
    one 0/1 column per value but the first. Those named in `strata` as well, numbers or not, are one 0/1 column per
    combination of their values but the most frequent. Answered by a `RegressionTable`.

    With a `contrast` (treated, control) only these two arms' units count, and both have the same slopes; each arm's
    `covariance` is then its share in the HC2 covariance matrix of the differences.

    Fitted means are taken at the covariates' mean over the units that count, or with `center` over all analysed units,
    whether or not they have a value; `n` and `spread` of the answer are of the same units.
    """

    measure: Measure
    covariates: tuple[str, ...]
    by: tuple[str, ...] = ()
    contrast: tuple[str, str] | None = None
    strata: tuple[str, ...] = ()
    center: Literal["counted", "analysed"] = "counted"


@dataclass(frozen=True, kw_only=True)
class ClusterRegressionQuery:
    """What least squares of a measure on covariates needs of clusters, per group of `by`, over analysed units.

    `cluster` names one column, or several whose combinations are the clusters; the columns of covariates and strata
    are those of a `RegressionQuery`. Answered by a `ClusterRegressionTable`.
    """

    measure: Measure
    covariates: tuple[str, ...]
    cluster: tuple[str, ...]
    by: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NonresponseQuery:
    """Between which values the difference of two arms lies, where some analysed units have no value (no answer).

    Attributes:
        measure: of one component.
        treated, control: the arms.
        clusters: names of what shares a fate; none where units are independent.
        support: the smallest and largest value that an answer can have, `observed` for those in any arm of the data,
            or None where no limits are known.
    """

    measure: Measure
    treated: str
    control: str
    clusters: tuple[str, ...] = ()
    support: tuple[float, float] | Literal["observed"] | None = None


@dataclass(frozen=True, kw_only=True)
class QuantileQuery:
    """The values around a measure's q-quantile in every arm × `by`, over analysed units; answered by `Quantiles`.

    Where units share a fate, `cluster` names by what, and `contrasts` are the pairs (treated, control) for which the
    clusters of the units above the arms' own quantiles are asked.
    """

    measure: Measure
    q: float
    by: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    contrasts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class CapQuery:
    """Where a metric's values are capped, by the metric's name; answered by a `Cap`."""

    metric: str


@dataclass(frozen=True, kw_only=True)
class MaturedQuery:
    """Analysed units whose window of so many days was over on each of some ISO dates; answered by `MaturedCounts`.

    The answer is empty where the plan has no time zero.
    """

    dates: tuple[str, ...]
    days: int = 0


@dataclass(frozen=True, kw_only=True)
class FalsifyQuery:
    """Whether the analysed units contradict the plan's causal graph; answered by `Falsified`.

    Attributes:
        columns: pairs (a name of the graph, the column that it is).
    """

    columns: tuple[tuple[str, str], ...]


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
    | ClusterRegressionQuery
    | NonresponseQuery
    | QuantileQuery
    | CapQuery
    | MaturedQuery
    | FalsifyQuery
    | ScoreQuery
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
    return {
        subset: ClusterQuery(measure=measure, cluster=subset, treated=treated, control=control, by=by, value=value)
        for subset in subsets_of(clusters)
    }


def subsets_of(clusters: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return every non-empty subset of the cluster names, the single ones first."""
    return tuple(subset for size in range(1, len(clusters) + 1) for subset in combinations(clusters, size))
