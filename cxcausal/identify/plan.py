"""What a plan identifies, metric by metric: from its graph, or from its roles where there is none."""

from collections.abc import Iterator
from dataclasses import dataclass

from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.drawn import drawn_in
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.identify.identified import Identified, identify
from cxcausal.identify.roles import graph_of_roles, metric_node


@dataclass(frozen=True, kw_only=True)
class OfMetric:
    """What a plan identifies of one metric.

    Attributes:
        metric: the metric.
        role: success, guardrail, secondary or exploratory.
        drawn: the plan's graph draws it; otherwise it is judged by the declared roles.
        outcomes: one entry per name that is the metric: two for a ratio that the graph draws by its parts.
    """

    metric: Metric
    role: str
    drawn: bool
    outcomes: tuple[Identified, ...]

    @property
    def valid(self) -> bool:
        """Whether the effect on all of them is identified."""
        return all(found.valid for found in self.outcomes)


def identified(spec: ExperimentSpec) -> tuple[OfMetric, ...]:
    """Return what an observational plan identifies; nothing for plans of other designs.

    A plan without confounders whose graph is drawn adjusts for the smallest set that the graph allows, beside its
    covariates. Negative controls are never part of a set: they test it.
    """
    return tuple(_of_metrics(spec)) if isinstance(spec.design, Observational) else ()


def _of_metrics(spec: ExperimentSpec) -> Iterator[OfMetric]:
    design = spec.design
    graph = design.causal_graph if isinstance(design, Observational) else None
    for role, metric in spec.metrics.with_roles():
        names = drawn_in(graph.nodes, metric) if graph is not None else ()
        if graph is not None and names:
            found = tuple(_of_graph(spec, graph, name) for name in names)
        else:
            found = _asked(spec, graph_of_roles(spec), metric_node(spec, metric.name), adjusted_for(spec))
        yield OfMetric(metric=metric, role=role, drawn=bool(names), outcomes=found)


def _of_graph(spec: ExperimentSpec, graph: CausalGraph, outcome: str) -> Identified:
    named = adjusted_for(spec)
    if isinstance(spec.design, Observational) and not spec.design.confounders:
        (chosen,) = _asked(spec, graph, outcome, ())
        named = tuple(dict.fromkeys((*chosen.adjustment, *named))) if named else ()
    (found,) = _asked(spec, graph, outcome, named)
    return found


def _asked(spec: ExperimentSpec, graph: CausalGraph, outcome: str, named: tuple[str, ...]) -> tuple[Identified, ...]:
    design = spec.design
    if not isinstance(design, Observational):
        return ()
    controls = (*design.negative_controls.outcomes, *design.negative_controls.exposures)
    never = {*design.never_adjust, *controls, *_columns_of_metrics(spec)}
    return identify(graph, design.treatment.column, (outcome,), named, never)


def _columns_of_metrics(spec: ExperimentSpec) -> Iterator[str]:
    for _, metric in spec.metrics.with_roles():
        yield from (metric.name, *metric.columns)


def adjustment_of(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return what the graph would adjust for, for all success metrics and guardrails that it draws, each once.

    It is for plans that draw a graph and name no confounders; nothing where an effect is not identified.
    """
    decisive = [item for item in identified(spec) if item.role in {"success", "guardrail"} and item.drawn]
    sets = [found.adjustment for item in decisive for found in item.outcomes if found.valid]
    return tuple(dict.fromkeys(name for names in sets for name in names))


def drawn_columns(spec: ExperimentSpec) -> tuple[tuple[str, str], ...]:
    """Return which names of the plan's graph are which columns of the plan, as far as both name them.

    A metric that the graph draws by its name is its column; one of several columns is left out.
    """
    design = spec.design
    graph = design.causal_graph if isinstance(design, Observational) else None
    if graph is None or not isinstance(design, Observational):
        return ()
    controls = (*design.negative_controls.outcomes, *design.negative_controls.exposures)
    columns = {design.treatment.column, *adjusted_for(spec), *design.never_adjust, *controls, *spec.segments}
    found = {name: name for name in columns}
    for _, metric in spec.metrics.with_roles():
        found |= {column: column for column in metric.columns}
        found |= dict.fromkeys((metric.name,), metric.columns[0]) if len(metric.columns) == 1 else {}
    return tuple((name, found[name]) for name in graph.observed if name in found)
