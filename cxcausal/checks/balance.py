"""Balance: once weighted, are the groups alike in everything that is adjusted for?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, is_observational, spread_of
from cxcausal.core.adjusting import adjusted_for, target_of
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.score_answers import BalanceAnswer, Imbalance
from cxcausal.core.score_queries import BalanceQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import counted, number

_BY_CHANCE = 0.001
"""How often, over all columns and arms together, chance alone may look like a gap."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The largest standardised difference after weighting, over every column, level and missing value, arm by arm.

    A gap beyond the limit fails only where chance doesn't make one so large (Bonferroni over columns and arms, with
    standard errors that are robust to clusters); otherwise it warns. The usual limit of a tenth is Austin's (2009,
    https://doi.org/10.1002/sim.3697).

    Attributes:
        max_abs_smd: a larger absolute difference is a breach.
    """

    name: ClassVar[str] = "balance"
    on_breach: OnBreach = "fail"
    max_abs_smd: float = 0.1

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the differences in the plan's target; nothing where a coin decided."""
        return (BalanceQuery(target=target_of(spec)),) if is_observational(spec) else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the widest gap that chance doesn't explain, else on the widest."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.max_abs_smd)
        if not is_observational(spec):
            return naming.elsewhere()
        found = cast("BalanceAnswer", answers[BalanceQuery(target=target_of(spec))])
        if found.reason is None and not found.rows and adjusted_for(spec):
            text = (
                "Nothing that the plan declares varies, so that nothing was allowed for: this is the naive difference."
            )
            return naming.told(verdict_of(self.on_breach, breached=True), text, value=None)
        if found.reason is not None or not found.rows:
            return naming.in_vain(found.reason or "the plan names nothing to compare that varies")
        beyond = [row for row in found.rows if abs(row.after) > self.max_abs_smd]
        real = [row for row in beyond if abs(row.after) > _usual(len(found.rows)) * row.se]
        widest = max(real or found.rows, key=lambda row: abs(row.after))
        verdict = verdict_of(self.on_breach, breached=True) if real else "warn" if beyond else "pass"
        if beyond and not real and self.on_breach == "skip":
            verdict = "info"
        return naming.told(verdict, self._text(spec, found, widest, (len(beyond), len(real))), value=abs(widest.after))

    def _text(self, spec: ExperimentSpec, found: BalanceAnswer, widest: Imbalance, wide: tuple[int, int]) -> str:
        worst = max(found.rows, key=lambda row: abs(row.before))
        things = counted(len(found.rows), "thing")
        gap = (
            f"{_place(widest)}, {quoted(spec, widest.arm)} against {quoted(spec, spec.control)}: "
            f"{spread_of(widest.after, people_in(spec).many)} (limit: {number(self.max_abs_smd)})"
        )
        if not wide[0]:
            before = f"before, it was {number(abs(worst.before), digits=2)} in {_place(worst)}"
            return f"After weighting the groups are alike in {things}: the widest gap is in {gap}; {before}."
        if not wide[1]:
            return (
                f"After weighting a gap is left in {gap}. In groups of this size chance alone may leave one like it; "
                "the effect is adjusted for it once more."
            )
        return (
            f"After weighting the groups still differ in {_differing(wide[1])} of {things}, most in {gap}. "
            f"They are not comparable as they are: analyse more similar {people_in(spec).many}, or let more flexible "
            "learners find who was treated (estimation.nuisance)."
        )


def _usual(tests: int) -> float:
    """Return how many standard errors a gap is at most by chance."""
    from scipy.stats import norm  # noqa: PLC0415 - heavy

    return float(norm.isf(_BY_CHANCE / (2 * tests)))


def _differing(count: int) -> str:
    return "one" if count == 1 else str(count)


def _place(row: Imbalance) -> str:
    if not row.level:
        return f"'{row.column}'"
    return f"'{row.column}' missing" if row.level == "missing" else f"'{row.column}' = '{row.level}'"
