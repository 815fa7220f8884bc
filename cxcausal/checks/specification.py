"""Specification: would another analyst, with other reasonable choices, have told another effect?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, is_observational
from cxcausal.core.adjusting import target_of
from cxcausal.core.choices import BOOSTED, FEWER, JUDGED, LINEAR
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.score_answers import Opinion, SpecificationAnswer
from cxcausal.core.score_queries import SpecificationQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import counted, number

_WORDS = {
    LINEAR: "with straight-line models",
    BOOSTED: "with decision trees",
    FEWER: "without the effect modifiers",
}


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One metric and arm under one choice."""

    metric: Metric
    arm: str
    choice: str
    opinion: Opinion

    @property
    def gap(self) -> float:
        """The distance from the plan's own effect, in standard errors of that distance."""
        return abs(self.opinion.gap) / self.opinion.gap_se if self.opinion.gap_se > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Specification:
    """Success metrics' effects with linear and with boosted learners, and without the effect modifiers.

    A gap is held against the standard error of the **difference**, from both influence functions: two analyses of the
    same customers agree far better than their intervals say.

    Attributes:
        max_gap_in_se: a larger gap is a breach.
    """

    name: ClassVar[str] = "specification"
    on_breach: OnBreach = "warn"
    max_gap_in_se: float = 3.0

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one query per success metric; nothing where a coin decided."""
        return tuple(_query(spec, metric) for metric in _metrics(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the choice that differs most."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.max_gap_in_se)
        if not is_observational(spec):
            return naming.elsewhere()
        told = [each for metric in _metrics(spec) for each in _told(spec, metric, answers)]
        known = [each for each in told if each.opinion.reason is None and each.choice in JUDGED]
        if not known:
            reasons = (each.opinion.reason for each in told if each.opinion.reason is not None)
            return naming.in_vain(next(reasons, "no success metric is an average of which this could be told"))
        widest = max(known, key=lambda each: each.gap)
        breached = widest.gap > self.max_gap_in_se
        return naming.told(
            verdict_of(self.on_breach, breached=breached),
            self._text(spec, known, widest, breached=breached),
            value=widest.gap,
        )

    def _text(self, spec: ExperimentSpec, known: list[_Told], widest: _Told, *, breached: bool) -> str:
        same = [each for each in known if (each.metric.name, each.arm) == (widest.metric.name, widest.arm)]
        own = widest.opinion.point - widest.opinion.gap
        points = sorted([own, *(each.opinion.point for each in same)])
        size = (
            f"{number(widest.gap, digits=2)} times what chance usually makes of it; limit: {number(self.max_gap_in_se)}"
        )
        which = f"'{widest.metric.title}', {quoted(spec, widest.arm)} against {quoted(spec, spec.control)}"
        if breached:
            unsure = number(1.96 * widest.opinion.se, digits=2)
            return (
                f"How the effect is computed moves it by more than chance explains: {_WORDS[widest.choice]}, the "
                f"effect on {which}, would be {number(widest.opinion.point)} instead of {number(own)} ({size}). "
                f"For comparison: either is uncertain by about {unsure} in both directions."
            )
        ways = len({each.choice for each in known})
        return (
            f"{counted(ways, 'other way')} of computing the effects {'tells' if ways == 1 else 'tell'} much the same: "
            f"for {which}, all lie between {number(points[0])} and {number(points[-1])} (largest gap: {size})."
        )


def _metrics(spec: ExperimentSpec) -> Iterator[Metric]:
    if is_observational(spec):
        yield from (metric for metric in spec.metrics.success if why_not_measured(metric) is None)


def _query(spec: ExperimentSpec, metric: Metric) -> SpecificationQuery:
    """Return the query; effect modifiers are left out by one choice, as far as they are no confounders."""
    confounders = spec.design.confounders if isinstance(spec.design, Observational) else ()
    without = tuple(name for name in spec.effect_modifiers if name not in confounders)
    measure = measure_of(metric, spec.data.weight)
    return SpecificationQuery(measure=measure, target=target_of(spec), without=without)


def _told(spec: ExperimentSpec, metric: Metric, answers: Answers) -> Iterator[_Told]:
    found = cast("SpecificationAnswer", answers[_query(spec, metric)])
    for (arm, control), choices in found.choices.items():
        if control == spec.control:
            yield from (
                _Told(metric=metric, arm=arm, choice=name, opinion=opinion) for name, opinion in choices.items()
            )
