"""Sample ratio: did the randomised units fall into the arms by the planned shares?"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CountQuery, Counts, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, how_often, number, percent
from cxcausal.stats.proportions import smallest_detectable_imbalance, srm_p

_UNITS = CountQuery(of="randomization_unit")


@dataclass(frozen=True, kw_only=True)
class Srm:
    """Pearson's chi-square test of the counts of **randomisation units**, so that households count once.

    Fabijan et al. 2019 (https://doi.org/10.1145/3292500.3330722) tell what such a mismatch means.

    Attributes:
        alpha: a p-value below this is a breach.
    """

    name: ClassVar[str] = "srm"
    on_breach: OnBreach = "fail"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the count of randomised units per arm; nothing without planned shares."""
        return (_UNITS,) if spec.shares else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the split, with the planned and observed percentages."""
        shares = spec.shares
        if shares is None:
            return self._could_not_run("The plan gives no share per arm, so the split can't be compared with a plan.")
        table = cast("Counts", answers[_UNITS])
        counts = {arm: table.get((arm, ()), 0) for arm in shares}
        if not sum(counts.values()):
            return self._could_not_run("There are no units whose split could be compared with the plan.")
        p = srm_p(list(counts.values()), [float(share) for share in shares.values()])
        breached = p < self.alpha
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=breached),
            on_breach=self.on_breach,
            value=p,
            threshold=self.alpha,
            p=p,
            text=_uneven(spec, counts, shares, p) if breached else self._even(counts, shares),
        )

    def _even(self, counts: Mapping[str, int], shares: Mapping[str, Fraction]) -> str:
        total = sum(counts.values())
        seen = smallest_detectable_imbalance(total, [float(share) for share in shares.values()], self.alpha)
        return (
            f"The {count(total)} randomised units are split as planned. "
            f"A shift of {number(100 * seen, digits=2)} percentage points or more in any arm's share "
            f"would very probably have been seen."
        )

    def _could_not_run(self, text: str) -> CheckResult:
        return CheckResult(name=self.name, verdict="could_not_run", on_breach=self.on_breach, text=text)


def _uneven(spec: ExperimentSpec, counts: Mapping[str, int], shares: Mapping[str, Fraction], p: float) -> str:
    """Return the sentence about the arm that is farthest from its plan, in standard errors."""
    total = sum(counts.values())
    gaps = {arm: counts[arm] / total - float(share) for arm, share in shares.items()}
    worst = max(gaps, key=lambda arm: abs(gaps[arm]) / (float(shares[arm]) * (1 - float(shares[arm]))) ** 0.5)
    return (
        f"{percent(counts[worst] / total)} of {count(total)} randomised units landed in the arm {quoted(spec, worst)} "
        f"instead of {percent(float(shares[worst]))}. A split this uneven happens by chance {how_often(p)}."
    )
