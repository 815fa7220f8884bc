"""Freshness: are the data as new as the plan, or the source that it names, promises?"""

from datetime import date

from cxcausal.checks.breach import verdict_of
from cxcausal.core.results import CheckResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import counted

NAME = "freshness"


def freshness_of(spec: ExperimentSpec, data_cut: str | None, now: str) -> tuple[CheckResult, ...]:
    """Return the check of what was promised about the age of the data; nothing without a promise.

    Args:
        spec: the plan; its `data.freshness` may come from `configs/data_sources.yaml`.
        data_cut: until when the data were observed, an ISO date.
        now: when they are read, an ISO date or time.
    """
    promise = spec.data.freshness
    if promise is None:
        return ()
    age = None if data_cut is None else (date.fromisoformat(now[:10]) - date.fromisoformat(data_cut)).days
    allowed = f"{counted(promise.max_age, 'day')} old at most"
    if age is None:
        text = f"The data may be {allowed}, and the plan doesn't say until when they were observed."
    elif age < 0:
        text = f"The data reach to {data_cut}, which is later than the day on which they were read."
    else:
        text = f"The data reach to {data_cut}: they were {counted(age, 'day')} old when they were read ({allowed})."
    breached = age is None or age > promise.max_age
    return (
        CheckResult(
            name=NAME,
            verdict=verdict_of(promise.on_breach, breached=breached),
            on_breach=promise.on_breach,
            value=None if age is None else float(age),
            threshold=float(promise.max_age),
            text=text,
        ),
    )
