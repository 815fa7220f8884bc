"""Duplicates: does any unit appear in the data more than once?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.answers import Duplicates
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import DuplicateQuery, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count


@dataclass(frozen=True, kw_only=True)
class DuplicateUnits:
    """Units (not randomisation units) that stand in several rows, within one arm or in several."""

    name: ClassVar[str] = "duplicates"
    on_breach: OnBreach = "fail"

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the count of repeated units; nothing where every row is its own unit."""
        return (DuplicateQuery(),) if spec.data.unit is not None else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on repeated units."""
        if spec.data.unit is None:
            return self._result(0, "The plan names no unit, so every row counts as one.")
        found = cast("Duplicates", answers[DuplicateQuery()])
        repeated, people = found.repeated + found.mixed, people_in(spec)
        if not repeated:
            return self._result(0, f"Every {people.one} appears once.")
        return self._result(
            repeated,
            f"In more than one row: {people.counted(repeated)} ({count(found.repeated)} within one arm, "
            f"{count(found.mixed)} in several), which would count more than once.",
        )

    def _result(self, repeated: int, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=repeated > 0),
            on_breach=self.on_breach,
            value=float(repeated),
            threshold=0.0,
            text=text,
        )
