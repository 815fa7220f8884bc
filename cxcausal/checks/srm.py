"""Sample ratio: did the randomised units fall into the arms by the planned shares?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.epochs import Split, count_query, pooled_p, splits_of, worst_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, counted, how_often, number, percent
from cxcausal.stats.proportions import smallest_detectable_imbalance


@dataclass(frozen=True, kw_only=True)
class Srm:
    """Pearson's chi-square test of the counts of **randomisation units**, so that households count once.

    Fabijan et al. 2019 (https://doi.org/10.1145/3292500.3330722) tell what such a mismatch means. Where shares
    changed during enrolment, every epoch is held to its own, and their chi-squares add up.

    Attributes:
        alpha: a p-value below this is a breach.
    """

    name: ClassVar[str] = "srm"
    on_breach: OnBreach = "fail"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the count of randomised units per arm; nothing without planned shares."""
        query = count_query(spec)
        return () if query is None else (query,)

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the split, with the planned and observed percentages."""
        query = count_query(spec)
        if query is None:
            return self._could_not_run("The plan gives no share per arm, so the split can't be compared with a plan.")
        splits = splits_of(spec, answers, query)
        if not sum(split.total for split in splits):
            return self._could_not_run("There are no units whose split could be compared with the plan.")
        p = pooled_p(splits)
        breached = p < self.alpha
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=breached),
            on_breach=self.on_breach,
            value=p,
            threshold=self.alpha,
            p=p,
            text=_uneven(spec, worst_of(splits), p) if breached else self._even(splits),
        )

    def _even(self, splits: Sequence[Split]) -> str:
        total = sum(split.total for split in splits)
        if len(splits) > 1:
            return f"The {count(total)} randomised units are split as planned in {counted(len(splits), 'epoch')}."
        shares = list(splits[0].shares.values())
        seen = smallest_detectable_imbalance(total, shares, self.alpha)
        return (
            f"The {count(total)} randomised units are split as planned. "
            f"A shift of {number(100 * seen, digits=2)} percentage points or more in any arm's share "
            f"would very probably have been seen."
        )

    def _could_not_run(self, text: str) -> CheckResult:
        return CheckResult(name=self.name, verdict="could_not_run", on_breach=self.on_breach, text=text)


def _uneven(spec: ExperimentSpec, split: Split, p: float) -> str:
    """Return the sentence about the arm that is farthest from its plan, in standard errors."""
    total, shares = split.total, split.shares
    gaps = {arm: split.counts[arm] / total - share for arm, share in shares.items()}
    worst = max(gaps, key=lambda arm: abs(gaps[arm]) / (shares[arm] * (1 - shares[arm])) ** 0.5)
    return (
        f"{percent(split.counts[worst] / total)} of {count(total)} randomised units{split.place} landed in the arm "
        f"{quoted(spec, worst)} instead of {percent(shares[worst])}. A split this uneven happens by chance "
        f"{how_often(p)}."
    )
