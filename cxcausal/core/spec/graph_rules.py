"""What a plan and its causal graph must say alike: the treatment and an outcome are drawn, and were recorded."""

from collections.abc import Iterator

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.drawn import drawn_in
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Finding, Path

_GRAPH: Path = ("design", "graph")


def _drawn(draft: Draft) -> tuple[Observational, CausalGraph] | None:
    design = draft.design
    if not isinstance(design, Observational) or design.causal_graph is None:
        return None
    return design, design.causal_graph


def graph_draws_the_question(draft: Draft) -> Iterator[Finding]:
    """The treatment is drawn, and so is at least one success metric."""
    found = _drawn(draft)
    if found is None:
        return
    design, graph = found
    column = design.treatment.column
    if column not in graph.nodes:
        what = f"the graph doesn't draw the treatment '{column}'"
        yield Finding(path=_GRAPH, code="P366", what=what, mend=suggestion(column, graph.nodes), at="key")
    success = [item.metric for item in draft.metrics if item.role == "success"]
    if success and not any(drawn_in(graph.nodes, metric) for metric in success):
        names = ", ".join(dict.fromkeys(name for metric in success for name in (metric.name, *metric.columns)))
        what = "the graph draws no success metric, neither by its name nor by its column"
        yield Finding(path=_GRAPH, code="P366", what=what, mend=f"draw one of: {names}", at="key")


def graph_records_what_is_used(draft: Draft) -> Iterator[Finding]:
    """No column that the plan uses is drawn as never recorded."""
    found = _drawn(draft)
    if found is None:
        return
    design, graph = found
    used: list[tuple[Path, str]] = [(("design", "treatment", "column"), design.treatment.column)]
    used += [(("design", "confounders", at), name) for at, name in enumerate(design.confounders)]
    used += [((key, at), name) for key in ("covariates",) for at, name in enumerate(draft.names(key))]
    used += [(item.path, name) for item in draft.metrics for name in drawn_in(graph.nodes, item.metric)]
    for path, name in used:
        if name in graph.unobserved:
            what = f"the plan uses '{name}', and the graph says that it was never recorded"
            yield Finding(path=path, code="P367", what=what, mend="remove observed=no in the graph, or the column here")


GRAPH_RULES: tuple[Rule, ...] = (graph_draws_the_question, graph_records_what_is_used)
