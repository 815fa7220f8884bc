"""Differential missingness: did the contact change whose outcome is known?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from scipy.special import chdtrc

from cxcausal.checks.breach import quoted, raw_measure, verdict_of
from cxcausal.checks.epochs import mixed_epochs
from cxcausal.core.answers import MissingCounts
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import MissingQuery, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import how_often, percent

_FEWEST_ARMS = 2


@dataclass(frozen=True, kw_only=True)
class _Tested:
    metric: Metric
    counts: dict[str, tuple[int, int]]
    p: float


@dataclass(frozen=True, kw_only=True)
class DifferentialMissingness:
    """The smallest p-value of missing by arm over all metrics (surveys too), times their number (Bonferroni).

    The chi-square test takes units as independent; where they come in clusters it warns a little too easily.

    Attributes:
        alpha: a corrected p-value below this is a breach.
    """

    name: ClassVar[str] = "differential_missingness"
    on_breach: OnBreach = "warn"
    alpha: float = 0.001

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one count of missing values per metric."""
        return tuple(MissingQuery(measure=raw_measure(metric)) for _, metric in spec.metrics.with_roles())

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the metric whose missing values differ most between arms."""
        tested = [_test(metric, answers) for _, metric in spec.metrics.with_roles()]
        worst = min(tested, key=lambda found: found.p)
        if len(worst.counts) < _FEWEST_ARMS:
            return CheckResult(
                name=self.name,
                verdict="could_not_run",
                on_breach=self.on_breach,
                threshold=self.alpha,
                text=f"Fewer than two arms have {people_in(spec).many}, so missing values can't be compared.",
            )
        p = min(1.0, worst.p * len(tested))
        breached = p < self.alpha
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=breached),
            on_breach=self.on_breach,
            value=p,
            threshold=self.alpha,
            p=p,
            text=_unlike(spec, worst, p) + mixed_epochs(spec)
            if breached
            else "Outcomes are known for about the same share of every arm.",
        )


def _test(metric: Metric, answers: Answers) -> _Tested:
    table = cast("MissingCounts", answers[MissingQuery(measure=raw_measure(metric))])
    counts = {arm: cell for arm, cell in table.items() if cell[0]}
    return _Tested(metric=metric, counts=counts, p=_homogeneity_p(counts))


def _homogeneity_p(counts: dict[str, tuple[int, int]]) -> float:
    """Return the chi-square p-value of equal shares; 1 where nothing, or everything, is missing."""
    units, missing = (sum(cell[part] for cell in counts.values()) for part in (0, 1))
    if missing in {0, units} or len(counts) < _FEWEST_ARMS:
        return 1.0
    share = missing / units
    squares = sum((gone - n * share) ** 2 / (n * share * (1 - share)) for n, gone in counts.values())
    return float(chdtrc(len(counts) - 1, squares))


def _unlike(spec: ExperimentSpec, worst: _Tested, p: float) -> str:
    parts = ", ".join(f"{percent(gone / n)} of {quoted(spec, arm)}" for arm, (n, gone) in worst.counts.items())
    return (
        f"'{worst.metric.title}' is unknown for {parts}. Chance makes the arms differ this much {how_often(p)}, "
        f"so those whose answer is known may not be alike."
    )
