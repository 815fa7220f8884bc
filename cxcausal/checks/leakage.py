"""Leakage: does a covariate all but give a success metric or the treatment away, as if measured after the fact?"""

from dataclasses import dataclass, replace
from math import isnan
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.adjusting import adjusted_for, needs_rows
from cxcausal.core.measure import Measure
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CorrelationQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import GiveawayAnswer, SeparationAnswer
from cxcausal.core.score_queries import GiveawayQuery, SeparationQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import number


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """The closest that a covariate comes, within arms, to a success metric's column.

    Numbers are held against columns by the correlation. Where rows are read anyway (nobody tossed a coin, the method is
    aipw, or the plan asks whom to contact), ranks, texts and gaps are held against outcomes as well
    (`GiveawayAnswer`): what tells who left is no line through it, and may be a word. Elsewhere that would take a pass
    over the rows of its own.

    Effect modifiers are covariates here: who responds is learned with them adjusted for.

    Where nobody tossed a coin confounders are covariates too, and one that alone tells who was treated is a breach as
    well: it is a consequence of the treatment, or its very definition.

    Attributes:
        max_correlation: at this or above, the covariate must be a copy of the outcome.
        max_separation: at this or above, a confounder alone decides the treatment (of two customers with different
            treatment, the chance that it tells which is which).
    """

    name: ClassVar[str] = "leakage"
    on_breach: OnBreach = "fail"
    max_correlation: float = 0.98
    max_separation: float = 0.99

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one correlation per covariate and outcome column, and where rows are read anyway, what they tell."""
        separation: tuple[Query, ...] = (SeparationQuery(),) if _may_decide(spec) else ()
        return (*_pairs(spec).values(), *separation, *_giveaways(spec).values())

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the covariate that is closest to an outcome."""
        decisive = self._decisive(spec, answers)
        if decisive is not None:
            return decisive
        pairs = _pairs(spec)
        if not pairs:
            return self._result("pass", None, "The plan names no covariate that could give an outcome away.")
        found = {key: abs(cast("float", answers[query])) for key, query in pairs.items()}
        known = {key: value for key, value in found.items() if not isnan(value)}
        given = {key: value for key, value in _given_away(spec, answers).items() if value > 0}
        # Correlations lead, as everybody knows them; what only ranks or words tell is told where it is too much.
        if not known or max(given.values(), default=0.0) >= self.max_correlation > max(known.values()):
            known = given
        if not known:
            return self._result("could_not_run", None, "No covariate is a number that varies together with an outcome.")
        covariate, title = closest = max(known, key=lambda key: known[key])
        value = known[closest]
        breached = value >= self.max_correlation
        return self._result(
            verdict_of(self.on_breach, breached=breached), value, self._text(covariate, title, value, breached=breached)
        )

    def _decisive(self, spec: ExperimentSpec, answers: Answers) -> CheckResult | None:
        """Return the result where a confounder alone decides the treatment; None where none does."""
        if not _may_decide(spec):
            return None
        alone = cast("SeparationAnswer", answers[SeparationQuery()]).alone
        name = max(alone, key=lambda each: alone[each], default=None)
        if name is None or alone[name] < self.max_separation:
            return None
        text = (
            f"'{name}' alone all but tells who was treated: it may be a consequence of the treatment, or its very "
            "definition. Nobody can be compared who is alike in it: remove it from what is adjusted for, or compare "
            "those around its limit (a design of type threshold)."
        )
        result = self._result(verdict_of(self.on_breach, breached=True), alone[name], text)
        return replace(result, threshold=self.max_separation)

    def _text(self, covariate: str, title: str, value: float, *, breached: bool) -> str:
        size = f"correlation {number(value)}, limit {number(self.max_correlation)}"
        if breached:
            return f"'{covariate}' all but gives '{title}' away ({size}): it was probably measured after the contact."
        return f"No covariate gives an outcome away; the closest is '{covariate}' with '{title}' ({size})."

    def _result(self, verdict: CheckVerdict, value: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=value,
            threshold=self.max_correlation,
            text=text,
        )


def _may_decide(spec: ExperimentSpec) -> bool:
    return isinstance(spec.design, Observational) and bool(adjusted_for(spec))


def _giveaways(spec: ExperimentSpec) -> dict[str, GiveawayQuery]:
    """Return metric title → query, of success metrics that have a value per customer; none where no rows are read."""
    if not (needs_rows(spec) and adjusted_for(spec)):
        return {}
    return {
        metric.title: GiveawayQuery(measure=measure_of(metric, spec.data.weight))
        for metric in spec.metrics.success
        if metric.type != "ratio" and why_not_measured(metric) is None
    }


def _given_away(spec: ExperimentSpec, answers: Answers) -> dict[tuple[str, str], float]:
    """Return (covariate, metric title) → how closely the one tells the other."""
    told = {title: cast("GiveawayAnswer", answers[query]) for title, query in _giveaways(spec).items()}
    return {(name, title): value for title, answer in told.items() for name, value in answer.alone.items()}


def _pairs(spec: ExperimentSpec) -> dict[tuple[str, str], CorrelationQuery]:
    """Return (covariate, metric title) → query; a ratio's numerator and denominator are outcomes of their own."""
    own = (metric.covariate for _, metric in spec.metrics.with_roles() if metric.covariate is not None)
    declared = (
        adjusted_for(spec) if isinstance(spec.design, Observational) else (*spec.covariates, *spec.effect_modifiers)
    )
    covariates = dict.fromkeys((*declared, *own))
    return {
        (covariate, column if metric.type == "ratio" else metric.title): CorrelationQuery(
            column=covariate,
            measure=Measure(name=metric.name, terms=((column, 1.0),), response=metric.response),
        )
        for metric in spec.metrics.success
        for column in metric.columns
        for covariate in covariates
    }
