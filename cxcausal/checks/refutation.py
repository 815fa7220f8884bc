"""Refutation: does an effect vanish where it must, and stay where it must?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.core.adjusting import target_of
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import Contrast, RefutationAnswer, Refuter
from cxcausal.core.score_queries import RefutationQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import counted, number

_WORDS = {
    "placebo_treatment": "a made-up treatment, drawn by the chances that people had, should do nothing",
    "random_common_cause": "a made-up cause should change nothing",
    "subset": "a random part of all should tell the same",
    "dummy_outcome": "a made-up outcome, which nobody could change, should not be changed",
}
_READ = "This tests the computation; it says nothing about what was not measured."


@dataclass(frozen=True, kw_only=True)
class RefutationCheck:
    """The largest distance, in its own standard errors, of a tampered effect from what it ought to be.

    Placebo treatments and dummy outcomes must have no effect, random covariates and random subsets must leave the
    effect as it is. What fails here is wrong in the computation; what passes is not therefore free of confounding.

    Attributes:
        max_shift_in_se: beyond so many standard errors it is a breach.
        dowhy: whether DoWhy's own refuters of a linear regression are asked as a second opinion, which takes minutes.
    """

    name: ClassVar[str] = "refutation"
    on_breach: OnBreach = "warn"
    max_shift_in_se: float = 4.0
    dowhy: bool = False

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one query per success metric; none where a coin decided."""
        return tuple(query for _, query in self._queries(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the refuter that is furthest off."""
        if not isinstance(spec.design, Observational):
            return self._result(
                "info", None, "A coin decided who was in which arm; nothing was adjusted that could err."
            )
        found = [
            (abs(refuter.found - refuter.expected) / refuter.se, metric, contrast, refuter)
            for metric, query in self._queries(spec)
            for contrast, refuters in cast("RefutationAnswer", answers[query]).refuters.items()
            for refuter in refuters
            if refuter.se > 0
        ]
        if not found:
            return self._result("could_not_run", None, "There is no effect that could be put to the test.")
        shift, metric, contrast, worst = max(found, key=lambda each: each[0])
        breached = shift > self.max_shift_in_se
        text = self._text(spec, metric, contrast, worst, shift) if breached else self._passed(len(found), shift)
        return self._result(verdict_of(self.on_breach, breached=breached), shift, text)

    def _queries(self, spec: ExperimentSpec) -> Iterator[tuple[Metric, RefutationQuery]]:
        if not isinstance(spec.design, Observational):
            return
        for metric in spec.metrics.success:
            if why_not_measured(metric) is None:
                measure = measure_of(metric, spec.data.weight)
                yield metric, RefutationQuery(measure=measure, target=target_of(spec), dowhy=self.dowhy)

    def _passed(self, tests: int, shift: float) -> str:
        return (
            f"Effects vanished where they had to, and stayed where they had to, in {counted(tests, 'test')}; the"
            f" largest distance is {number(shift, digits=2)} of its standard errors"
            f" (limit: {number(self.max_shift_in_se)})."
            f" {_READ}"
        )

    def _text(self, spec: ExperimentSpec, metric: Metric, contrast: Contrast, refuter: Refuter, shift: float) -> str:
        words = _WORDS[refuter.name.removeprefix("dowhy_")]
        size = f"{number(shift, digits=2)} of its standard errors"
        return (
            f"The effect of {quoted(spec, contrast[0])} on '{metric.title}' does not stand a test of the computation:"
            f" {words}, but is {size} off (limit: {number(self.max_shift_in_se)})."
        )

    def _result(self, verdict: CheckVerdict, value: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=value,
            threshold=self.max_shift_in_se,
            text=text,
        )
