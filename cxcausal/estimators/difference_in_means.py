"""Difference in means (or in ratios of means) per contrast, population and scale: HC2, CR2 or Newcombe."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.measure import Measure
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.small_cells import SMALLEST_CELL
from cxcausal.estimators.adjustment import Slopes, beside, regression_queries
from cxcausal.estimators.comparison import Comparison, Effect
from cxcausal.estimators.found import Found, rows_of
from cxcausal.estimators.quantiles import compare_quantiles, quantile_queries
from cxcausal.estimators.questions import Levels, Question, cluster_queries_of, moment_query, questions_of
from cxcausal.estimators.ramp_up import epoch_queries, within_epochs
from cxcausal.stats.cluster import difference, too_few_clusters
from cxcausal.stats.moments import NAN, RATIO, influence, merge
from cxcausal.stats.newcombe import RateDifference, newcombe, small_rates

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_FEWEST_UNITS = 2
_NO_VARIATION = 1e-12
RATES = frozenset({"proportion", "top_box"})
"""Types of metrics that are 0 or 1 per customer."""
_EMPTY = Moments(n=0, mean=np.array([NAN]), m2=np.array([[NAN]]))

Patterns = Mapping[tuple[str, ...], ClusterPatterns]


@dataclass(frozen=True, kw_only=True)
class DifferenceInMeans:
    """Compares arms as they were assigned; where the plan names covariates, adjusted for them as well.

    `slopes` says how: each arm has its own (Lin), or all have common ones.
    """

    name: ClassVar[str] = "difference_in_means"

    slopes: Slopes = "by_arm"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return moments per population, cluster sums per contrast where units share a fate, and regressions."""
        if metric.type == "quantile":
            return quantile_queries(spec, metric)
        measure = measure_of(metric, spec.data.weight)
        moments = (moment_query(measure, segment) for segment in (None, *spec.segments))
        asked = questions_of(spec, levels) if spec.clusters else ()
        clusters = (cluster_queries_of(measure, question, spec.clusters).values() for question in asked)
        adjusted = regression_queries(spec, metric, levels, self.slopes)
        return (*moments, *chain.from_iterable(clusters), *adjusted, *epoch_queries(spec, metric))

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one effect per contrast × population × scale, with a reason wherever a row can't be computed."""
        questions = questions_of(spec, levels)
        if metric.type == "quantile":
            return compare_quantiles(spec, metric, levels, answers)
        rows = (
            rows_of(spec, metric, question, told)
            for question in questions
            for told in within_epochs(
                spec,
                metric,
                question,
                beside(spec, metric, question, _find(spec, metric, question, answers), answers, slopes=self.slopes),
                answers,
            )
        )
        return tuple(chain.from_iterable(rows))


def _find(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Found:
    measure = measure_of(metric, spec.data.weight)
    return find(spec, measure, question, answers, rate=metric.type in RATES)


def find(spec: "ExperimentSpec", measure: Measure, question: Question, answers: Answers, *, rate: bool) -> Found:
    """Return what the aggregates say about the difference of a measure's means, or ratios of means.

    Args:
        spec: the plan.
        measure: what is compared; its moments, and its cluster sums where units share a fate, are among the answers.
        question: the arms and the population.
        answers: to the queries.
        rate: whether the measure is 0 or 1, so that small arms are compared as rates.
    """
    table = answers[moment_query(measure, question.segment)]
    treated, control = _cell(table, question.arm, question), _cell(table, question.control, question)
    asked = cluster_queries_of(measure, question, spec.clusters)
    patterns = {names: _patterns(answers[query]) for names, query in asked.items()}
    return found_between(question, (treated, control), patterns, rate=rate)


def found_between(question: Question, cells: tuple[Moments, Moments], patterns: Patterns, *, rate: bool) -> Found:
    """Return what two arms' cells (treated, control) and their clusters say, or why they say nothing."""
    treated, control = cells
    reason = _why_not(question, treated, control) or _why_no_clusters(patterns)
    if reason is not None:
        return Found(treated=treated, control=control, reason=reason, hidden=_is_hidden(question, treated, control))
    effect = _effect(treated, control, patterns, rate=rate)
    floor = _NO_VARIATION * max(abs(effect.mean_treated), abs(effect.mean_control))
    if effect.se <= floor and not isinstance(effect, RateDifference):
        return Found(treated=treated, control=control, reason="the outcome does not vary within the arms")
    return Found(treated=treated, control=control, effect=effect)


def _cell(table: object, arm: str, question: Question) -> Moments:
    """Return the moments of one arm in the question's population; an empty cell where no unit counts."""
    assert isinstance(table, Mapping)  # noqa: S101 - narrows the union of answers
    cell = table.get((arm, question.group), _EMPTY)
    return cell if isinstance(cell, Moments) and cell.n > 0 else _EMPTY


def _patterns(answer: object) -> ClusterPatterns:
    assert isinstance(answer, ClusterPatterns)  # noqa: S101 - narrows the union of answers
    return answer


def _is_hidden(question: Question, treated: Moments, control: Moments) -> bool:
    return question.segment is not None and min(treated.n, control.n) < SMALLEST_CELL


def _why_not(question: Question, treated: Moments, control: Moments) -> str | None:
    if _is_hidden(question, treated, control):
        return f"fewer than {SMALLEST_CELL} customers of this segment in an arm: not shown"
    for arm, cell in ((question.arm, treated), (question.control, control)):
        if cell.n == 0:
            return f"no customer in arm '{arm}' has a value"
        if cell.n < _FEWEST_UNITS:
            return f"arm '{arm}' has a single customer with a value, so its spread is unknown"
        if len(cell.mean) == RATIO and cell.mean[1] == 0:
            return f"the denominator is zero on average in arm '{arm}'"
    return None if _varies(merge([treated, control])) else "the outcome does not vary"


def _why_no_clusters(patterns: Patterns) -> str | None:
    short = [names[0] for names, found in patterns.items() if len(names) == 1 and too_few_clusters(found)]
    return f"an arm has fewer than two values of '{short[0]}', so their spread is unknown" if short else None


def _varies(cell: Moments) -> bool:
    weights = influence(cell.mean)
    spread = float(weights @ cell.m2 @ weights) / cell.n
    return spread > (_NO_VARIATION * float(np.abs(cell.mean * weights).max())) ** 2


def _effect(treated: Moments, control: Moments, patterns: Patterns, *, rate: bool) -> Effect:
    if not patterns and rate and small_rates(treated, control):
        return newcombe(treated, control)
    return difference(treated, control, patterns)
