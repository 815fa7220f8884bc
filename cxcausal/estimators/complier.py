"""What was delivered of the contact, and its effect on those whom it reached because they were assigned."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, cast

from cxcausal.core.answers import ClusterPatterns, Moments, MomentTable
from cxcausal.core.measure import Measure
from cxcausal.core.measures import measure_of, unit_of, why_not_measured
from cxcausal.core.protocols import Answers, Comparison
from cxcausal.core.queries import Query
from cxcausal.core.results import Estimate
from cxcausal.estimators.delivery import NOBODY, delivery_queries, delivery_rows, mean_of
from cxcausal.estimators.difference_in_means import RATES, found_between
from cxcausal.estimators.found import Found
from cxcausal.estimators.questions import Levels, Question, cluster_queries_of, moment_query, questions_of
from cxcausal.stats.newcombe import RateDifference
from cxcausal.stats.quotient import ABOVE, Patterns, Quotient, part_of, part_of_patterns, quotient

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

NOT_REACHED = "being assigned moved too little in who was reached: the effect on those reached could be of any size"
NEITHER_IS_NOTHING = "both arms bring a contact, so what differs is its kind and not whether it was delivered"
_RARE = "an arm has too few events, or too few without, for an effect on those reached"
_CROSSED = "the variance over several cluster names is not positive, so there is no range"


@dataclass(frozen=True, kw_only=True)
class ComplierRow:
    """One complier effect in waiting: never confirmatory, and withheld where its range has no ends.

    Attributes:
        row: its names and counts.
        found: the quotient of the effect of being assigned and of what that moved in delivery; None where `row`
            already says why not.
    """

    row: Estimate
    found: Quotient | None = None

    @property
    def confirmatory(self) -> bool:
        """Never: the verdict is taken from the effect of being assigned."""
        return False

    def at(self, alpha: float) -> Estimate:
        """Return the row whose set errs with probability alpha; for guardrails, alpha on either side.

        Its p-value is that of no effect of being assigned, which is the same hypothesis; a guardrail's margin is
        agreed for everybody who is assigned, so there it has none.
        """
        if self.found is None:
            return self.row
        guardrail = self.row.role == "guardrail"
        level = 1 - (2 if guardrail else 1) * alpha
        limits = self.found.interval(level)
        if limits is None or not self.found.below > 0:
            return replace(self.row, status="not_computed", reason=NOT_REACHED)
        return replace(
            self.row,
            point=self.found.point,
            low=limits.low,
            high=limits.high,
            level=level,
            se=self.found.se,
            p=None if guardrail else self.found.p,
            df=self.found.df,
        )


@dataclass(frozen=True, kw_only=True)
class Complier:
    """The effect of the contact on customers whom it reaches if, and only if, they are assigned.

    It is the effect of being assigned divided by what being assigned moves in delivery (Imbens & Angrist 1994,
    https://doi.org/10.2307/2951620), with the Anderson–Rubin set. It rests on two things that no data show: being
    assigned does nothing to those whom it doesn't reach, and keeps no one from the contact. Nothing is said about
    customers who are reached in any case, or in none. Has no rows where the plan doesn't say what was delivered.
    """

    name: ClassVar[str] = "complier"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return joint moments of outcome and delivery, their cluster sums, and once per plan those of delivery."""
        received = spec.design.treatment.received
        if received is None:
            return ()
        asked = list(delivery_queries(spec, received)) if _is_first(spec, metric) else []
        if _why_never(spec, metric) is None:
            questions = [question for question in questions_of(spec, levels) if question.control == spec.control]
            asked += chain.from_iterable(_queries(spec, metric, question) for question in questions)
        return tuple(dict.fromkeys(asked))

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one row per contrast and population; beside the plan's first metric also those of delivery."""
        received = spec.design.treatment.received
        if received is None:
            return ()
        shares = delivery_rows(spec, received, answers) if _is_first(spec, metric) else ()
        return (*shares, *(_row(spec, metric, question, answers) for question in _told(spec, metric, levels)))


def _is_first(spec: "ExperimentSpec", metric: "Metric") -> bool:
    return metric == spec.metrics.success[0]


def _told(spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> Iterator[Question]:
    """Yield the questions that have a row: what can't be answered whatever the data is said once, over everybody."""
    never = _why_never(spec, metric) is not None
    for question in questions_of(spec, levels):
        if question.segment is None or not (never or question.control != spec.control):
            yield question


def _why_never(spec: "ExperimentSpec", metric: "Metric") -> str | None:
    """Return why a metric of this plan has no complier effect, whatever the data."""
    if metric.type == "ratio":
        return "a ratio of means has no effect per customer reached"
    if spec.data.weight is not None:
        return "this version tells no effect on those reached from weighted customers"
    return why_not_measured(metric)


def _measure(spec: "ExperimentSpec", metric: "Metric") -> Measure:
    """Return outcome and delivery of a unit as two components; a unit without either does not count."""
    return replace(measure_of(metric), denominator=spec.design.treatment.received)


def _queries(spec: "ExperimentSpec", metric: "Metric", question: Question) -> tuple[Query, ...]:
    measure = _measure(spec, metric)
    return (moment_query(measure, question.segment), *cluster_queries_of(measure, question, spec.clusters).values())


def _row(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> ComplierRow:
    reason = _why_never(spec, metric)
    if reason is None and question.control != spec.control:
        reason = NEITHER_IS_NOTHING
    if reason is not None:
        nothing = Found(treated=NOBODY, control=NOBODY, reason=reason, hidden=True)
        return ComplierRow(row=_named(spec, metric, question, nothing))
    measure = _measure(spec, metric)
    table = cast("MomentTable", answers[moment_query(measure, question.segment)])
    cells = tuple(table.get((arm, question.group), NOBODY) for arm in (question.arm, question.control))
    asked = cluster_queries_of(measure, question, spec.clusters)
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    return _found(spec, metric, question, cells, patterns)


def _found(
    spec: "ExperimentSpec", metric: "Metric", question: Question, cells: tuple[Moments, ...], patterns: Patterns
) -> ComplierRow:
    """Return the row of an effect of being assigned that could be told, divided by what that moved in delivery."""
    treated, control = (part_of(cell, ABOVE) if cell.n else NOBODY for cell in cells)
    outcome = {names: part_of_patterns(found, ABOVE) for names, found in patterns.items()}
    itt = found_between(question, (treated, control), outcome, rate=metric.type in RATES)
    if itt.reason is not None:
        return ComplierRow(row=_named(spec, metric, question, itt))
    if isinstance(itt.effect, RateDifference):
        return ComplierRow(row=_named(spec, metric, question, replace(itt, reason=_RARE)))
    found = quotient(cells[0], cells[1], patterns)
    if found is None:
        return ComplierRow(row=_named(spec, metric, question, replace(itt, reason=_CROSSED)))
    return ComplierRow(row=_named(spec, metric, question, itt), found=found)


def _named(spec: "ExperimentSpec", metric: "Metric", question: Question, itt: Found) -> Estimate:
    role = next(role for role, planned in spec.metrics.with_roles() if planned == metric)
    shown = not itt.hidden
    return Estimate(
        metric=metric.name,
        role=role,
        arm=question.arm,
        control=question.control,
        estimand="late",
        population=question.population,
        method="wald",
        n_treated=itt.treated.n if shown else None,
        n_control=itt.control.n if shown else None,
        mean_treated=mean_of(itt.treated) if shown else None,
        mean_control=mean_of(itt.control) if shown else None,
        unit=unit_of(spec, metric),
        companion=True,
        status="ok" if itt.reason is None else "not_computed",
        reason=itt.reason,
    )
