"""Mixed assignment: was any randomised unit given two different arms?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.answers import Flow
from cxcausal.core.people import People, people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, MixedQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, percent

_RANDOMISED = People(one="randomised unit", many="randomised units")
_MIXED = MixedQuery(of="randomization_unit")


@dataclass(frozen=True, kw_only=True)
class MixedAssignment:
    """The share of randomisation units that appear in more than one arm.

    Attributes:
        max_share: a larger share is a breach.
    """

    name: ClassVar[str] = "mixed_assignment"
    on_breach: OnBreach = "fail"
    max_share: float = 0.0

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the count of mixed units and of all; nothing where every row is its own unit."""
        return (_MIXED, FlowQuery()) if spec.randomization_unit is not None else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the share of mixed units."""
        if spec.randomization_unit is None:
            return self._result("pass", None, "Every row is its own unit, so none can be in two arms.")
        mixed = cast("int", answers[_MIXED])
        total = cast("Flow", answers[FlowQuery()]).randomization_units
        if total == 0:
            return self._result("could_not_run", None, "There are no randomised units to look at.")
        share = mixed / total
        noun = people_in(spec) if isinstance(spec.design, Observational) else _RANDOMISED
        text = (
            f"In more than one arm: {count(mixed)} of {noun.counted(total)}, {percent(share)} "
            f"(limit: {percent(self.max_share)})."
            if mixed
            else f"Each of the {count(total)} {noun.many} was in one arm only."
        )
        return self._result(verdict_of(self.on_breach, breached=share > self.max_share), share, text)

    def _result(self, verdict: CheckVerdict, share: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=share,
            threshold=self.max_share,
            text=text,
        )
