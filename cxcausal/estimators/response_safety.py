"""Differences among those who answered are called unsafe where the contact changed who answers, or bounds disagree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cxcausal.core.results import Estimate
from cxcausal.core.surveys import (
    excludes_zero,
    lee_row,
    response_row,
    set_doubts_effect,
    set_reaches_margin,
    unsafe_note,
)
from cxcausal.core.wording import percent

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_DOUBTED = "those who answered may not be alike, and trimming the arm that answers more leaves the result open"


def with_warnings(spec: "ExperimentSpec", effects: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Return the rows, those of survey metrics with the reason why they are unsafe to read alone, where they are.

    Unsafe are all of a metric's own rows for a contrast in which the shares who answer differ beyond chance, or where
    the effect over everybody says more than Lee's estimated set.
    """
    reasons = {
        (metric.name, arm, control): _why_unsafe(metric, arm, control, effects)
        for _, metric in spec.metrics.with_roles()
        if metric.response is not None
        for arm, control in ((row.arm, row.control) for row in effects if row.metric == metric.name)
    }
    return tuple(_warned(row, reasons.get((row.metric, row.arm, row.control))) for row in effects)


def _warned(row: Estimate, why: str | None) -> Estimate:
    if why is None or row.companion or row.status != "ok":
        return row
    note = unsafe_note(why)
    return replace(row, reason=note if row.reason is None else f"{row.reason}; {note}")


def _why_unsafe(metric: "Metric", arm: str, control: str, effects: Sequence[Estimate]) -> str | None:
    rate = response_row(effects, metric.name, arm, control)
    if rate is not None and excludes_zero(rate):
        shares = [percent(share or 0.0) for share in (rate.mean_treated, rate.mean_control)]
        return f"the contact changed who answers ({shares[0]} with '{arm}', {shares[1]} with '{control}')"
    lee = lee_row(effects, metric.name, arm, control)
    own = [row for row in effects if _is_own(row, metric, arm, control)]
    doubted = lee is not None and any(_doubted(metric, row, lee) for row in own)
    return _DOUBTED if doubted else None


def _doubted(metric: "Metric", row: Estimate, lee: Estimate) -> bool:
    if row.role != "guardrail":
        return set_doubts_effect(row, lee)
    already = set_reaches_margin(row, replace(lee, set_low=row.low, set_high=row.high), metric)
    return not already and set_reaches_margin(row, lee, metric)


def _is_own(row: Estimate, metric: "Metric", arm: str, control: str) -> bool:
    contrast = (row.metric, row.arm, row.control) == (metric.name, arm, control)
    whole = row.population == "all" and row.scale == "absolute" and row.status == "ok"
    return contrast and whole and not row.companion
