"""Second opinions: beside a success metric's own effect, what other methods make of the same customers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cxcausal.core.adjusting import estimand_of, target_of
from cxcausal.core.answers import Moments
from cxcausal.core.opinions import opinion_queries
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.score_answers import Opinion, OpinionAnswer
from cxcausal.core.score_queries import TARGETS
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.found import Found, comparison
from cxcausal.estimators.questions import Levels, Question, questions_of
from cxcausal.stats.difference import Difference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_NOTHING = np.array([[float("nan")]])


@dataclass(frozen=True, kw_only=True)
class SecondOpinions:
    """A companion: one row per success metric, contrast and method; each says whom its effect is of."""

    name: ClassVar[str] = "second_opinions"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return one query per method, of metrics that are to succeed."""
        del levels  # everybody is one population
        return tuple(opinion_queries(spec, metric).values()) if metric in spec.metrics.success else ()

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one difference per contrast × method, with a reason wherever a method has none."""
        del levels  # everybody is one population
        if metric not in spec.metrics.success:
            return ()
        asked = opinion_queries(spec, metric).items()
        return tuple(
            _row(spec, metric, question, method, answers[query])
            for question in questions_of(spec, {})
            if question.segment is None
            for method, query in asked
        )


def _row(spec: "ExperimentSpec", metric: "Metric", question: Question, method: str, answer: object) -> Comparison:
    assert isinstance(answer, OpinionAnswer)  # noqa: S101 - narrows the union of answers
    opinion = answer.opinions[question.arm, question.control]
    waiting = comparison(spec, metric, question, _found(opinion, method), "absolute")
    target = next((name for name in TARGETS if name == opinion.target), target_of(spec))
    row = replace(waiting.row, estimand=estimand_of(spec, target), companion=True, headline=False)
    return replace(waiting, row=row, confirmatory=False)


def _found(opinion: Opinion, method: str) -> Found:
    cells = tuple(Moments(n=units, mean=np.array([float("nan")]), m2=_NOTHING) for units in opinion.n)
    found = Found(treated=cells[0], control=cells[1], reason=opinion.reason, method=method, adjustment="covariates")
    if opinion.reason is not None:
        return found
    if opinion.se <= 0:
        return replace(found, reason="the outcome does not vary within the arms")
    effect = Difference(
        mean_treated=opinion.base + opinion.point,
        mean_control=opinion.base,
        var_treated=opinion.se**2,
        var_control=0.0,
        df=opinion.df,
        note=opinion.note,
    )
    return replace(found, effect=effect)
