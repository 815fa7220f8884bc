"""The companion of metrics that only some customers answer: who answers, adjusted for it, and bounded without it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cxcausal.core.protocols import Answers, Comparison
from cxcausal.core.queries import Query
from cxcausal.estimators.questions import Levels, Question, questions_of
from cxcausal.estimators.response_adjusted import adjusted_queries, adjusted_row
from cxcausal.estimators.response_bounds import bound_rows, bounds_queries
from cxcausal.estimators.response_rates import rate_queries, rate_row

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric


@dataclass(frozen=True, kw_only=True)
class Response:
    """For every metric with a `response`: response rates, response-AIPW, Lee and worst-case bounds, over everybody."""

    name: ClassVar[str] = "response"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return the aggregates behind the rows; none for a metric that everybody answers."""
        return tuple(_queries(spec, metric, _everybody(spec, levels))) if metric.response is not None else ()

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return four rows per contrast, with a reason wherever one can't be computed."""
        if metric.response is None:
            return ()
        return tuple(row for question in _everybody(spec, levels) for row in _rows(spec, metric, question, answers))


def _everybody(spec: "ExperimentSpec", levels: Levels) -> tuple[Question, ...]:
    return tuple(question for question in questions_of(spec, levels) if question.segment is None)


def _queries(spec: "ExperimentSpec", metric: "Metric", questions: Sequence[Question]) -> Iterator[Query]:
    yield from rate_queries(spec, metric, questions)
    yield from adjusted_queries(spec, metric)
    yield from bounds_queries(spec, metric, questions)


def _rows(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Iterator[Comparison]:
    yield rate_row(spec, metric, question, answers)
    yield adjusted_row(spec, metric, question, answers)
    yield from bound_rows(spec, metric, question, answers)
