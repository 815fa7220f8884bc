"""Arms whose shares changed during enrolment: compared within epochs, and never silently across them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from cxcausal.core.answers import MomentTable
from cxcausal.core.epochs import EPOCH
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import MomentQuery
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question
from cxcausal.stats.newcombe import RateDifference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

MIXED = (
    "not adjusted for when customers were enrolled: the arms' shares changed meanwhile, so this mixes the effect "
    "with whatever else changed over that time"
)


def epoch_queries(spec: "ExperimentSpec", metric: "Metric") -> tuple[MomentQuery, ...]:
    """Return the moments per epoch, in all and per segment; none where shares never changed."""
    if not spec.epochs:
        return ()
    measure = measure_of(metric, spec.data.weight)
    groups = ((), *((segment,) for segment in spec.segments))
    return tuple(MomentQuery(measure=measure, by=(*group, EPOCH)) for group in groups)


def within_epochs(
    spec: "ExperimentSpec", metric: "Metric", question: Question, told: tuple[Found, ...], answers: Answers
) -> tuple[Found, ...]:
    """Return the findings of one question with the one that leads being free of what changed over time.

    Within an epoch the shares were constant, so that the arms are alike there; over epochs they are not (Simpson's
    paradox). The finding that is adjusted for the epoch leads even where it can't be computed, and the other carries
    a note. In a segment, where notes are not shown, the other is told only beside an adjusted one. Where all units
    that count are of one epoch, nothing is mixed and nothing changes.

    Args:
        spec: the plan.
        metric: one of its metrics.
        question: of which `told` are the findings.
        told: the adjusted finding, if any, and then the unadjusted one.
        answers: with those to `epoch_queries`.
    """
    if not spec.epochs:
        return told
    enrolled = _enrolled(spec, metric, question, answers)
    *adjusted, plain = told
    if len(enrolled) <= 1:
        return told if _has_others(spec, metric) else (replace(plain, leads=True),)
    reason = _why_not(spec, enrolled)
    best = tuple(found if reason is None or found.hidden else _without(found, reason) for found in adjusted)
    computed = any(found.effect is not None for found in best)
    beside = _noted(plain) if computed or question.segment is None else _without(plain, plain.reason or MIXED)
    return (*(replace(found, leads=True) for found in best), replace(beside, leads=not best))


def _has_others(spec: "ExperimentSpec", metric: "Metric") -> bool:
    return bool(spec.covariates or spec.design.strata) or metric.covariate is not None


def _enrolled(
    spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers
) -> dict[str, dict[str, int]]:
    """Return, for every epoch with units that count, how many each arm has."""
    group = () if question.segment is None else (question.segment,)
    query = MomentQuery(measure=measure_of(metric, spec.data.weight), by=(*group, EPOCH))
    found: dict[str, dict[str, int]] = {}
    for (arm, key), cell in cast("MomentTable", answers[query]).items():
        if key[:-1] == question.group and cell.n > 0:
            found.setdefault(key[-1], {})[arm] = cell.n
    return found


def _why_not(spec: "ExperimentSpec", enrolled: Mapping[str, Mapping[str, int]]) -> str | None:
    """Return the reason where an arm that has units has none in some epoch, so that nothing can be compared there."""
    there = [arm for arm in spec.arms if any(arm in counts for counts in enrolled.values())]
    for epoch in sorted(enrolled):
        absent = [arm for arm in there if arm not in enrolled[epoch]]
        if absent:
            return f"arm '{absent[0]}' has no customer with a value among those enrolled in the epoch from {epoch}"
    return None


def _without(found: Found, reason: str) -> Found:
    return replace(found, effect=None, reason=reason)


def _noted(found: Found) -> Found:
    """Return the finding with the note that it mixes epochs; small counts can't carry one and are withheld."""
    if found.effect is None or isinstance(found.effect, RateDifference):
        return _without(found, found.reason or MIXED)
    notes = (note for note in (found.effect.note, MIXED) if note is not None)
    return replace(found, effect=replace(found.effect, note="; ".join(notes)))
