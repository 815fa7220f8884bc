"""Tiny arms: is there enough in every arm for its averages to be trusted?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from cxcausal.checks.breach import decisive_metrics, quoted, verdict_of
from cxcausal.checks.validated_region import Doubt, cluster_queries_of, doubts
from cxcausal.core.answers import Flow, Moments, MomentTable
from cxcausal.core.measures import values_of
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, MomentQuery, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import count, counted, listed

_COUNTED_BY_EVENTS = {"proportion", "mean", "count"}
_VARIES = 1e-12
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class _Shortage:
    """One thing there is too little of, with what there is and what is needed."""

    text: str
    found: int
    needed: int


@dataclass(frozen=True, kw_only=True)
class TinyArm:
    """Units per arm, and events per arm of the success and guardrail metrics; an outcome must vary at all.

    An arm needs its units for every such metric: those whose value is unknown don't count.
    An event is a unit whose value isn't zero, so that spend of which nearly everybody has none counts its buyers.
    Proportions need as many units without the event.

    Where there is enough of everything, but the design lies outside the region in which intervals were validated
    (`checks.validated_region`), it warns, and never fails.

    Attributes:
        min_units: analysed units that every arm needs.
        min_events: events (and, for proportions, non-events) that every arm needs.
    """

    name: ClassVar[str] = "tiny_arm"
    on_breach: OnBreach = "fail"
    min_units: int = 30
    min_events: int = 5

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the flow of units, and the moments and cluster sums of every decisive metric."""
        clusters = (query for metric in _averages(spec) for query in cluster_queries_of(spec, metric))
        return (FlowQuery(), *(_query(spec, metric) for metric in decisive_metrics(spec)), *clusters)

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict, naming what there is too little of."""
        flow = cast("Flow", answers[FlowQuery()])
        if flow.analysed == 0:
            return CheckResult(
                name=self.name,
                verdict="could_not_run",
                on_breach=self.on_breach,
                threshold=float(self.min_units),
                text=f"There are no {people_in(spec).many} to analyse.",
            )
        short = (*self._arms(spec, flow), *self._metrics(spec, flow, answers))
        doubtful = () if short else tuple(_doubts(spec, answers))
        if doubtful:
            return self._warned(doubtful)
        smallest = min(flow.analysed_by_arm.get(arm, 0) for arm in spec.arms)
        enough = f"Every arm is large enough; the smallest has {people_in(spec).counted(smallest)}."
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=bool(short)),
            on_breach=self.on_breach,
            value=float(short[0].found if short else smallest),
            threshold=float(short[0].needed if short else self.min_units),
            text=_text(short) if short else enough,
        )

    def _warned(self, doubtful: tuple[Doubt, ...]) -> CheckResult:
        told = listed([doubt.text for doubt in doubtful[:_NAMED]])
        return CheckResult(
            name=self.name,
            verdict="info" if self.on_breach == "skip" else "warn",
            on_breach=self.on_breach,
            value=doubtful[0].found,
            threshold=doubtful[0].limit,
            text=f"Read these intervals with care: {told}.",
        )

    def _arms(self, spec: ExperimentSpec, flow: Flow) -> Iterator[_Shortage]:
        for arm in spec.arms:
            n = flow.analysed_by_arm.get(arm, 0)
            if n < self.min_units:
                text = f"the arm {quoted(spec, arm)} has {people_in(spec).counted(n)} (needed: {count(self.min_units)})"
                yield _Shortage(text=text, found=n, needed=self.min_units)

    def _metrics(self, spec: ExperimentSpec, flow: Flow, answers: Answers) -> Iterator[_Shortage]:
        for metric in decisive_metrics(spec):
            table = cast("MomentTable", answers[_query(spec, metric)])
            cells = _cells(spec, table)
            yield from self._known(spec, metric, flow, cells)
            if any(_divides_by_zero(cell) for cell in cells.values()):
                yield self._nothing(f"'{metric.title}' has nothing to divide by in an arm")
            elif cells and not any(_varies(cell) for cell in cells.values()):
                yield self._nothing(f"'{metric.title}' does not vary within any arm")
            elif metric.type in _COUNTED_BY_EVENTS:
                yield from self._events(spec, metric, cells)

    def _known(
        self, spec: ExperimentSpec, metric: Metric, flow: Flow, cells: dict[str, Moments]
    ) -> Iterator[_Shortage]:
        """Yield the arms that have units enough, and too few for which the metric is known.

        A guardrail that nobody has a value for is no shortage: it isn't computed, and the verdict says so.
        """
        for arm in spec.arms if cells or metric in spec.metrics.success else ():
            n = cells[arm].n if arm in cells else 0
            if n < self.min_units <= flow.analysed_by_arm.get(arm, 0):
                text = f"'{metric.title}' is known for {people_in(spec).counted(n)} of {quoted(spec, arm)}"
                yield _Shortage(text=f"{text} (needed: {self.min_units})", found=n, needed=self.min_units)

    def _nothing(self, text: str) -> _Shortage:
        return _Shortage(text=text, found=0, needed=self.min_events)

    def _events(self, spec: ExperimentSpec, metric: Metric, cells: dict[str, Moments]) -> Iterator[_Shortage]:
        for arm, cell in cells.items():
            for kind, found in _counted(metric, cell):
                if found < self.min_events:
                    text = f"'{metric.title}' is {kind} for {people_in(spec).counted(found)} of {quoted(spec, arm)}"
                    yield _Shortage(text=f"{text} (needed: {self.min_events})", found=found, needed=self.min_events)


def _averages(spec: ExperimentSpec) -> Iterator[Metric]:
    """Yield the decisive metrics that are averages, of which the validated region is known."""
    yield from (metric for metric in decisive_metrics(spec) if metric.type != "quantile")


def _cells(spec: ExperimentSpec, table: MomentTable) -> dict[str, Moments]:
    """Return the moments over everybody of the arms in which the metric is known."""
    return {arm: cell for arm in spec.arms if (cell := table.get((arm, ()))) is not None and cell.n}


def _doubts(spec: ExperimentSpec, answers: Answers) -> Iterator[Doubt]:
    for metric in _averages(spec):
        yield from doubts(spec, metric, _cells(spec, cast("MomentTable", answers[_query(spec, metric)])), answers)


def _query(spec: ExperimentSpec, metric: Metric) -> MomentQuery:
    return MomentQuery(measure=values_of(metric, spec.data.weight))


def _counted(metric: Metric, cell: Moments) -> tuple[tuple[str, int], ...]:
    """Return what must not be rare: events and non-events of a proportion, else values that aren't zero."""
    if metric.type == "proportion":
        return (("true", cell.events), ("not true", cell.n - cell.events))
    return (("other than zero", cell.events),)


def _divides_by_zero(cell: Moments) -> bool:
    return len(cell.mean) > 1 and not cell.mean[1]


def _varies(cell: Moments) -> bool:
    """Tell whether units differ; for a ratio, whether they differ around the arm's ratio."""
    if len(cell.mean) == 1:
        return bool(cell.m2[0, 0] > 0)
    direction = np.array([1.0, -cell.mean[0] / cell.mean[1]])
    return bool(direction @ cell.m2 @ direction > _VARIES * cell.m2[0, 0])


def _text(short: tuple[_Shortage, ...]) -> str:
    named = [shortage.text for shortage in short[:_NAMED]]
    more = [f"{counted(len(short) - _NAMED, 'more shortage')}"] if len(short) > _NAMED else []
    return f"Too little to trust averages: {listed([*named, *more])}."
