"""Whether the contact changes who answers: the share of customers with an answer, compared as an outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, cast

from cxcausal.core.answers import ClusterPatterns, Moments, MomentTable
from cxcausal.core.measures import answered_of, response_name
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.estimators.comparison import Comparison, Effect
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question, cluster_queries_of, moment_query
from cxcausal.estimators.response_rows import EMPTY, beside_the_metric, why_no_mean
from cxcausal.stats.cluster import difference, too_few_clusters
from cxcausal.stats.newcombe import RateDifference, newcombe, small_rates

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_FEWEST_UNITS = 2
Patterns = Mapping[tuple[str, ...], ClusterPatterns]


def rate_queries(spec: "ExperimentSpec", metric: "Metric", questions: Sequence[Question]) -> Iterator[Query]:
    """Yield the moments of answering, over all analysed units, and its sums by cluster."""
    if why_no_mean(metric) is None:
        measure = answered_of(metric, spec.data.weight)
        yield moment_query(measure, None)
        asked = (cluster_queries_of(measure, question, spec.clusters) for question in questions)
        yield from chain.from_iterable(queries.values() for queries in asked)


def rate_row(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Comparison:
    """Return the difference in the share who answer, named `<metric>.response`."""
    reason = why_no_mean(metric)
    nothing = Found(treated=EMPTY, control=EMPTY, reason=reason, hidden=True)
    found = nothing if reason is not None else _find(spec, metric, question, answers)
    mine = beside_the_metric(spec, metric, question, found)
    row = replace(mine.row, metric=response_name(metric.name), role="exploratory", unit="share of customers")
    return replace(mine, row=row)


def _find(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Found:
    measure = answered_of(metric, spec.data.weight)
    table = cast("MomentTable", answers[moment_query(measure, None)])
    treated, control = (table.get((arm, ()), EMPTY) for arm in (question.arm, question.control))
    asked = cluster_queries_of(measure, question, spec.clusters)
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    reason = _why_not(question, treated, control, patterns)
    effect = None if reason is not None else _effect(treated, control, patterns)
    if effect is not None and effect.se == 0 and not isinstance(effect, RateDifference):
        effect, reason = None, "within the arms, everybody answers alike"
    return Found(treated=treated, control=control, effect=effect, reason=reason)


def _why_not(question: Question, treated: Moments, control: Moments, patterns: Patterns) -> str | None:
    for arm, cell in ((question.arm, treated), (question.control, control)):
        if cell.n < _FEWEST_UNITS:
            return f"arm '{arm}' has fewer than {_FEWEST_UNITS} customers in the analysis"
    if treated.events + control.events == 0:
        return "nobody answered"
    if treated.events + control.events == treated.n + control.n:
        return "everybody answered"
    if any(len(names) == 1 and too_few_clusters(found) for names, found in patterns.items()):
        return "an arm has fewer than two clusters, so their spread is unknown"
    return None


def _effect(treated: Moments, control: Moments, patterns: Patterns) -> Effect:
    if not patterns and small_rates(treated, control):
        return newcombe(treated, control)
    return difference(treated, control, patterns)
