"""What contact costs: per customer assigned, per contact delivered, and per customer for whom it turned out better."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from cxcausal.core.answers import ClusterPatterns, Moments, MomentTable
from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import MomentQuery, Query, cluster_queries
from cxcausal.core.results import ArmValue, Range
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.stats.cluster import too_few_clusters
from cxcausal.stats.newcombe import FEWEST
from cxcausal.stats.quotient import Quotient, quotient
from cxcausal.value.composite import Bar, cost_part, has_costs
from cxcausal.value.inference import compare, difference_queries, mean_in, mean_queries
from cxcausal.value.scored import by_scores

NOT_RELIABLE = "the data do not tell the benefit from none, so what one costs has no upper end"
TOO_FEW = "an arm has too few events, or too few without"
NO_SPREAD = "the variance of cost and benefit together is not known"


def contact_queries(spec: ExperimentSpec, bars: tuple[Bar, ...]) -> Iterator[Query]:
    """Yield the aggregates behind costs; nothing where nobody costs anything, or whole arms can't be compared."""
    if not has_costs(spec) or spec.epochs:
        return
    if spec.design.treatment.received is not None:
        yield from mean_queries(spec, _delivered(spec, bars))
    lead = _lead(spec)
    if lead is not None:
        yield from difference_queries(spec, _event(spec, bars, lead) if by_scores(spec) else _joint(spec, bars, lead))


def with_contact_cost(spec: ExperimentSpec, bars: tuple[Bar, ...], value: ArmValue, answers: Answers) -> ArmValue:
    """Return an arm's value with what its contact costs; as it is where nobody costs anything.

    It also is where the arms' shares changed during enrolment, as then whole arms can't be compared.

    Costs are of the customers behind the net value. The cost per event is contact cost against the control divided by
    the first success metric's benefit, with Fieller's set at the money's level: both are random, and where the benefit
    is not told from none, no number bounds what one customer costs.
    """
    if not has_costs(spec) or spec.epochs:
        return value
    assigned = -mean_in(spec, cost_part(spec, bars), value.arm, answers)
    received = spec.design.treatment.received is not None
    share = mean_in(spec, _delivered(spec, bars), value.arm, answers) if received else None
    value = replace(
        value,
        cost_per_assigned=assigned,
        share_delivered=share,
        cost_per_delivered=assigned / share if share else None,
    )
    lead = _lead(spec)
    if lead is None or value.cost_per_customer <= 0:
        return value
    if by_scores(spec):
        return _per_adjusted_event(spec, lead, _event(spec, bars, lead), value, answers)
    return _per_event(spec, lead, _joint(spec, bars, lead), value, answers)


def _lead(spec: ExperimentSpec) -> Metric | None:
    """Return the first success metric where it says of every customer whether something happened, unweighted."""
    metric = spec.metrics.success[0]
    counts = metric.type == "proportion" and metric.response is None
    return metric if counts and spec.data.weight is None else None


def _delivered(spec: ExperimentSpec, bars: tuple[Bar, ...]) -> Measure:
    """Return delivery, over the customers of the composite."""
    cost = cost_part(spec, bars)
    own = tuple((arm, tuple((column, 0.0) for column, _ in terms)) for arm, terms in cost.arm_terms)
    terms = (*cost.terms, (str(spec.design.treatment.received), 1.0))
    return replace(cost, name="net_value_delivered", terms=terms, arm_terms=own, arm_constant=())


def _joint(spec: ExperimentSpec, bars: tuple[Bar, ...], lead: Metric) -> Measure:
    """Return contact cost (as a negative amount) and the lead metric's event as two components."""
    return replace(cost_part(spec, bars), name="net_value_cost_per_event", denominator=lead.column)


def _event(spec: ExperimentSpec, bars: tuple[Bar, ...], lead: Metric) -> Measure:
    """Return the lead metric's event, over the customers of the composite."""
    others = tuple((bar.column, 0.0) for bar in bars if bar.column != lead.column)
    return Measure(name="net_value_event", terms=((str(lead.column), 1.0), *others), weight=spec.data.weight)


def _per_adjusted_event(
    spec: ExperimentSpec, lead: Metric, event: Measure, value: ArmValue, answers: Answers
) -> ArmValue:
    """Return the arm with its cost per event, of which only the benefit is random: a cost that all of an arm have."""
    value = replace(value, cost_per_event_metric=lead.name)
    effect = compare(spec, event, value.arm, answers).difference
    if effect is None or effect.se <= 0:
        return replace(value, cost_per_event_reason=NO_SPREAD)
    found = Quotient(
        above=-value.cost_per_customer,
        below=effect.point,
        var_above=0.0,
        var_below=effect.se**2,
        covariance=0.0,
        df=effect.df,
        p=0.0,
        df_below=effect.df,
    )
    told = _cost_of_one(found, lead, 1 - spec.analysis.alpha)
    return replace(value, cost_per_event=told, cost_per_event_reason=None if told is not None else NOT_RELIABLE)


def _per_event(spec: ExperimentSpec, lead: Metric, joint: Measure, value: ArmValue, answers: Answers) -> ArmValue:
    value = replace(value, cost_per_event_metric=lead.name)
    table = cast("MomentTable", answers[MomentQuery(measure=joint)])
    cells = (table.get((value.arm, ())), table.get((value.control, ())))
    if any(cell is None or _rare(cell) for cell in cells):
        return replace(value, cost_per_event_reason=TOO_FEW)
    asked = cluster_queries(joint, spec.clusters, treated=value.arm, control=value.control)
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    short = any(too_few_clusters(found) for names, found in patterns.items() if len(names) == 1)
    treated, control = (cast("Moments", cell) for cell in cells)
    found = None if short else quotient(treated, control, patterns)
    if found is None:
        return replace(value, cost_per_event_reason=NO_SPREAD)
    told = _cost_of_one(found, lead, 1 - spec.analysis.alpha)
    return replace(value, cost_per_event=told, cost_per_event_reason=None if told is not None else NOT_RELIABLE)


def _cost_of_one(found: Quotient, lead: Metric, level: float) -> Range | None:
    """Return minus the (negative) cost over the benefit, by the degrees of freedom of the benefit."""
    limits = replace(found, df=found.df_below).interval(level)
    if limits is None or lead.sign * found.below <= 0:
        return None
    low, high = (limits.low, limits.high) if lead.sign < 0 else (-limits.high, -limits.low)
    return Range(point=-lead.sign * found.point, low=low, high=high)


def _rare(cell: Moments) -> bool:
    events = cell.n * float(cell.mean[1]) if cell.n else 0.0
    return min(events, cell.n - events) < FEWEST
