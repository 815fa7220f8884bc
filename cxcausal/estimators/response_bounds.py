"""Between which values an effect lies where some did not answer: trimmed after Lee, and in the worst case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from cxcausal.core.answers import BoundEnd, Nonresponse
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.protocols import Comparison as InWaiting
from cxcausal.core.queries import NonresponseQuery, Query
from cxcausal.core.results import Estimate
from cxcausal.core.surveys import LEE, WORST_CASE
from cxcausal.core.wording import number
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Question
from cxcausal.estimators.response_rows import EMPTY, beside_the_metric, of_everybody, why_no_mean
from cxcausal.stats.cluster import too_few_clusters
from cxcausal.stats.identified import IdentifiedSet, identified

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

Support = tuple[float, float] | Literal["observed"] | None
_SUPPORT: Mapping[str, Support] = {
    "proportion": (0.0, 1.0),
    "top_box": (0.0, 1.0),
    "nps": (-100.0, 100.0),
    "ordinal": "observed",
}
_FEWEST = 2
_WHOSE = "of customers who answer either way, if the contact moves answering one way only"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """One row in waiting of which the data tell a set of effects and no point.

    Attributes:
        row: its names and counts, and the reason where `identified` is None.
        identified: the estimated set.
    """

    row: Estimate
    identified: IdentifiedSet | None = None

    @property
    def confirmatory(self) -> bool:
        """Never: no verdict is taken from bounds alone."""
        return False

    def at(self, alpha: float) -> Estimate:
        """Return the row with the set, and the interval that misses the effect with probability alpha.

        A guardrail's interval stands at level 1 − 2·alpha, as those of its other rows.
        """
        if self.identified is None:
            return self.row
        level = 1 - (2 if self.row.role == "guardrail" else 1) * alpha
        limits, ends = self.identified.interval(level), (self.identified.low, self.identified.high)
        return replace(
            self.row,
            set_low=ends[0].point,
            set_high=max(ends[1].point, ends[0].point),
            low=limits.low,
            high=limits.high,
            level=level,
            df=self.identified.df,
        )


def bounds_queries(spec: "ExperimentSpec", metric: "Metric", questions: Sequence[Question]) -> Iterator[Query]:
    """Yield one query per contrast."""
    if _why_never(spec, metric) is None:
        yield from (_query(spec, metric, question) for question in questions)


def bound_rows(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Iterator[InWaiting]:
    """Yield the row of Lee's bounds, and that of the worst case."""
    reason = _why_never(spec, metric)
    if reason is not None:
        for method in (LEE, WORST_CASE):
            yield Bounds(row=_row(spec, metric, question, None, method, reason))
        return
    found = cast("Nonresponse", answers[_query(spec, metric, question)])
    few = _why_too_few(question, found)
    yield _told(_row(spec, metric, question, found, LEE, few), found.lee, note=_WHOSE)
    limits = None if _SUPPORT.get(metric.type) else "answers have no known limits, so that nothing bounds the others"
    row = of_everybody(_row(spec, metric, question, found, WORST_CASE, limits or few))
    yield _told(row, found.worst_case, note=_support_note(metric, found))


def _query(spec: "ExperimentSpec", metric: "Metric", question: Question) -> NonresponseQuery:
    return NonresponseQuery(
        measure=measure_of(metric),
        treated=question.arm,
        control=question.control,
        clusters=spec.clusters,
        support=_SUPPORT.get(metric.type),
    )


def _why_never(spec: "ExperimentSpec", metric: "Metric") -> str | None:
    if spec.data.weight is not None and why_no_mean(metric) is None:
        return "this version does not bound weighted means"
    return why_no_mean(metric)


def _why_too_few(question: Question, found: Nonresponse) -> str | None:
    for arm, answers in zip((question.arm, question.control), found.answers, strict=True):
        if answers < _FEWEST:
            return f"fewer than {_FEWEST} customers in arm '{arm}' answered"
    return None


def _row(
    spec: "ExperimentSpec",
    metric: "Metric",
    question: Question,
    found: Nonresponse | None,
    method: str,
    reason: str | None,
) -> Estimate:
    blank = Found(treated=EMPTY, control=EMPTY, reason=reason, hidden=True, method=method)
    row = beside_the_metric(spec, metric, question, blank).row
    if found is None:
        return row
    return replace(row, n_treated=found.answers[0], n_control=found.answers[1])


def _told(row: Estimate, ends: tuple[BoundEnd, BoundEnd] | None, *, note: str | None) -> Bounds:
    if row.status != "ok" or ends is None:
        return Bounds(row=row)
    if any(len(names) == 1 and too_few_clusters(one) for end in ends for names, one in end.patterns.items()):
        return Bounds(row=_without(row, "an arm has fewer than two clusters, so their spread is unknown"))
    found = identified(ends)
    if max(found.low.se, found.high.se) == 0:
        return Bounds(row=_without(row, "the outcome does not vary within the arms"))
    return Bounds(row=replace(row, reason=note), identified=found)


def _support_note(metric: "Metric", found: Nonresponse) -> str | None:
    if _SUPPORT.get(metric.type) != "observed" or found.support is None:
        return None
    lowest, highest = map(number, found.support)
    return f"whoever did not answer is taken to lie within the answers in the data, {lowest} to {highest}"


def _without(row: Estimate, reason: str) -> Estimate:
    return replace(row, status="not_computed", reason=reason)
