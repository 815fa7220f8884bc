"""What the rules look at for one arm: its effects as benefits and harms, its guardrails, its money, the checks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cxcausal.core.causes import failed_by_cause
from cxcausal.core.people import whom_in
from cxcausal.core.results import ArmValue, CheckResult, Estimate, ValueResult
from cxcausal.core.spec.models import ExperimentSpec, Magnitude, Metric

Scale = Literal["absolute", "relative"]
GuardrailState = Literal["inside", "beyond", "inconclusive", "not_computed"]


@dataclass(frozen=True, kw_only=True)
class Benefit:
    """An effect in the direction that is good: above zero helps, below zero harms."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one arm against the control.

    Attributes:
        spec: the plan.
        arm: the treated arm.
        rows: its rows over everybody, by metric and scale; one of each, the headline's kind first.
        checks: all checks of the run.
        priced: whether the plan puts money on any metric. value: what this arm is worth, where it is.
    """

    spec: ExperimentSpec
    arm: str
    rows: Mapping[tuple[str, Scale], Estimate]
    checks: tuple[CheckResult, ...]
    priced: bool
    value: ArmValue | None

    @property
    def failed_checks(self) -> tuple[CheckResult, ...]:
        """The checks whose breach withholds the verdict, causes first."""
        return tuple(self.checks[place] for place in failed_by_cause(self.checks))

    def row(self, metric: Metric, scale: Scale = "absolute") -> Estimate | None:
        """Return a metric's row that has numbers, or None."""
        row = self.rows.get((metric.name, scale))
        return row if row is not None and row.status == "ok" else None

    def benefit(self, metric: Metric, scale: Scale = "absolute") -> Benefit | None:
        """Return a metric's effect as a benefit, or None where it wasn't computed."""
        row = self.row(metric, scale)
        if row is None or row.point is None or row.low is None or row.high is None:
            return None
        low, high = (row.low, row.high) if metric.sign > 0 else (-row.high, -row.low)
        return Benefit(low=low, point=metric.sign * row.point, high=high)

    def why_not(self, metric: Metric, scale: Scale = "absolute") -> str:
        """Return why a metric has no numbers."""
        row = self.rows.get((metric.name, scale)) or self.rows.get((metric.name, "absolute"))
        return (row.reason if row is not None else None) or "there is no result for it"

    def metric(self, name: str) -> Metric:
        """Return a planned metric by its name."""
        return next(metric for _, metric in self.spec.metrics.with_roles() if metric.name == name)

    def improved(self) -> Metric | None:
        """Return the first success metric whose whole interval is above zero as a benefit."""
        return next((metric for metric, benefit in self._success() if benefit.low > 0), None)

    def harmed(self) -> Metric | None:
        """Return the first success metric whose whole interval is below zero as a benefit."""
        return next((metric for metric, benefit in self._success() if benefit.high < 0), None)

    def guardrails(self, state: GuardrailState) -> tuple[Metric, ...]:
        """Return the guardrails that are in a state."""
        return tuple(metric for metric in self.spec.metrics.guardrails if self.guardrail_state(metric) == state)

    def guardrail_state(self, metric: Metric) -> GuardrailState:
        """Tell where a guardrail's interval lies against its margin, on the margin's own scale."""
        benefit = self.benefit(metric, scale_of(metric.margin))
        if benefit is None:
            return "not_computed"
        margin = size_of(metric.margin)
        if -benefit.high > margin:
            return "beyond"
        return "inside" if -benefit.low < margin else "inconclusive"

    def _success(self) -> Iterator[tuple[Metric, Benefit]]:
        for metric in self.spec.metrics.success:
            benefit = self.benefit(metric)
            if benefit is not None:
                yield metric, benefit


def evidence_of(
    spec: ExperimentSpec,
    arm: str,
    effects: Sequence[Estimate],
    checks: Sequence[CheckResult],
    value: ValueResult | None,
) -> Evidence:
    """Collect what concerns one arm: its rows against the control, over everybody, untrimmed."""
    return Evidence(
        spec=spec,
        arm=arm,
        rows=_rows(spec, arm, effects),
        checks=tuple(checks),
        priced=value is not None,
        value=None if value is None else next((found for found in value.arms if found.arm == arm), None),
    )


def scale_of(magnitude: Magnitude | None) -> Scale:
    """Return the scale on which a magnitude is given."""
    return "relative" if magnitude is not None and magnitude.relative is not None else "absolute"


def size_of(magnitude: Magnitude | None) -> float:
    """Return a magnitude's number; no magnitude is a size of zero."""
    if magnitude is None:
        return 0.0
    return next(size for size in (magnitude.relative, magnitude.absolute) if size is not None)


def _rows(spec: ExperimentSpec, arm: str, effects: Sequence[Estimate]) -> dict[tuple[str, Scale], Estimate]:
    """Return one row per metric and scale, of the adjustment that the metric's headline has; no companion decides.

    They are counted in the plan's own noun.
    """
    mine = [
        row
        for row in effects
        if row.arm == arm and row.control == spec.control and row.population == "all" and not row.companion
    ]
    shown = {row.metric: row.adjustment for row in mine if row.headline}
    ordered = sorted(mine, key=lambda row: row.adjustment == shown.get(row.metric, "covariates"))
    people = whom_in(spec)
    return {(row.metric, row.scale): replace(row, unit=people.in_unit(row.unit)) for row in ordered}
