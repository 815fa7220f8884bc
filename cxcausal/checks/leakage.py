"""Leakage: does a covariate all but give a success metric away, as if measured after the fact?"""

from dataclasses import dataclass
from math import isnan
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.measure import Measure
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CorrelationQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import number


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """The largest absolute correlation, within arms, between a numeric covariate and a success metric's column.

    Attributes:
        max_correlation: at this or above, the covariate must be a copy of the outcome.
    """

    name: ClassVar[str] = "leakage"
    on_breach: OnBreach = "fail"
    max_correlation: float = 0.98

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one correlation per covariate and outcome column."""
        return tuple(_pairs(spec).values())

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the covariate that is closest to an outcome."""
        pairs = _pairs(spec)
        if not pairs:
            return self._result("pass", None, "The plan names no covariate that could give an outcome away.")
        found = {key: abs(cast("float", answers[query])) for key, query in pairs.items()}
        known = {key: value for key, value in found.items() if not isnan(value)}
        if not known:
            return self._result("could_not_run", None, "No covariate is a number that varies together with an outcome.")
        covariate, title = closest = max(known, key=lambda key: known[key])
        value = known[closest]
        breached = value >= self.max_correlation
        return self._result(
            verdict_of(self.on_breach, breached=breached), value, self._text(covariate, title, value, breached=breached)
        )

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


def _pairs(spec: ExperimentSpec) -> dict[tuple[str, str], CorrelationQuery]:
    """Return (covariate, metric title) → query; a ratio's numerator and denominator are outcomes of their own."""
    own = (metric.covariate for _, metric in spec.metrics.with_roles() if metric.covariate is not None)
    covariates = dict.fromkeys((*spec.covariates, *own))
    return {
        (covariate, column if metric.type == "ratio" else metric.title): CorrelationQuery(
            column=covariate,
            measure=Measure(name=metric.name, terms=((column, 1.0),), response=metric.response),
        )
        for metric in spec.metrics.success
        for column in metric.columns
        for covariate in covariates
    }
