"""Sample ratio within segments: a faulty split may hide in one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.checks.epochs import Split, count_query, pooled_p, splits_of, worst_of
from cxcausal.core.answers import Counts
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, counted, how_often, percent

FEWEST_EXPECTED = 5
"""Units that the plan must expect in every arm of a segment for the chi-square test to hold there."""


@dataclass(frozen=True, kw_only=True)
class _Tested:
    segment: str
    level: str
    split: Split
    p: float

    @property
    def place(self) -> str:
        return f"{self.segment} = {self.level}" if self.level else f"{self.segment} missing"


@dataclass(frozen=True, kw_only=True)
class SrmBySegment:
    """The smallest chi-square p-value over all levels of all segments, times their number (Bonferroni).

    Levels in which the plan expects fewer than `FEWEST_EXPECTED` units in an arm are left out. Where shares changed
    during enrolment, every epoch of a level is held to its own shares (and left out by the same rule).

    Attributes:
        alpha: a corrected p-value below this is a breach.
    """

    name: ClassVar[str] = "srm_by_segment"
    on_breach: OnBreach = "warn"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one count of randomised units per segment; nothing without planned shares."""
        asked = (count_query(spec, segment) for segment in spec.segments)
        return tuple(query for query in asked if query is not None)

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the most uneven segment."""
        if not spec.segments:
            text = "The plan names no segments to look into."
            return CheckResult(name=self.name, verdict="info", on_breach=self.on_breach, text=text)
        if count_query(spec) is None:
            return self._could_not_run("The plan gives no share per arm, so no split can be compared with a plan.")
        tested = [found for segment in spec.segments for found in _tests(spec, segment, answers)]
        if not tested:
            return self._could_not_run("No segment is large enough for its split to be judged.")
        worst = min(tested, key=lambda found: found.p)
        return self._result(worst, len(tested))

    def _result(self, worst: _Tested, tested: int) -> CheckResult:
        p = min(1.0, worst.p * tested)
        breached = p < self.alpha
        split = _split(worst) if breached else f"Split as planned: {counted(tested, 'segment')}."
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


def _tests(spec: ExperimentSpec, segment: str, answers: Answers) -> Iterator[_Tested]:
    query = count_query(spec, segment)
    assert query is not None  # noqa: S101 - there are shares
    for level in sorted({key[0] for _, key in cast("Counts", answers[query])}):
        splits = [split for split in splits_of(spec, answers, query, (level,)) if _is_large(split)]
        if splits:
            yield _Tested(segment=segment, level=level, split=worst_of(splits), p=pooled_p(splits))


def _is_large(split: Split) -> bool:
    return split.total * min(split.shares.values()) >= FEWEST_EXPECTED


def _split(worst: _Tested) -> str:
    split = worst.split
    parts = ", ".join(
        f"{percent(n / split.total)} in '{arm}' (planned: {percent(split.shares[arm])})"
        for arm, n in split.counts.items()
    )
    where = f"Where {worst.place}, {count(split.total)} randomised units{split.place}"
    return f"{where} are split unevenly: {parts}."
