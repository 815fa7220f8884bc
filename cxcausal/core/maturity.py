"""How long after its time zero a unit's outcomes are complete."""

from typing import TYPE_CHECKING

from cxcausal.core.spec.event_rules import windows_of

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec


def days_to_mature(spec: "ExperimentSpec") -> int | None:
    """Return after how many days the longest window is over, and the events behind it have settled.

    Windows are those of metrics and of columns made of events. What was known at time zero doesn't change any more,
    unless nobody knows when the rows arrived. None where the plan has no window.

    Args:
        spec: the resolved plan.
    """
    metrics = tuple(metric for _, metric in spec.metrics.with_roles())
    ends = [metric.window.end for metric in metrics if metric.window is not None]
    events = spec.data.events
    if events is not None:
        ends += [
            max(window.end, 0) + source.settles_after
            for name, window in windows_of(events, metrics).items()
            for source in (events.sources[events.columns[name].source],)
            if window.end > 0 or (source.recorded is None and source.settles_after)
        ]
    return max(ends, default=None)
