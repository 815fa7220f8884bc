"""What a valid plan may ask for and this version can't do: refused where it would change the answer, else noted."""

from collections.abc import Iterable, Iterator, Sequence

from cxcausal.core.adjusting import needs_rows
from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.measures import not_winsorized
from cxcausal.core.opinions import opinions_of
from cxcausal.core.registry import Registry
from cxcausal.core.results import DataFacts, Estimate
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Nuisance
from cxcausal.pipeline.event_notes import event_notes


def refuse_unsupported(spec: ExperimentSpec) -> None:
    """Raise one error that names every key this version can't honour.

    Raises:
        PlanError: the plan is valid, and running it here would answer another question than it asks.
    """
    problems = unsupported(spec)
    if problems:
        raise PlanError(problems)


def unsupported(spec: ExperimentSpec) -> tuple[Problem, ...]:
    """Return what this version can't honour, so that it is known before a plan is locked and its data arrive."""
    return tuple(_unsupported(spec))


def notes_of(spec: ExperimentSpec, facts: DataFacts, effects: Sequence[Estimate]) -> tuple[str, ...]:
    """Return one sentence for each declared thing that the results leave out, and for a reading before its time."""
    return (
        *_epochs(spec),
        *_delivery(spec),
        *_adjustment(spec, effects),
        *_left_out(spec),
        *event_notes(spec, facts),
        *_early(spec, facts),
    )


def _problem(key: str, what: str, mend: str) -> Problem:
    return Problem(where=key, code="P901", what=what, mend=mend)


def _unsupported(spec: ExperimentSpec) -> Iterator[Problem]:
    yield from _unsupported_components(spec)
    yield from _unsupported_metrics(spec)
    if spec.analysis.peeking == "group_sequential" and spec.data.observed_until is None:
        yield _problem(
            "analysis.peeking",
            "without data.observed_until nobody knows which of the planned looks a reading is",
            "add data.observed_until: its column, or the day until which outcomes are known",
        )


def _unsupported_metrics(spec: ExperimentSpec) -> Iterator[Problem]:
    """Yield the metrics that must have an effect, and can't have one from scores."""
    deciding = (*spec.metrics.success, *spec.metrics.guardrails)
    for metric in deciding if isinstance(spec.design, Observational) else ():
        if metric.type == "quantile":
            yield _problem(
                f"metric {metric.name}",
                "effects on quantiles are told of randomised designs only, and the verdict needs this one",
                "make it secondary, or take a mean or a share (top_box) instead",
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
    if spec.estimation.method in Registry(kind="opinions").names():
        yield _problem(
            "estimation.method",
            f"'{spec.estimation.method}' is a second opinion, and does not lead",
            f"write also: [{spec.estimation.method}], and as the method one of: {', '.join(methods)}",
        )
    elif isinstance(spec.design, Observational) and spec.estimation.method not in {"default", "aipw"}:
        yield _problem(
            "estimation.method",
            f"'{spec.estimation.method}' compares arms as if a coin had been tossed, and here none was",
            "leave it out, or write aipw",
        )
    elif spec.estimation.method not in methods:
        yield _problem(
            "estimation.method",
            f"the estimator '{spec.estimation.method}' is not part of this version",
            f"use one of: {', '.join(methods)}",
        )


def _epochs(spec: ExperimentSpec) -> Iterator[str]:
    """Yield how arms are compared whose shares changed during enrolment."""
    if spec.epochs:
        days = ", ".join(epoch.begins for epoch in spec.epochs)
        yield (
            f"The arms' shares changed during enrolment (epochs from {days}): arms are compared within epochs, and "
            "the differences averaged over all customers; so is the money. What else stands beside effects (delivery, "
            "parts, capped values, surveys' bounds) is not told."
        )


def _adjustment(spec: ExperimentSpec, effects: Sequence[Estimate]) -> Iterator[str]:
    """Yield which effects over everybody are not adjusted although the plan says for what, and that money isn't."""
    asked = [row for row in effects if row.adjustment == "covariates" and row.population == "all" and not row.companion]
    asked = [row for row in asked if row.scale == "absolute" and row.control == spec.control]
    if all(row.status != "ok" for row in asked):
        yield from _nothing_adjusted(spec, dict.fromkeys(str(row.reason) for row in asked))
        return
    known = " and ".join([*["strata"] * bool(spec.design.strata), *["covariates"] * _has_covariates(spec)])
    plain = ", ".join(dict.fromkeys(row.metric for row in asked if row.status != "ok"))
    if plain:
        yield f"Some estimates are not adjusted for {known}, for the reasons in the table of effects: {plain}."
    scored = isinstance(spec.design, Observational)
    if not spec.epochs and not scored and any(metric.money is not None for _, metric in spec.metrics.with_roles()):
        yield f"Money is told from unadjusted means, also where effects are adjusted for {known}."


def _nothing_adjusted(spec: ExperimentSpec, reasons: Iterable[str]) -> Iterator[str]:
    why = "; ".join(reasons)
    if why and _has_covariates(spec):
        yield f"Covariates are used to check that the arms are comparable; estimates are not adjusted: {why}."
        why = ""
    if spec.design.strata:
        known = "Strata are declared; intervals do not use them and are, if anything, too wide"
        yield f"{known}: {why}." if why else f"{known}."


def _has_covariates(spec: ExperimentSpec) -> bool:
    return bool(spec.covariates) or any(metric.covariate for _, metric in spec.metrics.with_roles())


def _delivery(spec: ExperimentSpec) -> Iterator[str]:
    """Yield of whom the effects are, where the plan says what was delivered."""
    if spec.design.treatment.received is None or spec.epochs:
        return
    if spec.estimand.contrast == "late":
        yield "The plan asks for the effect on those reached: it stands beside, and the verdict is not taken from it."
    yield (
        "Headline, money and verdict are of being assigned, whether or not the contact was delivered; what was "
        "delivered, and its effect on those reached, are told beside."
    )


def _left_out(spec: ExperimentSpec) -> Iterator[str]:
    bounded = ", ".join(metric.name for metric in not_winsorized(spec))
    if bounded:
        yield f"Not winsorised, because values of such a type are bounded, or are no average: {bounded}."
    if spec.estimation.also and not opinions_of(spec):
        asked = ", ".join(spec.estimation.also)
        yield f"Second opinions are told of observational designs; here a coin decided, and these are not: {asked}."
    yield from _left_out_methods(spec)
    yield from _own_clusters(spec)


def _left_out_methods(spec: ExperimentSpec) -> Iterator[str]:
    observed = isinstance(spec.design, Observational)
    learned = needs_rows(spec)
    if spec.estimation.nuisance != Nuisance() and not learned:
        yield "The declared nuisance learners are not used: a difference in means needs none."
    if spec.estimation.nuisance.propensity is not None and learned and not observed and not spec.epochs:
        yield "The declared propensity learner is not used: the arms were drawn with known shares."
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
    """Yield that nobody knows whether this is the time to read; a reading that is known to be early was refused."""
    horizon = spec.analysis.horizon
    day = horizon.date if horizon is not None and spec.analysis.peeking == "fixed_horizon" else None
    if day is not None and facts.data_cut is None:
        yield f"Nobody knows whether the horizon of {day} is reached: the plan names no data.observed_until."
