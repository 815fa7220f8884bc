"""What the treatment can't have changed, tested as if it were an outcome: where it differs, the groups do."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import cast

from cxcausal.core.adjusting import target_of
from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.score_answers import ScoreEffects, Tested
from cxcausal.core.score_queries import EffectQuery, ExposureQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.multiplicity import holm

CONSTANT = "it does not vary among those present"
_NO_VARIATION = 1e-12


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One test.

    Attributes:
        column: what was tested. arm: which arm against the control; of an exposure, the metric's title.
        exposure: whether the column is one. size: the difference, None where there is no one number.
        p: two-sided. reason: why it could not be tested.
    """

    column: str
    arm: str
    exposure: bool = False
    size: float | None = None
    p: float = 1.0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Tests:
    """Several tests, judged together by Holm's rule.

    Attributes:
        done: those with a p-value. failed: those that fail, the surest first. p: the smallest adjusted p-value.
        vain: those with a reason.
    """

    done: tuple[Tried, ...]
    failed: tuple[Tried, ...]
    vain: tuple[Tried, ...]
    p: float | None


def outcome_query(spec: ExperimentSpec, column: str) -> EffectQuery:
    """Return the query of a column's adjusted difference, as if it were an outcome, in the plan's target."""
    measure = Measure(name=column, terms=((column, 1.0),), weight=spec.data.weight)
    return EffectQuery(measure=measure, target=target_of(spec))


def outcomes_tried(spec: ExperimentSpec, column: str, answers: Answers) -> tuple[Tried, ...]:
    """Return the tests of one column, every arm against the control."""
    found = cast("ScoreEffects", answers[outcome_query(spec, column)])
    return tuple(_outcome(found, column, arm, spec.control) for arm in spec.treated_arms)


def exposure_tried(query: ExposureQuery, title: str, answers: Answers) -> Tried:
    """Return the test of one exposure on one metric."""
    found = cast("Tested", answers[query])
    return Tried(column=query.column, arm=title, exposure=True, p=found.p, reason=found.reason)


def judged(tried: Sequence[Tried], alpha: float) -> Tests:
    """Return the tests by Holm's rule.

    Example:
        >>> found = judged([Tried(column="a", arm="x", p=0.001), Tried(column="b", arm="x", p=0.3)], 0.01)
        >>> [test.column for test in found.failed], found.p
        (['a'], 0.002)
    """
    done = tuple(test for test in tried if test.reason is None)
    vain = tuple(test for test in tried if test.reason is not None)
    if not done:
        return Tests(done=(), failed=(), vain=vain, p=None)
    found = holm([test.p for test in done], alpha)
    failed = [test for test, rejected in zip(done, found.rejected, strict=True) if rejected]
    return Tests(done=done, failed=tuple(sorted(failed, key=lambda test: test.p)), vain=vain, p=min(found.p))


def _outcome(found: ScoreEffects, column: str, arm: str, control: str) -> Tried:
    from scipy.stats import t as student  # noqa: PLC0415 - heavy

    effect = found.effects[(arm, control, "")]
    if effect.reason is not None:
        return Tried(column=column, arm=arm, reason=effect.reason)
    size = effect.mean[0] - effect.mean[1]
    of = effect.covariance
    variance = float(of[0, 0] + of[1, 1] - 2 * of[0, 1])
    se = sqrt(max(variance, 0.0))
    if not isfinite(se) or se <= _NO_VARIATION * max(abs(effect.mean[0]), abs(effect.mean[1]), 1e-300):
        return Tried(column=column, arm=arm, reason=CONSTANT)
    return Tried(column=column, arm=arm, size=size, p=float(2 * student.sf(abs(size) / se, effect.df)))
