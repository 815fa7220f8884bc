"""Sample ratio within segments: a faulty split may hide in one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CountQuery, Counts, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, counted, how_often, percent
from cxcausal.stats.proportions import srm_p

FEWEST_EXPECTED = 5
"""Units that the plan must expect in every arm of a segment for the chi-square test to hold there."""


@dataclass(frozen=True, kw_only=True)
class _Tested:
    segment: str
    level: str
    counts: dict[str, int]
    p: float

    @property
    def place(self) -> str:
        return f"{self.segment} = {self.level}" if self.level else f"{self.segment} missing"


@dataclass(frozen=True, kw_only=True)
class SrmBySegment:
    """The smallest chi-square p-value over all levels of all segments, times their number (Bonferroni).

    Levels in which the plan expects fewer than `FEWEST_EXPECTED` units in an arm are left out.

    Attributes:
        alpha: a corrected p-value below this is a breach.
    """

    name: ClassVar[str] = "srm_by_segment"
    on_breach: OnBreach = "warn"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one count of randomised units per segment; nothing without planned shares."""
        return tuple(_query(segment) for segment in spec.segments) if spec.shares else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the most uneven segment."""
        shares = spec.shares
        if not spec.segments:
            text = "The plan names no segments to look into."
            return CheckResult(name=self.name, verdict="info", on_breach=self.on_breach, text=text)
        if shares is None:
            return self._could_not_run("The plan gives no share per arm, so no split can be compared with a plan.")
        tested = [found for segment in spec.segments for found in _tests(segment, shares, answers)]
        if not tested:
            return self._could_not_run("No segment is large enough for its split to be judged.")
        worst = min(tested, key=lambda found: found.p)
        return self._result(worst, shares, len(tested))

    def _result(self, worst: _Tested, shares: dict[str, Fraction], tested: int) -> CheckResult:
        p = min(1.0, worst.p * tested)
        breached = p < self.alpha
        split = _split(worst, shares) if breached else f"Split as planned: {counted(tested, 'segment')}."
        chance = f" Among {counted(tested, 'segment')}, chance does this {how_often(p)}." if breached else ""
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=breached),
            on_breach=self.on_breach,
            value=p,
            threshold=self.alpha,
            p=p,
            text=split + chance,
        )

    def _could_not_run(self, text: str) -> CheckResult:
        return CheckResult(name=self.name, verdict="could_not_run", on_breach=self.on_breach, text=text)


def _query(segment: str) -> CountQuery:
    return CountQuery(of="randomization_unit", by=(segment,))


def _tests(segment: str, shares: dict[str, Fraction], answers: Answers) -> Iterator[_Tested]:
    table = cast("Counts", answers[_query(segment)])
    planned = [float(share) for share in shares.values()]
    for level in sorted({key[0] for _, key in table}):
        counts = {arm: table.get((arm, (level,)), 0) for arm in shares}
        if sum(counts.values()) * min(planned) >= FEWEST_EXPECTED:
            yield _Tested(segment=segment, level=level, counts=counts, p=srm_p(list(counts.values()), planned))


def _split(worst: _Tested, shares: dict[str, Fraction]) -> str:
    total = sum(worst.counts.values())
    parts = ", ".join(
        f"{percent(n / total)} in '{arm}' (planned: {percent(float(shares[arm]))})" for arm, n in worst.counts.items()
    )
    return f"Where {worst.place}, {count(total)} randomised units are split unevenly: {parts}."
