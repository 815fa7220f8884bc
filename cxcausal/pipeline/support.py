"""What a valid plan may ask for and this version can't do: refused where it would change the answer, else noted."""

from collections.abc import Iterator

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.registry import Registry
from cxcausal.core.spec.models import ExperimentSpec


def refuse_unsupported(spec: ExperimentSpec) -> None:
    """Raise one error that names every key this version can't honour.

    Raises:
        PlanError: the plan is valid, and running it here would answer another question than it asks.
    """
    problems = tuple(_unsupported(spec))
    if problems:
        raise PlanError(problems)


def notes_of(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return one sentence for each declared thing that the results leave out without changing the answer."""
    return tuple(_left_out(spec))


def _problem(key: str, what: str, mend: str) -> Problem:
    return Problem(where=key, code="P901", what=what, mend=mend)


def _unsupported(spec: ExperimentSpec) -> Iterator[Problem]:
    yield from _unsupported_components(spec)
    if spec.data.events is not None:
        yield _problem("data.events", "event tables can't be read by this version", "point data.source at a flat table")
    if spec.estimand.contrast == "late":
        yield _problem(
            "estimand.contrast",
            "the complier effect (late) can't be estimated by this version",
            "ask for itt, the effect of being assigned",
        )
    if spec.analysis.peeking != "fixed_horizon":
        yield _problem(
            "analysis.peeking",
            f"'{spec.analysis.peeking}' intervals can't be computed by this version, and fixed ones would mislead",
            "use peeking: fixed_horizon and read the experiment once, at its horizon",
        )


def _unsupported_components(spec: ExperimentSpec) -> Iterator[Problem]:
    designs = Registry(kind="designs").names()
    if spec.design.type not in designs:
        yield _problem(
            "design.type",
            f"the plan is valid, but this version can't run a design of type '{spec.design.type}'",
            f"runnable designs: {', '.join(designs)}; `cxcausal validate` and `explain` work for all",
        )
        return
    methods = ("default", *Registry(kind="estimators").names())
    if spec.estimation.method not in methods:
        yield _problem(
            "estimation.method",
            f"the estimator '{spec.estimation.method}' is not part of this version",
            f"use one of: {', '.join(methods)}",
        )


def _left_out(spec: ExperimentSpec) -> Iterator[str]:
    if spec.covariates or any(metric.covariate for _, metric in spec.metrics.with_roles()):
        yield "Covariates are used to check that the arms are comparable; estimates are not adjusted for them."
    if spec.design.strata:
        yield "Strata are declared; intervals do not use them and are, if anything, too wide."
    if spec.design.treatment.received is not None:
        yield "Effects are of being assigned, whether or not the contact was delivered."
    if _winsorizes(spec):
        yield "Winsorised estimates are not computed; all figures are untrimmed."
    if spec.estimation.also:
        yield f"Second opinions are not computed: {', '.join(spec.estimation.also)}."
    if spec.policy.budget is not None or spec.policy.current_rule is not None:
        yield "Whom to contact under the declared budget and rule is not valued."


def _winsorizes(spec: ExperimentSpec) -> bool:
    declared = {spec.analysis.outliers, *(metric.outliers for _, metric in spec.metrics.with_roles())}
    return "winsorize" in declared
