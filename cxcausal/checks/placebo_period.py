"""Placebo period: did the metric differ already before, when nothing can have been done yet?"""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, is_observational
from cxcausal.checks.unchangeable import Tests, judged, outcome_query, outcomes_tried
from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import how_often, listed, number


@dataclass(frozen=True, kw_only=True)
class PlaceboPeriod:
    """Metrics' own values from before time zero, adjusted as outcomes are, as far as they aren't adjusted for.

    Attributes:
        alpha: how often chance alone may let one of them differ (Holm's rule over all).
    """

    name: ClassVar[str] = "placebo_period"
    on_breach: OnBreach = "fail"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one effect per pre-period column."""
        return tuple(outcome_query(spec, column) for column in _columns(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on all of them together."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.alpha)
        if not is_observational(spec):
            return naming.elsewhere()
        columns = _columns(spec)
        if not columns:
            return naming.told("info", _why_not(spec))
        tests = judged([test for name in columns for test in outcomes_tried(spec, name, answers)], self.alpha)
        if tests.p is None:
            return naming.in_vain("; ".join(dict.fromkeys(f"'{test.column}': {test.reason}" for test in tests.vain)))
        breached = bool(tests.failed)
        text = _differed(spec, tests) if breached else _same(tests)
        return naming.told(verdict_of(self.on_breach, breached=breached), text, value=tests.p, p=tests.p)


def _columns(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return the metrics' own columns from before, of those that nobody adjusts for."""
    if not is_observational(spec):
        return ()
    known = adjusted_for(spec)
    own = (metric.covariate for _, metric in spec.metrics.with_roles() if metric.covariate is not None)
    return tuple(dict.fromkeys(column for column in own if column not in known))


def _why_not(spec: ExperimentSpec) -> str:
    if any(metric.covariate is not None for _, metric in spec.metrics.with_roles()):
        return "What the metrics were before is adjusted for, so a difference before time zero cannot be left to find."
    return "No metric says what it was before time zero (covariate), so the time before cannot be compared."


def _differed(spec: ExperimentSpec, tests: Tests) -> str:
    first = tests.failed[0]
    size = "" if first.size is None else f" by {number(first.size)}"
    return (
        f"'{first.column}', from before time zero, differs after adjustment{size} ({quoted(spec, first.arm)} against "
        f"{quoted(spec, spec.control)}), when nothing can have been done yet: the groups differed before, in something "
        f"that is not adjusted for. Chance alone does this {how_often(first.p)}. Declare it among the confounders."
    )


def _same(tests: Tests) -> str:
    names = listed(list(dict.fromkeys(f"'{test.column}'" for test in tests.done)))
    return f"Before time zero the groups did not differ beyond chance after adjustment: {names}."
