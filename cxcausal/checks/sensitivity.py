"""Sensitivity: how strong would a difference that nobody measured have to be, to explain the result?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.core.adjusting import target_of
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import Benchmark, Contrast, Sensitivity, SensitivityAnswer
from cxcausal.core.score_queries import SensitivityQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import counted, number, percent

_NAMED = 4
_VERY, _BEYOND = 10.0, 100.0
_WEAK = 0.01
"""The partial R² with treatment below which even the strongest declared covariate is no measure of strength."""
_SHARES = (
    (0.05, 0.15, "a tenth as strong as"),
    (0.22, 0.28, "a quarter as strong as"),
    (0.3, 0.37, "a third as strong as"),
    (0.45, 0.55, "half as strong as"),
    (0.63, 0.7, "two thirds as strong as"),
    (0.72, 0.78, "three quarters as strong as"),
    (0.95, 1.05, "as strong as"),
    (1.9, 2.1, "twice as strong as"),
)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One arm's effect on one success metric with what could undo it."""

    metric: Metric
    contrast: Contrast
    found: Sensitivity

    @property
    def reliable(self) -> bool:
        """Whether the interval leaves zero out, so that there is something to explain away."""
        return self.found.robustness_interval > 0

    def rank(self, place: int) -> tuple[bool, int, float]:
        """Return what is told first: reliable effects, in the order of the metrics, the most wanted arm first."""
        wanted = self.found.point if self.metric.desired_direction == "increase" else -self.found.point
        return not self.reliable, place, -wanted


@dataclass(frozen=True, kw_only=True)
class SensitivityCheck:
    """How many times as strong as the strongest declared covariate an unmeasured difference must be to undo an effect.

    It is undone where the interval that allows for the difference touches zero; strengths are shares of variation
    explained, and the difference is taken to be as harmful as it can be (ρ = 1). It informs, and warns of an effect
    that something weaker than a declared covariate would undo; effects that aren't reliable need no undoing. Where no
    declared covariate goes with the treatment, many times as strong as one is still weak: then the strength itself is
    told.

    Its value is the smallest robustness value of the reliable effects' intervals: the share of what is left
    unexplained, of treatment and of outcome alike, that the difference must explain.

    Attributes:
        min_multiple: below so many times the strongest declared covariate, an effect is easily undone.
    """

    name: ClassVar[str] = "sensitivity"
    on_breach: OnBreach = "warn"
    min_multiple: float = 1.0

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one query per success metric; none where a coin decided."""
        return tuple(query for _, query in _queries(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict, in strengths that a person can picture."""
        if not isinstance(spec.design, Observational):
            return self._result("info", None, "A coin decided who was in which arm, so nothing unmeasured could.")
        told = [each for each in _told(spec, answers) if each.found.reason is None]
        if not told:
            return self._result("could_not_run", None, "There is no effect whose sensitivity could be told.")
        reliable = [each for each in told if each.reliable]
        if not reliable:
            text = "No effect is reliably different from zero anyway, so there is nothing to explain away."
            return self._result("info", 0.0, text)
        breached = any(self._easily_undone(each.found) for each in reliable)
        sentences = [*_hardly_explained(spec, reliable[:_NAMED]), *(_sentence(spec, each) for each in told[:_NAMED])]
        if len(told) > _NAMED:
            sentences.append(f"{counted(len(told) - _NAMED, 'more effect')} can be found in the appendix.")
        value = min(each.found.robustness_interval for each in reliable)
        verdict = verdict_of(self.on_breach, breached=breached)
        return self._result("info" if verdict == "pass" else verdict, value, " ".join(sentences))

    def _easily_undone(self, found: Sensitivity) -> bool:
        return found.multiple is not None and found.multiple < self.min_multiple

    def _result(self, verdict: CheckVerdict, value: float | None, text: str) -> CheckResult:
        return CheckResult(name=self.name, verdict=verdict, on_breach=self.on_breach, value=value, text=text)


def _queries(spec: ExperimentSpec) -> Iterator[tuple[Metric, SensitivityQuery]]:
    if not isinstance(spec.design, Observational):
        return
    for metric in spec.metrics.success:
        if why_not_measured(metric) is None:
            measure = measure_of(metric, spec.data.weight)
            yield metric, SensitivityQuery(measure=measure, target=target_of(spec), alpha=spec.analysis.alpha)


def _told(spec: ExperimentSpec, answers: Answers) -> list[_Told]:
    """Return the effects against the control, in the order in which they are told."""
    found = [
        (place, _Told(metric=metric, contrast=contrast, found=each))
        for place, (metric, query) in enumerate(_queries(spec))
        for contrast, each in cast("SensitivityAnswer", answers[query]).found.items()
        if contrast[1] == spec.control
    ]
    return [each for _, each in sorted(found, key=lambda pair: pair[1].rank(pair[0]))]


def _hardly_explained(spec: ExperimentSpec, told: list[_Told]) -> Iterator[str]:
    """Yield of which arms the declared covariates hardly explain who got it, so that no multiple of one says much."""
    weak: dict[str, Benchmark] = {}
    for each in told:
        best = _best_known(each.found)
        if best is not None:
            weak.setdefault(each.contrast[0], best)
    for arm, best in weak.items():
        yield (
            f"What is declared hardly explains who got {quoted(spec, arm)}: at most {percent(best.treatment)} of it, "
            f"by '{best.column}'."
        )


def _best_known(found: Sensitivity) -> Benchmark | None:
    """Return the covariate that goes most with the treatment, where even that goes with it hardly; None elsewhere."""
    best = max(found.benchmarks, key=lambda each: each.treatment, default=None)
    return best if best is not None and best.treatment < _WEAK else None


def _sentence(spec: ExperimentSpec, told: _Told) -> str:
    effect = f"the effect of {quoted(spec, told.contrast[0])} on '{told.metric.title}'"
    if not told.reliable:
        return f"{effect[0].upper()}{effect[1:]} is not reliably different from zero anyway."
    found = told.found
    if not found.benchmarks or _best_known(found) is not None:
        share = percent(found.robustness_interval)
        return (
            f"An unmeasured difference that explains {share} of what is left unexplained, both of who was treated and"
            f" of the outcome, would be enough to explain {effect}."
        )
    strongest = found.benchmarks[0].column
    if found.multiple is None or found.multiple > _BEYOND:
        return f"Even an unmeasured difference a hundred times as strong as '{strongest}' would not explain {effect}."
    if found.multiple > _VERY:
        return f"Even an unmeasured difference ten times as strong as '{strongest}' would not explain {effect}."
    return (
        f"An unmeasured difference {times_as_strong(found.multiple)} '{strongest}' would be enough to explain {effect}."
    )


def times_as_strong(multiple: float) -> str:
    """Return a multiple as people say it.

    Example:
        >>> times_as_strong(0.5), times_as_strong(2.04), times_as_strong(1.437), times_as_strong(0.02)
        ('half as strong as', 'twice as strong as', '1.4 times as strong as', '2 % as strong as')
    """
    for low, high, words in _SHARES:
        if low <= multiple <= high:
            return words
    if multiple < 1:
        return f"{percent(float(f'{multiple:.1g}'))} as strong as"
    return f"{number(multiple, digits=2)} times as strong as"
