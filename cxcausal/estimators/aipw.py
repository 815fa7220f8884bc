"""Augmented inverse propensity weighting: effects from cross-fitted, doubly robust scores."""

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from cxcausal.core.adjusting import estimand_of, target_of
from cxcausal.core.answers import Moments
from cxcausal.core.joint import Joint
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.score_answers import ScoreEffect, ScoreEffects
from cxcausal.core.score_queries import EffectQuery, Target
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.found import Found, rows_of
from cxcausal.estimators.questions import Levels, Question, questions_of
from cxcausal.stats.difference import Difference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_NO_VARIATION = 1e-12
_NOTHING = np.array([[float("nan")]])


@dataclass(frozen=True, kw_only=True)
class Aipw:
    """The plan's own target population, over everybody and per declared segment."""

    name: ClassVar[str] = "aipw"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return one query over everybody and one per segment."""
        del levels  # all of a segment are answered at once
        if why_not_measured(metric) is not None:
            return ()
        return tuple(effect_query(spec, metric, target_of(spec), segment) for segment in (None, *spec.segments))

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one effect per contrast × population × scale."""
        target = target_of(spec)
        rows = (told(spec, metric, question, target, answers) for question in questions_of(spec, levels))
        return tuple(chain.from_iterable(rows))


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Beside the plan's own: the effect on the other target populations, over everybody."""

    name: ClassVar[str] = "targets"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return one query per target."""
        del levels  # everybody is one population
        if why_not_measured(metric) is not None:
            return ()
        return tuple(effect_query(spec, metric, target, None) for target in _others(spec))

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one effect per contrast × target × scale."""
        del levels  # everybody is one population
        questions = [question for question in questions_of(spec, {}) if question.segment is None]
        rows = (
            told(spec, metric, question, target, answers, companion=True)
            for target in _others(spec)
            for question in questions
        )
        return tuple(chain.from_iterable(rows)) if why_not_measured(metric) is None else ()


def effect_query(spec: "ExperimentSpec", metric: "Metric", target: Target, segment: str | None) -> EffectQuery:
    """Return the query behind a metric's effects."""
    return EffectQuery(measure=measure_of(metric, spec.data.weight), target=target, by=segment)


def told(
    spec: "ExperimentSpec",
    metric: "Metric",
    question: Question,
    target: Target,
    answers: Answers,
    *,
    companion: bool = False,
) -> tuple[Comparison, ...]:
    """Return the rows in waiting of one contrast in one population."""
    reason = why_not_measured(metric)
    answer = None if reason is not None else answers[effect_query(spec, metric, target, question.segment)]
    key = (question.arm, question.control, question.value)
    score = None
    if answer is not None:
        assert isinstance(answer, ScoreEffects)  # noqa: S101 - narrows the union of answers
        score = answer.effects.get(key) or ScoreEffect(n=(0, 0), reason="nobody of this segment was analysed")
    joint = _joint(answer, key, question.segment) if isinstance(answer, ScoreEffects) else None
    found = _found(score, reason)
    rows = rows_of(spec, metric, question, found)
    return tuple(_as(row, estimand_of(spec, target), score, joint, companion=companion) for row in rows)


def _others(spec: "ExperimentSpec") -> tuple[Target, ...]:
    every: tuple[Target, ...] = ("ato", "att", "ate")
    return tuple(target for target in every if target != target_of(spec))


def _found(score: ScoreEffect | None, reason: str | None) -> Found:
    n = (0, 0) if score is None else score.n
    cells = tuple(Moments(n=units, mean=np.array([float("nan")]), m2=_NOTHING) for units in n)
    reason = reason or (score.reason if score is not None else None)
    hidden = score is not None and score.reason is not None and score.reason.endswith("not shown")
    method: Literal["covariates"] = "covariates"
    if reason is not None or score is None:
        return Found(treated=cells[0], control=cells[1], reason=reason, hidden=hidden, method="aipw", adjustment=method)
    effect = Difference(
        mean_treated=score.mean[0],
        mean_control=score.mean[1],
        var_treated=float(score.covariance[0, 0]),
        var_control=float(score.covariance[1, 1]),
        covariance=float(score.covariance[0, 1]),
        df=score.df,
    )
    if effect.se <= _NO_VARIATION * max(abs(score.mean[0]), abs(score.mean[1])):
        why = "the outcome does not vary within the arms"
        return Found(treated=cells[0], control=cells[1], reason=why, method="aipw", adjustment=method)
    return Found(treated=cells[0], control=cells[1], effect=effect, method="aipw", adjustment=method)


def _as(
    waiting: Comparison, estimand: str, score: ScoreEffect | None, joint: Joint | None, *, companion: bool
) -> Comparison:
    """Return a row in waiting with what only scores know."""
    known: dict[str, Any] = {}
    if score is not None and score.reason is None:
        known = {
            "effective_treated": score.effective[0],
            "effective_control": score.effective[1],
            "repeats": score.repeats,
        }
        if waiting.row.scale == "absolute":
            known["spread"] = score.spread
    headline = waiting.row.headline and not companion
    row = replace(waiting.row, estimand=estimand, companion=companion, headline=headline, **known)
    return replace(waiting, row=row, joint=joint, confirmatory=waiting.confirmatory and not companion)


def _joint(answer: ScoreEffects, key: tuple[str, str, str], segment: str | None) -> Joint | None:
    """Return an effect's place among those whose intervals hold together; one on its own where it is told extra."""
    if segment is None:
        return None
    if key not in answer.told:
        return Joint(family=f"{segment}/{'/'.join(key)}", place=0, correlation=np.eye(1))
    return Joint(family=segment, place=answer.told.index(key), correlation=answer.correlation)
