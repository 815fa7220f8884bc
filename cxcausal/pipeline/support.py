"""What a valid plan may ask for and this version can't do: refused where it would change the answer, else noted."""

from collections.abc import Iterator, Sequence

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.registry import Registry
from cxcausal.core.results import DataFacts, Estimate
from cxcausal.core.spec.models import ExperimentSpec, Nuisance, Policy
from cxcausal.core.wording import count


def refuse_unsupported(spec: ExperimentSpec) -> None:
    """Raise one error that names every key this version can't honour.

    Raises:
        PlanError: the plan is valid, and running it here would answer another question than it asks.
    """
    problems = tuple(_unsupported(spec))
    if problems:
        raise PlanError(problems)


def notes_of(spec: ExperimentSpec, facts: DataFacts, effects: Sequence[Estimate]) -> tuple[str, ...]:
    """Return one sentence for each declared thing that the results leave out, and for a reading before its time."""
    return (*_adjustment(spec, effects), *_left_out(spec), *_early(spec, facts))


def _problem(key: str, what: str, mend: str) -> Problem:
    return Problem(where=key, code="P901", what=what, mend=mend)


def _unsupported(spec: ExperimentSpec) -> Iterator[Problem]:
    yield from _unsupported_components(spec)
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


def _adjustment(spec: ExperimentSpec, effects: Sequence[Estimate]) -> Iterator[str]:
    """Yield which effects over everybody are not adjusted although covariates are declared, and that money isn't."""
    asked = [row for row in effects if row.adjustment == "covariates" and row.population == "all"]
    asked = [row for row in asked if row.scale == "absolute" and row.control == spec.control]
    if not asked:
        return
    if all(row.status != "ok" for row in asked):
        reasons = "; ".join(dict.fromkeys(str(row.reason) for row in asked))
        yield f"Covariates are used to check that the arms are comparable; estimates are not adjusted: {reasons}."
        return
    plain = ", ".join(dict.fromkeys(row.metric for row in asked if row.status != "ok"))
    if plain:
        yield f"Some estimates are not adjusted for covariates, for the reasons in the table of effects: {plain}."
    if any(metric.money is not None for _, metric in spec.metrics.with_roles()):
        yield "Money is told from unadjusted means, also where effects are adjusted for covariates."


def _left_out(spec: ExperimentSpec) -> Iterator[str]:
    if spec.design.strata:
        yield "Strata are declared; intervals do not use them and are, if anything, too wide."
    if spec.design.treatment.received is not None:
        yield "Effects are of being assigned, whether or not the contact was delivered."
    if _winsorizes(spec):
        yield "Winsorised estimates are not computed; all figures are untrimmed."
    if spec.estimation.also:
        yield f"Second opinions are not computed: {', '.join(spec.estimation.also)}."
    if spec.policy != Policy():
        yield "Whom to contact under the declared policy is not valued: its keys change no figure."
    yield from _left_out_methods(spec)
    yield from _own_clusters(spec)


def _left_out_methods(spec: ExperimentSpec) -> Iterator[str]:
    if spec.estimation.nuisance != Nuisance():
        yield "The declared nuisance learners are not used: a difference in means needs none."
    if spec.effect_modifiers:
        yield "How the effect varies is told for the segments only; the effect modifiers are not used."
    if spec.value_model is not None and spec.value_model.annualize:
        yield "Money is told for the measured period; no yearly scenario is made."
    unknown = [name for name in spec.checks if name not in Registry(kind="checks").names()]
    if unknown:
        yield f"These checks of the plan are not part of this version, and did not run: {', '.join(unknown)}."


def _own_clusters(spec: ExperimentSpec) -> Iterator[str]:
    """Yield that clusters were named, and that the coin's own unit is not among them."""
    coin = spec.data.randomization_unit
    if coin is None or not spec.data.cluster or coin in spec.data.cluster or coin == spec.data.unit:
        return
    yield (
        f"Intervals take what shares a fate from data.cluster ({', '.join(spec.data.cluster)}), which leaves out the "
        f"randomisation unit '{coin}': they are too narrow, unless each '{coin}' lies within one of these."
    )


def _early(spec: ExperimentSpec, facts: DataFacts) -> Iterator[str]:
    """Yield what speaks against reading a plan of one fixed horizon now."""
    horizon = spec.analysis.horizon
    if horizon is None:
        return
    risk = "an interval that is read early, and again, errs more often than it says"
    if horizon.units is not None and facts.analysed < horizon.units:
        yield f"Read before its horizon, at {count(facts.analysed)} of {count(horizon.units)} planned units: {risk}."
    if horizon.date is not None and facts.data_cut is None:
        yield f"Nobody knows whether the horizon of {horizon.date} is reached: the plan names no data.observed_until."
    elif horizon.date is not None and str(facts.data_cut) < horizon.date:
        yield f"Read before its horizon of {horizon.date}, at data up to {facts.data_cut}: {risk}."


def _winsorizes(spec: ExperimentSpec) -> bool:
    declared = {spec.analysis.outliers, *(metric.outliers for _, metric in spec.metrics.with_roles())}
    return "winsorize" in declared
