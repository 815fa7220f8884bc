"""Negative controls: does something move that can't have, and so tell of what was not measured?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, is_observational
from cxcausal.checks.unchangeable import Tests, Tried, exposure_tried, judged, outcome_query, outcomes_tried
from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.score_queries import ExposureQuery
from cxcausal.core.spec.designs import NegativeControls as Declared
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import counted, how_often, listed, number


@dataclass(frozen=True, kw_only=True)
class NegativeControls:
    """Outcomes that the treatment can't have changed, and exposures that can't have changed the outcome.

    The former are adjusted as outcomes are; the latter are held, by a partially linear model, against what the arm and
    the covariates leave of every success metric. Holm's rule is over all (Lipsitch, Tchetgen Tchetgen & Cohen 2010,
    https://doi.org/10.1097/EDE.0b013e3181d61eeb).

    Attributes:
        alpha: how often chance alone may let one of them move.
    """

    name: ClassVar[str] = "negative_controls"
    on_breach: OnBreach = "fail"
    alpha: float = 0.01

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one effect per outcome, and one test per exposure and success metric."""
        outcomes = (outcome_query(spec, column) for column in _outcomes(spec))
        return (*outcomes, *(query for query, _ in _exposures(spec)))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on all of them together."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.alpha)
        if not is_observational(spec):
            return naming.elsewhere()
        tried = [test for column in _outcomes(spec) for test in outcomes_tried(spec, column, answers)]
        tried += [exposure_tried(query, title, answers) for query, title in _exposures(spec)]
        if not tried:
            return naming.told("info", _undeclared(spec))
        tests = judged(tried, self.alpha)
        if tests.p is None:
            return naming.in_vain("; ".join(dict.fromkeys(f"'{test.column}': {test.reason}" for test in tests.vain)))
        breached = bool(tests.failed)
        text = _moved(spec, tests) if breached else _still(tests)
        return naming.told(verdict_of(self.on_breach, breached=breached), text, value=tests.p, p=tests.p)


def _differs(spec: ExperimentSpec, test: Tried) -> str:
    """Return the sentence about an outcome that can't have been changed, and differs."""
    size = "" if test.size is None else f" by {number(test.size)}"
    return (
        f"Something that {quoted(spec, test.arm)} cannot have changed, '{test.column}', differs after adjustment{size} "
        f"from that of {quoted(spec, spec.control)}"
    )


def _moved(spec: ExperimentSpec, tests: Tests) -> str:
    first = tests.failed[0]
    what = (
        f"'{first.column}' cannot have changed '{first.arm}', and goes with it all the same after adjustment"
        if first.exposure
        else _differs(spec, first)
    )
    others = len(tests.failed) - 1
    more = f" {counted(others, 'more test')} {'says' if others == 1 else 'say'} the same." if others else ""
    return (
        f"{what}: the groups differ in something that was not measured. "
        f"Chance alone does this {how_often(first.p)}.{more}"
    )


def _still(tests: Tests) -> str:
    names = listed(list(dict.fromkeys(f"'{test.column}'" for test in tests.done)))
    vain = listed(list(dict.fromkeys(f"'{test.column}'" for test in tests.vain)))
    rest = f" Not tested: {vain} ({tests.vain[0].reason})." if vain else ""
    return f"What cannot have moved did not move beyond chance after adjustment: {names}.{rest}"


def _undeclared(spec: ExperimentSpec) -> str:
    if any(name in adjusted_for(spec) for name in _declared(spec).outcomes):
        return "What is declared as unchangeable is adjusted for, so it cannot tell of anything that was not measured."
    return (
        "The plan names nothing that the treatment cannot have changed (design.negative_controls), so this way of "
        "finding what was not measured is not open."
    )


def _declared(spec: ExperimentSpec) -> Declared:
    return spec.design.negative_controls if isinstance(spec.design, Observational) else Declared()


def _outcomes(spec: ExperimentSpec) -> tuple[str, ...]:
    known = adjusted_for(spec)
    return tuple(dict.fromkeys(column for column in _declared(spec).outcomes if column not in known))


def _exposures(spec: ExperimentSpec) -> Iterator[tuple[ExposureQuery, str]]:
    known = adjusted_for(spec)
    for column in dict.fromkeys(_declared(spec).exposures):
        for metric in spec.metrics.success:
            if column not in known and why_not_measured(metric) is None:
                yield ExposureQuery(column=column, measure=measure_of(metric, spec.data.weight)), metric.title
