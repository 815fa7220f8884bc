"""The causal graph that a plan's declared roles mean, where nobody has drawn one."""

from collections.abc import Iterable, Iterator

from cxcausal.core.causal_graph import Arrow, CausalGraph, graph_of
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec


def graph_of_roles(spec: ExperimentSpec) -> CausalGraph:
    """Return the graph that the roles of an observational plan mean.

    Confounders move the treatment and every metric; the treatment moves every metric; what must never be adjusted for
    lies between them; covariates and effect modifiers move the metrics; negative controls share the confounders, and
    are not linked with treatment or metrics otherwise. A plan without confounders says of nothing that it moves both,
    and so rules nothing out: its treatment and metrics then have a hidden cause.

    Raises:
        TypeError: the design is not observational.
    """
    design = spec.design
    if not isinstance(design, Observational):
        raise TypeError(f"a design of type {design.type} has no such roles")
    treatment = design.treatment.column
    metrics = tuple(metric_node(spec, metric.name) for _, metric in spec.metrics.with_roles())
    confounders = _unlike(design.confounders, (treatment, *metrics))
    controls = (*design.negative_controls.outcomes, *design.negative_controls.exposures)
    others = _unlike((*spec.covariates, *spec.effect_modifiers), (treatment, *metrics, *confounders))
    after = _unlike(design.never_adjust, (treatment, *metrics, *confounders, *others))
    proxies = _unlike(controls, (treatment, *metrics, *confounders, *others, *after))
    return graph_of(
        arrows=[
            *_all_pairs(confounders, (treatment, *metrics, *proxies)),
            *_all_pairs((treatment,), (*metrics, *after)),
            *_all_pairs((*after, *others), metrics),
        ],
        hidden=[] if confounders else list(_all_pairs((treatment,), metrics)),
        others=[*proxies],
    )


def metric_node(spec: ExperimentSpec, name: str) -> str:
    """Return what a metric is called in the graph of the roles: its name, unless a column's role has that already."""
    design = spec.design
    taken = {design.treatment.column, *spec.covariates, *spec.effect_modifiers}
    if isinstance(design, Observational):
        controls = design.negative_controls
        taken |= {*design.confounders, *design.never_adjust, *controls.outcomes, *controls.exposures}
    return f"{name} (metric)" if name in taken else name


def _all_pairs(causes: Iterable[str], effects: Iterable[str]) -> Iterator[Arrow]:
    told = tuple(effects)
    return ((cause, effect) for cause in causes for effect in told)


def _unlike(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return names once each, without those that have another role already."""
    taken = set(others)
    return tuple(name for name in dict.fromkeys(names) if name not in taken)
