"""What must be true of time zero where nobody tossed a coin: nobody waits, and nobody is lost before it is over."""

from collections.abc import Iterator

from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.nodes import Finding, Path

_LACKING = "grace periods need clone-censor-weight, which this version doesn't have"
_EXPOSURE: Path = ("data", "events", "exposure")


def nobody_waits_for_exposure(draft: Draft) -> Iterator[Finding]:
    """Where nobody tossed a coin, units aren't counted from a later event on."""
    data = draft.data
    if not isinstance(draft.design, Observational) or data is None or data.events is None:
        return
    if data.events.exposure is not None:
        what = f"exposure counts units from an event after time zero on, which is a grace period: {_LACKING}"
        mend = "remove it, and let data.time_zero be the moment at which both choices were open"
        yield Finding(path=_EXPOSURE, code="P380", what=what, mend=mend, at="key")


def windows_start_at_time_zero(draft: Draft) -> Iterator[Finding]:
    """Where nobody tossed a coin, outcomes count from time zero on, so that nobody who left before is lost."""
    if not isinstance(draft.design, Observational):
        return
    for planned in draft.metrics:
        window = planned.metric.window
        if window is not None and window.start > 0:
            what = (
                f"the window of '{planned.metric.name}' starts on day {window.start}: who left before is not counted, "
                f"and {_LACKING}"
            )
            mend = "write start: 0d; what happens before is part of what the choice does"
            yield Finding(path=(*planned.path, "window", "start"), code="P381", what=what, mend=mend)


TIME_ZERO_RULES: tuple[Rule, ...] = (nobody_waits_for_exposure, windows_start_at_time_zero)
