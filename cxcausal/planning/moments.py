"""Base moments of every metric: from past units that nobody treated, or as they are stated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING, cast

from cxcausal.core.answers import Answer, ClusterPatterns, MissingCounts, MomentTable, Quantiles
from cxcausal.core.measures import measure_of, values_of
from cxcausal.core.queries import ClusterQuery, CorrelationQuery, MissingQuery, MomentQuery, QuantileQuery, Query
from cxcausal.planning.assumptions import Assumptions, of
from cxcausal.stats.moments import linearise
from cxcausal.stats.power import Clustering, intra_cluster
from cxcausal.stats.quantiles import density_variance

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

RATES = frozenset({"proportion", "top_box"})


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is known of one metric before the experiment.

    Attributes:
        mean, variance: of one unit's (linearised) value; None where not known.
        response: the fraction of units with a value. rho: correlation with the metric's covariate.
        clusters: of what is randomised whole; None where units are, or where nothing is known of it.
        binary: the value is 0 or 1.
    """

    mean: float | None = None
    variance: float | None = None
    response: float = 1.0
    rho: float = 0.0
    clusters: Clustering | None = None
    binary: bool = False


def whole_cluster(spec: "ExperimentSpec") -> str | None:
    """Return the column whose values go into an arm whole; None where single units do.

    Units of any other cluster are split over the arms, so that what they share cancels in the comparison.
    """
    coin = spec.randomization_unit
    return coin if coin is not None and (coin != spec.data.unit or coin in spec.clusters) else None


def planned_metrics(spec: "ExperimentSpec") -> "tuple[Metric, ...]":
    """Return the metrics that planning tells about: all but exploratory ones."""
    return tuple(metric for role, metric in spec.metrics.with_roles() if role != "exploratory")


def history_queries(spec: "ExperimentSpec", cluster: str | None) -> tuple[Query, ...]:
    """Return what past units are asked; all of them count as the control's.

    Args:
        spec: the plan.
        cluster: see `whole_cluster`; None where its correlation is stated.
    """
    return tuple(query for metric in planned_metrics(spec) for query in _queries(spec, metric, cluster).values())


def stated_bases(spec: "ExperimentSpec", assumptions: Assumptions) -> dict[str, Base]:
    """Return what is stated of every metric."""
    nothing = {metric.name: Base(binary=_is_binary(spec, metric)) for metric in planned_metrics(spec)}
    return {metric.name: _stated(nothing[metric.name], metric, assumptions) for metric in planned_metrics(spec)}


def past_bases(
    spec: "ExperimentSpec", answers: Mapping[Query, Answer], assumptions: Assumptions, cluster: str | None
) -> dict[str, Base]:
    """Return what past units say of every metric, but for what is stated.

    Args:
        spec: the plan.
        answers: to `history_queries`.
        assumptions: they win.
        cluster: as the queries had it.
    """
    return {
        metric.name: _stated(_found(spec, metric, answers, cluster), metric, assumptions)
        for metric in planned_metrics(spec)
    }


def _queries(spec: "ExperimentSpec", metric: "Metric", cluster: str | None) -> dict[str, Query]:
    if metric.type == "quantile":
        values = values_of(metric)
        return {"quantile": QuantileQuery(measure=values, q=metric.q or 0.0), "missing": MissingQuery(measure=values)}
    measure = measure_of(metric, spec.data.weight)
    asked: dict[str, Query] = {"moments": MomentQuery(measure=measure), "missing": MissingQuery(measure=measure)}
    if cluster is not None:
        arm = spec.treated_arms[0]
        asked["clusters"] = ClusterQuery(measure=measure, cluster=(cluster,), treated=arm, control=spec.control)
    if metric.covariate is not None and not measure.is_ratio:
        asked["rho"] = CorrelationQuery(column=metric.covariate, measure=measure)
    return asked


