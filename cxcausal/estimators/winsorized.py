"""Winsorised effects beside the untrimmed ones: the same comparison of values that are capped, in all arms alike."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from cxcausal.core.answers import Cap
from cxcausal.core.measures import unit_of, winsorized, winsorized_metrics
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CapQuery, Query
from cxcausal.core.results import Estimate
from cxcausal.core.wording import number
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.questions import Levels

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric


_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Capped:
    """The comparison of capped values, told as what it is: another quantity than the untrimmed mean."""

    inner: Comparison
    unit: str
    note: str
    confirmatory: bool = False

    def at(self, alpha: float) -> Estimate:
        """Return the row whose interval errs with probability alpha."""
        row = self.inner.at(alpha)
        reason = row.reason if row.status != "ok" else "; ".join(filter(None, (self.note, row.reason)))
        unit = self.unit if row.scale == "absolute" else row.unit
        return replace(row, companion=True, headline=False, trimming="winsorized", unit=unit, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Winsorized:
    """Beside every metric that the plan wants winsorised; no verdict and no money is taken from it."""

    name: ClassVar[str] = "winsorized"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return what the metric's own effect asks, of its capped values, and where they are cut."""
        if metric not in winsorized_metrics(spec):
            return ()
        capped = winsorized(metric)
        return (CapQuery(metric=metric.name), *_road(spec).queries(_with(spec, metric, capped), capped, levels))

    def compare(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers) -> tuple[Capped, ...]:
        """Return one effect per contrast × population × scale × adjustment, as the metric's own."""
        if metric not in winsorized_metrics(spec):
            return ()
        capped = winsorized(metric)
        rows = _road(spec).compare(_with(spec, metric, capped), capped, levels, answers)
        note = _note(cast("Cap", answers[CapQuery(metric=metric.name)]))
        return tuple(Capped(inner=row, unit=unit_of(spec, metric), note=note) for row in rows)


def _road(spec: "ExperimentSpec") -> DifferenceInMeans:
    return DifferenceInMeans(slopes="common" if spec.estimation.method == "ols" else "by_arm")


def _with(spec: "ExperimentSpec", metric: "Metric", capped: "Metric") -> "ExperimentSpec":
    """Return the plan with the capped metric in the metric's place and role."""
    roles = ("success", "guardrails", "secondary", "exploratory")
    changed = {
        role: tuple(capped if planned == metric else planned for planned in getattr(spec.metrics, role))
        for role in roles
    }
    return spec.model_copy(update={"metrics": spec.metrics.model_copy(update=changed)})


def _note(cap: Cap) -> str:
    if cap.high is None:
        return "a capped mean, which is another quantity: no value is known to cap"
    told, which = f"values above {_exact(cap.high)} count as {_exact(cap.high)}", "the 99.9th percentile"
    if cap.low is not None:
        told += f" and values below {_exact(cap.low)} as {_exact(cap.low)}"
        which = "the 99.9th and the 0.1th percentile"
    return f"a capped mean, which is another quantity: {told} ({which} over all arms)"


def _exact(value: float) -> str:
    return number(value, digits=_DIGITS)
