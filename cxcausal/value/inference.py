"""The composite's difference between two arms, by the inference that effects use: of the arms as they are, or scores.

Each function asks once which of the two it is, so that nothing else of the money needs to know.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np

from cxcausal.core.answers import ClusterPatterns, Moments, MomentTable
from cxcausal.core.epochs import EPOCH
from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import ClusterQuery, MomentQuery, Query, cluster_queries
from cxcausal.core.score_answers import ScoreEffect
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.cluster import difference, too_few_clusters
from cxcausal.stats.difference import Difference
from cxcausal.stats.poststratification import Stratum, poststratified, why_not_poststratified
from cxcausal.value.scored import by_scores, difference_of, effect_of, part_of, query_of

_FEWEST_UNITS = 2
_NO_VARIATION = 1e-12
_EMPTY = Moments(n=0, mean=np.zeros(1), m2=np.zeros((1, 1)))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two arms' cells of one measure, and their difference or the reason for none."""

    n_treated: int
    difference: Difference | None = None
    reason: str | None = None


def mean_queries(spec: ExperimentSpec, measure: Measure) -> tuple[Query, ...]:
    """Return the query behind the means of every arm, per epoch where shares changed during enrolment."""
    if by_scores(spec):
        return (query_of(spec, measure),)
    return (_moments(spec, measure),)


def difference_queries(spec: ExperimentSpec, measure: Measure) -> tuple[Query, ...]:
    """Return the queries behind the difference of each arm from the control, with its standard error."""
    if by_scores(spec):
        return mean_queries(spec, measure)
    clusters = (query for arm in spec.treated_arms for query in _cluster_queries(spec, measure, arm).values())
    return (*mean_queries(spec, measure), *clusters)


def mean_difference(spec: ExperimentSpec, measure: Measure, arm: str, answers: Answers, *, whole: Measure) -> float:
    """Return an arm's mean less the control's, as part of a `whole`; both must have units that count."""
    if by_scores(spec):
        return part_of(effect_of(spec, measure, arm, answers), effect_of(spec, whole, arm, answers))
    if spec.epochs:
        found = _within_epochs(spec, measure, arm, answers).difference
        assert found is not None  # noqa: S101 - the composite, over the same customers, has one
        return found.point
    return _mean(_cell(measure, arm, answers)) - _mean(_cell(measure, spec.control, answers))


def mean_in(spec: ExperimentSpec, measure: Measure, arm: str, answers: Answers) -> float:
    """Return an arm's mean, which must have units that count."""
    if by_scores(spec):
        return effect_of(spec, measure, arm, answers).mean[0]
    return _mean(_cell(measure, arm, answers))


def compare(spec: ExperimentSpec, measure: Measure, arm: str, answers: Answers) -> Compared:
    """Return the difference between an arm and the control: Welch's with HC2, or CR2 where units share a fate.

    Where shares changed during enrolment it is taken within the epochs, and averaged over all customers. Where nobody
    tossed a coin it is the adjusted effect on the plan's target population.
    """
    if by_scores(spec):
        return _scored(effect_of(spec, measure, arm, answers))
    if spec.epochs:
        return _within_epochs(spec, measure, arm, answers)
    treated, control = _cell(measure, arm, answers), _cell(measure, spec.control, answers)
    for name, cell in ((arm, treated), (spec.control, control)):
        if cell.n < _FEWEST_UNITS:
            label = spec.design.treatment.label(name)
            reason = f"fewer than {_FEWEST_UNITS} customers of the arm '{label}' have all outcomes that carry money"
            return Compared(n_treated=treated.n, reason=reason)
    asked = _cluster_queries(spec, measure, arm)
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    if any(too_few_clusters(found) for names, found in patterns.items() if len(names) == 1):
        return Compared(n_treated=treated.n, reason="an arm has fewer than two clusters, so their spread is unknown")
    return Compared(n_treated=treated.n, difference=difference(treated, control, patterns))


def _scored(effect: ScoreEffect) -> Compared:
    if effect.reason is not None:
        return Compared(n_treated=effect.n[0], reason=effect.reason)
    return Compared(n_treated=effect.n[0], difference=difference_of(effect))


def _within_epochs(spec: ExperimentSpec, measure: Measure, arm: str, answers: Answers) -> Compared:
    table = cast("MomentTable", answers[_moments(spec, measure)])
    epochs = sorted({key[0] for (_, key), cell in table.items() if cell.n > 0})
    strata = tuple(_stratum(spec, table, arm, epoch) for epoch in epochs)
    customers = sum(stratum.treated.n for stratum in strata)
    reason = _why_not_within(spec) or why_not_poststratified(strata)
    if reason is not None:
        return Compared(n_treated=customers, reason=reason)
    return Compared(n_treated=customers, difference=poststratified(strata))


def _why_not_within(spec: ExperimentSpec) -> str | None:
    """Return what of the plan keeps money from being told within epochs."""
    if not spec.clusters and spec.data.weight is None:
        return None
    what = f"customers share a fate ({', '.join(spec.clusters)})" if spec.clusters else "customers have weights"
    return f"the arms' shares changed during enrolment, and where {what} this version tells no money then"


def _stratum(spec: ExperimentSpec, table: MomentTable, arm: str, epoch: str) -> Stratum:
    cells = {name: table.get((name, (epoch,)), _EMPTY) for name in spec.arms}
    return Stratum(treated=cells[arm], control=cells[spec.control], size=sum(cell.n for cell in cells.values()))


def _moments(spec: ExperimentSpec, measure: Measure) -> MomentQuery:
    return MomentQuery(measure=measure, by=(EPOCH,) if spec.epochs else ())


def is_constant(difference: Difference | None) -> bool:
    """Tell whether no customer's amount differs from another's within the arms, so that nothing can be inferred."""
    if difference is None:
        return False
    size = max(abs(difference.mean_treated), abs(difference.mean_control))
    return difference.se <= _NO_VARIATION * size


def _cluster_queries(spec: ExperimentSpec, measure: Measure, arm: str) -> dict[tuple[str, ...], ClusterQuery]:
    return cluster_queries(measure, spec.clusters, treated=arm, control=spec.control)


def _cell(measure: Measure, arm: str, answers: Answers) -> Moments:
    table = cast("MomentTable", answers[MomentQuery(measure=measure)])
    return table.get((arm, ()), _EMPTY)


def _mean(cell: Moments) -> float:
    return float(cell.mean[0] / cell.mean[1]) if len(cell.mean) > 1 else float(cell.mean[0])