def _found(spec: "ExperimentSpec", metric: "Metric", answers: Mapping[Query, Answer], cluster: str | None) -> Base:
    found = {name: answers[query] for name, query in _queries(spec, metric, cluster).items()}
    if metric.type == "quantile":
        return _quantile(spec, metric, found)
    cell = cast("MomentTable", found["moments"])[spec.control, ()]
    units, without = cast("MissingCounts", found["missing"])[spec.control]
    mean = linearise(cell)
    known = mean.n > 1 and isfinite(mean.point)
    rho, patterns = found.get("rho", 0.0), found.get("clusters")
    return Base(
        mean=mean.point if known else None,
        variance=mean.variance * mean.n if known else None,
        response=(units - without) / units if units else 1.0,
        rho=float(rho) if isinstance(rho, float) and isfinite(rho) else 0.0,
        clusters=intra_cluster(cell, patterns) if isinstance(patterns, ClusterPatterns) and known else None,
        binary=_is_binary(spec, metric),
    )


def _quantile(spec: "ExperimentSpec", metric: "Metric", found: Mapping[str, Answer]) -> Base:
    """Return a past quantile, and the variance that the order statistics around it have per unit."""
    cell = cast("Quantiles", found["quantile"]).cells.get((spec.control, ()))
    units, without = cast("MissingCounts", found["missing"])[spec.control]
    point, variance = (None, None) if cell is None else density_variance(cell, metric.q or 0.0)
    return Base(mean=point, variance=variance, response=(units - without) / units if units else 1.0)


def _is_binary(spec: "ExperimentSpec", metric: "Metric") -> bool:
    return metric.type in RATES and spec.data.weight is None


def _stated(base: Base, metric: "Metric", assumptions: Assumptions) -> Base:
    mean, sd = of(assumptions.base, metric.name), of(assumptions.sd, metric.name)
    rho, response = of(assumptions.rho, metric.name), of(assumptions.response, metric.name)
    variance = base.variance if sd is None else sd**2
    if metric.type == "quantile":  # it has no standard deviation of one unit, and is not adjusted
        variance, rho = base.variance, None
    mean = base.mean if mean is None else mean
    if base.binary and mean is not None:
        variance = mean * (1 - mean)
    return Base(
        mean=mean,
        variance=variance,
        response=base.response if response is None else response,
        rho=base.rho if rho is None else rho,
        clusters=_stated_clusters(base.clusters, of(assumptions.icc, metric.name), assumptions),
        binary=base.binary,
    )


def _stated_clusters(found: Clustering | None, icc: float | None, assumptions: Assumptions) -> Clustering | None:
    size = assumptions.cluster_size if assumptions.cluster_size is not None else found.size if found else None
    icc = icc if icc is not None else found.icc if found else None
    cv = assumptions.cluster_cv if assumptions.cluster_cv is not None else found.cv if found else 0.0
    return None if size is None or icc is None else Clustering(size=size, cv=cv, icc=icc)


def missing_knowledge(spec: "ExperimentSpec", metric: "Metric", base: Base) -> str | None:
    """Return what must be known before anything can be said about a metric, as a sentence; None where all is."""
    return next(_missing(spec, metric, base), None)


def _missing(spec: "ExperimentSpec", metric: "Metric", base: Base) -> Iterator[str]:
    name = metric.name
    if base.variance is None and metric.type == "quantile":
        yield f"how '{name}' spreads depends on the values around this quantile: give past data with --history"
    elif base.variance is None:
        option = f"--base {name}=…" if base.binary else f"--sd {name}=…"
        yield f"nothing is known of '{name}': state {option}, or give past data with --history"
    size = metric.margin or metric.mde
    if base.mean is None and size is not None and size.relative is not None:
        yield f"a relative size needs the mean of '{name}': state --base {name}=…, or give past data with --history"
    if base.clusters is None and whole_cluster(spec) is not None:
        yield (
            f"whole values of '{whole_cluster(spec)}' are randomised: state --icc and --cluster-size, "
            "or give past data with --history"
        )
    if base.variance is not None and sqrt(base.variance) == 0:
        yield f"'{name}' does not vary"
