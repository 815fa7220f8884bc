"""Time zero: was it the same moment for all, or did one arm have to stay longer before it was counted?"""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, is_observational
from cxcausal.core.adjusting import target_of
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.score_answers import TimeZeroAnswer, TimeZeroGap
from cxcausal.core.score_queries import TimeZeroQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, number

_OF_WINDOW = 0.05
"""Of the shortest outcome window: a shorter wait changes little, however sure it is."""


@dataclass(frozen=True, kw_only=True)
class TimeZero:
    """How many days an arm's time zero lies from the control's, once the arms are made comparable.

    Who must stay to be counted can't leave before: time at which nothing could happen (immortal time, Suissa 2008,
    https://doi.org/10.1093/aje/kwm324) makes the arm that comes later look better. A gap fails where it is of days,
    large beside the spread of time zero, and more than chance; where it is small beside that spread, but of more than
    a twentieth of the shortest window, it warns. A treatment that only grew more common is no such gap once the
    week, or whatever tells the calendar, is among the confounders.

    Attributes:
        min_days: a smaller gap is none.
        max_abs_smd: of the spread of time zero over all units.
        alpha: how often chance alone may look like a gap, over all arms.
    """

    name: ClassVar[str] = "time_zero"
    on_breach: OnBreach = "fail"
    min_days: float = 1.0
    max_abs_smd: float = 0.1
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the gaps in the plan's target; nothing where a coin decided or time zero isn't declared."""
        asked = is_observational(spec) and spec.data.time_zero is not None
        return (TimeZeroQuery(target=target_of(spec)),) if asked else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the arm that lies farthest off."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.min_days)
        if not is_observational(spec):
            return naming.elsewhere()
        if spec.data.time_zero is None:
            return naming.in_vain("the plan doesn't say when both choices were open (data.time_zero)")
        found = cast("TimeZeroAnswer", answers[TimeZeroQuery(target=target_of(spec))])
        if found.reason is not None:
            return naming.in_vain(found.reason)
        if not found.gaps:
            return naming.told("pass", "Time zero is the same date for everybody.", value=0.0)
        states = {gap.arm: self._state(spec, gap, len(found.gaps)) for gap in found.gaps}
        order = ("fail", "warn", "pass")
        worst = min(found.gaps, key=lambda gap: (order.index(states[gap.arm]), -abs(gap.days)))
        state = states[worst.arm]
        verdict = verdict_of(self.on_breach, breached=state == "fail")
        if state == "warn":
            verdict = "info" if self.on_breach == "skip" else "warn"
        text = _late(spec, worst) if state != "pass" else _same(spec, worst)
        return naming.told(verdict, text, value=abs(worst.days))

    def _state(self, spec: ExperimentSpec, gap: TimeZeroGap, arms: int) -> Literal["fail", "warn", "pass"]:
        from scipy.stats import norm  # noqa: PLC0415 - heavy

        sure = abs(gap.days) > float(norm.isf(self.alpha / (2 * arms))) * gap.se
        if not sure or abs(gap.days) < self.min_days:
            return "pass"
        if abs(gap.standardised) >= self.max_abs_smd:
            return "fail"
        return "warn" if abs(gap.days) > _OF_WINDOW * _shortest(spec) else "pass"


def _shortest(spec: ExperimentSpec) -> float:
    windows = (metric.window for _, metric in spec.metrics.with_roles())
    return min((float(window.end - window.start) for window in windows if window is not None), default=float("inf"))


def _late(spec: ExperimentSpec, gap: TimeZeroGap) -> str:
    late, early = (gap.arm, spec.control) if gap.days > 0 else (spec.control, gap.arm)
    return (
        f"Among comparable {people_in(spec).many} time zero ('{spec.data.time_zero}') of {quoted(spec, late)} lies "
        f"{_days(gap)} later than that of {quoted(spec, early)}: they had to stay that long to be counted, and "
        "whoever left before counts for the other side. Time zero must be the moment at which both choices were open, "
        "for both: take the same event for everybody. If one choice only became more common over time, declare the "
        "week as a confounder."
    )


def _same(spec: ExperimentSpec, gap: TimeZeroGap) -> str:
    return (
        f"Among comparable {people_in(spec).many} time zero of {quoted(spec, gap.arm)} lies {_days(gap)} from that of "
        f"{quoted(spec, spec.control)}: nobody had to stay longer to be counted."
    )


def _days(gap: TimeZeroGap) -> str:
    days = number(abs(gap.days), digits=2)
    return f"{days} day{'' if days == count(1) else 's'}"
