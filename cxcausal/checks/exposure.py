"""Exposure: did the arm change who was exposed, where only exposed units are analysed?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.epochs import mixed_epochs
from cxcausal.core.answers import Flow
from cxcausal.core.entry import Entry
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, how_often, percent
from cxcausal.stats.proportions import equal_rates_p


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Pearson's chi-square test that every arm exposed the same share of those who were assigned to it.

    Exposed units can be compared only as long as the arm has no say in who they are (Deng & Hu 2015,
    https://doi.org/10.1145/2684822.2685307). Units of one household may be exposed together, which makes the test a
    little too ready to alarm.

    Attributes:
        alpha: a p-value below this is a breach.
    """

    name: ClassVar[str] = "exposure"
    on_breach: OnBreach = "fail"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the flow of units; nothing where all that were assigned are analysed."""
        return (FlowQuery(),) if _asked(spec) else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the shares of units that were exposed."""
        if not _asked(spec):
            return self._result("info", None, "Everybody who was assigned is analysed, exposed or not.")
        entry = cast("Flow", answers[FlowQuery()]).entry
        assigned = {} if entry is None else {arm: n for arm, n in entry.assigned_by_arm.items() if n}
        if entry is None or len(assigned) < len(("treated", "control")):
            return self._result("could_not_run", None, "Fewer than two arms have units whose exposure could differ.")
        p = equal_rates_p([(entry.exposed_by_arm[arm], n) for arm, n in assigned.items()])
        breached = p < self.alpha
        text = f"{self._shares(spec, entry, assigned)}{_meaning(p, breached=breached)}"
        return self._result(verdict_of(self.on_breach, breached=breached), p, text + mixed_epochs(spec) * breached)

    def _shares(self, spec: ExperimentSpec, entry: Entry, assigned: dict[str, int]) -> str:
        shares = {arm: entry.exposed_by_arm[arm] / n for arm, n in assigned.items()}
        least, most = min(shares, key=lambda arm: shares[arm]), max(shares, key=lambda arm: shares[arm])
        everybody, exposed = sum(assigned.values()), sum(entry.exposed_by_arm[arm] for arm in assigned)
        return (
            f"Exposed and analysed: {count(exposed)} of {count(everybody)} assigned, from {percent(shares[least])} in "
            f"{quoted(spec, least)} to {percent(shares[most])} in {quoted(spec, most)}."
        )

    def _result(self, verdict: CheckVerdict, p: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=p,
            threshold=self.alpha,
            p=p,
            text=text,
        )


def _meaning(p: float, *, breached: bool) -> str:
    if not breached:
        return " Nothing says that the arm changed who was exposed."
    return (
        f" Shares so unequal happen by chance {how_often(p)}: the arm changed who was exposed, so those exposed are no "
        "longer alike."
    )


def _asked(spec: ExperimentSpec) -> bool:
    return spec.data.events is not None and spec.data.events.exposure is not None
