"""An effect before its error level is decided: it can be told at any level, exactly, from the same aggregates."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from cxcausal.core.joint import Joint
from cxcausal.core.results import Estimate
from cxcausal.stats.difference import NO_BASE, Difference, has_base
from cxcausal.stats.newcombe import RateDifference
from cxcausal.stats.quantiles import TOO_FEW, QuantileDifference

if TYPE_CHECKING:
    from cxcausal.core.spec.models import Metric

Effect = Difference | RateDifference | QuantileDifference


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One row in waiting.

    Attributes:
        row: the row's names and counts, with no number that depends on a level.
        metric: the metric as planned; its direction and margin decide the guardrail's test.
        effect: the two arms compared, or None where `row` already says why not.
        confirmatory: whether it belongs to the family that the success metrics form.
        joint: where it stands among a metric's segments, where their correlation is known.
    """

    row: Estimate
    metric: "Metric"
    effect: Effect | None = None
    confirmatory: bool = False
    joint: Joint | None = None

    def at(self, alpha: float) -> Estimate:
        """Return the row whose interval errs with probability alpha.

        Guardrails ask a one-sided question, so their two-sided interval stands at level 1 − 2·alpha: its bound on
        the side of harm is the one-sided bound at alpha.
        """
        if self.effect is None:
            return self.row
        sides = 2 if self.row.role == "guardrail" else 1
        return self._told(self.effect, level=1 - sides * alpha)

    def _told(self, effect: Effect, *, level: float) -> Estimate:
        based = has_base(effect.mean_treated, effect.mean_control)
        if self.row.role == "guardrail" and self._margin_needs_base and not based:
            return _without(self.row, NO_BASE)
        if self.row.scale == "relative":
            return self._relative(effect, level)
        limits = effect.interval(level)
        if not isfinite(limits.high - limits.low):
            return _without(self.row, TOO_FEW)
        row = replace(self.row, point=effect.point, low=limits.low, high=limits.high, se=_known(effect.se))
        return self._tested(row, effect, level)

    def _relative(self, effect: Effect, level: float) -> Estimate:
        told = effect.relative(level)
        if told.interval is None:
            return _without(self.row, str(told.reason))
        row = replace(self.row, point=told.point, low=told.interval.low, high=told.interval.high, se=_known(told.se))
        return self._tested(row, effect, level)

    def _tested(self, row: Estimate, effect: Effect, level: float) -> Estimate:
        p = harm_p(effect, self.metric) if row.role == "guardrail" else effect.p
        return replace(row, level=level, p=p, df=effect.df, reason=effect.note)

    @property
    def _margin_needs_base(self) -> bool:
        return self.metric.margin is not None and self.metric.margin.relative is not None


def harm_p(effect: Effect, metric: "Metric") -> float:
    """Return the one-sided p-value of harm at or beyond the metric's margin: small means inside the margin.

    An absolute margin m shifts the null to −m (or +m where less is better). A relative one tests
    mean_treated against (1 ∓ m) × mean_control, so that the control's noise counts. No margin is a margin of zero.

    Args:
        effect: the arms compared.
        metric: with its `desired_direction` and `margin`.

    Example:
        >>> from cxcausal.core.spec.models import Metric
        >>> csat = Metric(name="csat", type="ordinal", column="csat", desired_direction="increase",
        ...               margin={"absolute": 1.0})
        >>> same = Difference(mean_treated=4.0, mean_control=4.0, var_treated=0.125, var_control=0.125, df=1e9)
        >>> round(harm_p(same, csat), 4)  # two standard errors inside
        0.0228
    """
    margin = metric.margin
    absolute = 0.0 if margin is None or margin.absolute is None else margin.absolute
    relative = 0.0 if margin is None or margin.relative is None else margin.relative
    ratio = 1 - metric.sign * relative
    if metric.sign > 0:
        return effect.p_above(-absolute, ratio)
    return effect.p_below(absolute, ratio)


def _known(se: float | None) -> float | None:
    """Return a standard error, or None where an arm is too small for one (a quantile's is told from 95 % limits)."""
    return se if se is not None and isfinite(se) else None


def _without(row: Estimate, reason: str) -> Estimate:
    return replace(row, status="not_computed", reason=reason)
