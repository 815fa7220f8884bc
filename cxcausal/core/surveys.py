"""When a difference among those who answered must not be read alone: who answers differs, or its bounds disagree."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cxcausal.core.measures import response_name
from cxcausal.core.results import Estimate

if TYPE_CHECKING:
    from cxcausal.core.spec.models import Metric

LEE = "lee_bounds"
WORST_CASE = "worst_case_bounds"
AIPW = "response_aipw"
_UNSAFE = "unsafe: "


def unsafe_note(why: str) -> str:
    """Return the note that marks a row as unsafe to read alone."""
    return f"{_UNSAFE}{why}; see the bounds"


def is_unsafe(row: Estimate) -> bool:
    """Tell whether a row carries that note.

    Example:
        >>> row = Estimate(metric="csat", role="secondary", arm="a", control="b", estimand="itt", method="m",
        ...                reason=unsafe_note("the contact changed who answers"))
        >>> is_unsafe(row), row.reason
        (True, 'unsafe: the contact changed who answers; see the bounds')
    """
    return row.status == "ok" and row.reason is not None and _UNSAFE in row.reason


def lee_row(effects: Iterable[Estimate], metric: str, arm: str, control: str) -> Estimate | None:
    """Return the row of Lee's bounds for one metric and contrast, or None where it has no set."""
    rows = (row for row in effects if (row.metric, row.arm, row.control, row.method) == (metric, arm, control, LEE))
    return next((row for row in rows if row.set_low is not None and row.set_high is not None), None)


def response_row(effects: Iterable[Estimate], metric: str, arm: str, control: str) -> Estimate | None:
    """Return the row that compares who answers, or None where it has no interval."""
    name = response_name(metric)
    rows = (row for row in effects if (row.metric, row.arm, row.control) == (name, arm, control))
    return next((row for row in rows if row.low is not None and row.high is not None), None)


def excludes_zero(row: Estimate) -> bool:
    """Tell whether a row's interval lies on one side of zero."""
    return row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)


def set_doubts_effect(row: Estimate, lee: Estimate) -> bool:
    """Tell whether an interval excludes zero, and the estimated set holds zero or lies on the other side.

    Example:
        >>> names = dict(metric="csat", role="secondary", arm="a", control="b", estimand="itt", method="m")
        >>> row = Estimate(**names, point=0.2, low=0.1, high=0.3)
        >>> [set_doubts_effect(row, Estimate(**names, set_low=low, set_high=0.4)) for low in (-0.1, 0.05)]
        [True, False]
    """
    if row.low is None or row.high is None or lee.set_low is None or lee.set_high is None:
        return False
    return (row.low > 0 and lee.set_low <= 0) or (row.high < 0 and lee.set_high >= 0)


def set_reaches_margin(row: Estimate, lee: Estimate, metric: "Metric") -> bool:
    """Tell whether the estimated set reaches a guardrail's margin or beyond it.

    A relative margin is taken of the control's mean in `row`, the metric's own absolute one.
    """
    if lee.set_low is None or lee.set_high is None or metric.margin is None:
        return False
    margin = metric.margin
    size = margin.absolute if margin.absolute is not None else (margin.relative or 0.0) * abs(row.mean_control or 0.0)
    return (-lee.set_low if metric.sign > 0 else lee.set_high) >= size
