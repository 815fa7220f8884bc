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
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import Opinion, SpecificationAnswer
from cxcausal.core.score_queries import SpecificationQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import counted, listed, number

_WORDS = {
    LINEAR: "with straight-line models",
    BOOSTED: "with decision trees",
    FEWER: "without the effect modifiers",
}

_VAGUE = 3.0
"""An effect under another choice that is so many times as uncertain as the plan's own agrees with anything."""


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

    @property
    def vagueness(self) -> float:
        """How many times as uncertain as the plan's own effect it is; 1 where that is unknown."""
        return self.opinion.se / self.opinion.scores_se if self.opinion.scores_se > 0 else 1.0


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
        vague = [each for each in known if each.vagueness > _VAGUE]
        clear = [each for each in known if each.vagueness <= _VAGUE]
        widest = max(known, key=lambda each: each.gap)
        if widest.gap <= self.max_gap_in_se and vague:
            return self._vague(naming, spec, vague, clear)
        breached = widest.gap > self.max_gap_in_se
        return naming.told(
            verdict_of(self.on_breach, breached=breached),
            self._text(spec, known, widest, breached=breached),
            value=widest.gap,
        )

    def _vague(self, naming: Naming, spec: ExperimentSpec, vague: list[_Told], clear: list[_Told]) -> CheckResult:
        """Return the result where no gap is too large, but some of the effects are too uncertain to support any."""
        worst = max(vague, key=lambda each: each.vagueness)
        times, unsure = number(worst.vagueness, digits=2), number(1.96 * worst.opinion.se, digits=2)
        names = dict.fromkeys(_WORDS[each.choice] for each in vague if each.choice != worst.choice)
        also = f" The same goes for the effect {listed(list(names))}." if names else ""
        text = (
            f"Computed {_WORDS[worst.choice]}, the effect on {_which(spec, worst)}, tells nothing for or against the "
            f"plan's own: it is uncertain by about {unsure} in both directions, {times} times as much (limit: "
            f"{number(_VAGUE)} times).{also}"
        )
        widest = max(clear, key=lambda each: each.gap, default=None)
        if widest is not None:
            text = f"{text} {self._text(spec, clear, widest, breached=False)}"
        verdict: CheckVerdict = "info" if self.on_breach == "skip" else "warn"
        return naming.told(verdict, text, value=None if widest is None else widest.gap)

    def _text(self, spec: ExperimentSpec, known: list[_Told], widest: _Told, *, breached: bool) -> str:
        same = [each for each in known if (each.metric.name, each.arm) == (widest.metric.name, widest.arm)]
        own = widest.opinion.point - widest.opinion.gap
        points = sorted([own, *(each.opinion.point for each in same)])
        size = (
            f"{number(widest.gap, digits=2)} times what chance usually makes of it; limit: {number(self.max_gap_in_se)}"
        )
        which = _which(spec, widest)
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


def _which(spec: ExperimentSpec, told: _Told) -> str:
    return f"'{told.metric.title}', {quoted(spec, told.arm)} against {quoted(spec, spec.control)}"


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
