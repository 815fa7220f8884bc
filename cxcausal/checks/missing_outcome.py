"""Missing outcomes: is any outcome unknown for too many units of an arm?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, raw_measure, verdict_of
from cxcausal.core.answers import MissingCounts
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import MissingQuery, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import percent


@dataclass(frozen=True, kw_only=True)
class MissingOutcome:
    """The largest share of missing values over metrics and arms.

    Metrics with a `response` column are left out: a survey that most customers don't answer is no error, and who
    answers is the business of `differential_missingness`.

    Attributes:
        max_share: a larger share in any arm is a breach.
    """

    name: ClassVar[str] = "missing_outcome"
    on_breach: OnBreach = "warn"
    max_share: float = 0.2

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one count of missing values per metric that everybody should have."""
        return tuple(MissingQuery(measure=raw_measure(metric)) for metric in _expected(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the metric and arm with the largest share."""
        shares = {
            (metric.title, arm): missing / units
            for metric in _expected(spec)
            for arm, (units, missing) in _counts(metric, answers).items()
            if units
        }
        if not shares:
            return CheckResult(
                name=self.name,
                verdict="could_not_run",
                on_breach=self.on_breach,
                threshold=self.max_share,
                text=f"No metric has {people_in(spec).many} for which every value should be known.",
            )
        worst = max(shares, key=lambda key: shares[key])
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=shares[worst] > self.max_share),
            on_breach=self.on_breach,
            value=shares[worst],
            threshold=self.max_share,
            text=self._text(spec, *worst, shares[worst]),
        )

    def _text(self, spec: ExperimentSpec, title: str, arm: str, share: float) -> str:
        if share == 0:
            return "No outcome value is missing."
        return (
            f"At most {percent(share)} of the values are missing: '{title}' in the arm {quoted(spec, arm)} "
            f"(limit: {percent(self.max_share)})."
        )


def _expected(spec: ExperimentSpec) -> Iterator[Metric]:
    yield from (metric for _, metric in spec.metrics.with_roles() if metric.response is None)


def _counts(metric: Metric, answers: Answers) -> MissingCounts:
    return cast("MissingCounts", answers[MissingQuery(measure=raw_measure(metric))])
