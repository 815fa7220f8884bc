"""The adjusted effect where customers share a fate: what it asks, and what the answers give."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from cxcausal.core.answers import ClusterRegressionTable
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import ClusterRegressionQuery, subsets_of
from cxcausal.core.small_cells import without_levels
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question
from cxcausal.stats.cluster_regression import common_slopes, difference, lin, why_not_adjusted, why_not_told
from cxcausal.stats.difference import Difference
from cxcausal.stats.newcombe import small_rates

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

Names = tuple[str, ...]
_FITS = {"lin": lin, "ols": common_slopes}
_NO_VARIATION = 1e-12
_RATES = frozenset({"proportion", "top_box"})


def why_never(spec: "ExperimentSpec", metric: "Metric") -> str | None:
    """Return why a metric of a plan with clusters has no adjusted effect, whatever the data."""
    shared = f"where customers share a fate ({', '.join(spec.clusters)}), this version does not adjust"
    if metric.type == "ratio":
        return f"{shared} ratios of means for covariates"
    return None if spec.data.weight is None else f"{shared} weighted means for covariates"


def queries_of(
    spec: "ExperimentSpec", metric: "Metric", segment: str | None, *, covariates: Names, strata: Names
) -> Mapping[Names, ClusterRegressionQuery]:
    """Return one query per non-empty subset of the cluster names; each answers every contrast and segment value."""
    by = () if segment is None else (segment,)
    measure = measure_of(metric)
    return {
        names: ClusterRegressionQuery(measure=measure, covariates=covariates, strata=strata, cluster=names, by=by)
        for names in subsets_of(spec.clusters)
    }


def adjusted(
    mine: Found, metric: "Metric", question: Question, asked: Mapping[Names, ClusterRegressionQuery], answers: Answers
) -> Found:
    """Return the finding with its adjusted effect, or with the reason why it has none.

    Args:
        mine: the unadjusted finding, already named as this one's method and without an effect.
        metric: as planned.
        question: the contrast and its population.
        asked: the queries.
        answers: to them.
    """
    if metric.type in _RATES and small_rates(mine.treated, mine.control):
        return replace(mine, reason="an arm has too few events, or too few without, to adjust for covariates")
    tables = {names: cast("ClusterRegressionTable", answers[query]) for names, query in asked.items()}
    sums = {names: table[question.group] for names, table in tables.items()}
    reason = why_not_adjusted(sums, question.arm, question.control)
    if reason is not None:
        return replace(mine, reason=reason)
    fits = {names: _FITS[mine.method](found, question.arm, question.control) for names, found in sums.items()}
    effect, reason = difference(fits), why_not_told(fits)
    widest, largest = max(fit.se for fit in fits.values()), max(abs(effect.mean_treated), abs(effect.mean_control))
    if reason is None and widest <= _NO_VARIATION * largest:
        reason = "the covariates leave no variation of the outcome within the arms"
    if reason is not None:
        return replace(mine, reason=reason)
    return replace(mine, effect=_noted(effect, next(iter(sums.values())).dropped))


def _noted(effect: Difference, dropped: Sequence[str]) -> Difference:
    if not dropped:
        return effect
    left_out = f"not adjusted for {', '.join(without_levels(dropped))}: nothing of its own to tell in some arm"
    return replace(effect, note="; ".join(note for note in (effect.note, left_out) if note))
