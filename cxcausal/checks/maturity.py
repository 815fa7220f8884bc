"""Maturity: is the whole outcome window observed for enough units?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.core.answers import Flow
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count


@dataclass(frozen=True, kw_only=True)
class Maturity:
    """Units whose window isn't over are left out and counted; a breach is that too few remain in an arm.

    Attributes:
        min_units: matured units that an arm with immature ones must keep.
    """

    name: ClassVar[str] = "maturity"
    on_breach: OnBreach = "fail"
    min_units: int = 30

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the flow of units; nothing where no metric has a window."""
        return (FlowQuery(),) if _windows(spec) else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the arm with the fewest matured units."""
        many = people_in(spec).many
        if not _windows(spec):
            return self._result(
                "pass", None, f"No metric has an observation window that {many} would have to complete."
            )
        if spec.data.time_zero is None or spec.data.observed_until is None:
            return self._unknown(f"The plan doesn't say when {many} entered and until when they were observed")
        flow = cast("Flow", answers[FlowQuery()])
        if not flow.maturity_known:
            return self._unknown(f"The data don't tell when {many} entered and until when they were observed")
        waiting = [arm for arm in spec.arms if flow.immature_by_arm.get(arm, 0) > 0]
        if not waiting:
            return self._result("pass", None, f"All {count(flow.analysed)} {many} completed their observation window.")
        fewest = min(waiting, key=lambda arm: flow.analysed_by_arm.get(arm, 0))
        kept = flow.analysed_by_arm.get(fewest, 0)
        verdict = verdict_of(self.on_breach, breached=kept < self.min_units)
        return self._result(verdict, kept, self._text(spec, flow, fewest))

    def _text(self, spec: ExperimentSpec, flow: Flow, fewest: str) -> str:
        kept = flow.analysed_by_arm.get(fewest, 0)
        ready = f" The last will be complete on {flow.matures_on}." if flow.matures_on else ""
        return (
            f"{count(flow.immature)} of {people_in(spec).counted(flow.enrolled)} have not completed their observation "
            f"window and are left out; the smallest arm among theirs, {quoted(spec, fewest)}, keeps {count(kept)} "
            f"(needed: {count(self.min_units)}).{ready}"
        )

    def _unknown(self, why: str) -> CheckResult:
        return self._result("could_not_run", None, f"{why}, so nobody knows whether their observation is complete.")

    def _result(self, verdict: CheckVerdict, kept: int | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=None if kept is None else float(kept),
            threshold=float(self.min_units),
            text=text,
        )


def _windows(spec: ExperimentSpec) -> bool:
    return days_to_mature(spec) is not None
