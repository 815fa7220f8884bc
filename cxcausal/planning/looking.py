"""When a plan will be read, for its power, and what that costs, in words."""

from math import ceil
from typing import TYPE_CHECKING

from cxcausal.core.wording import count, percent
from cxcausal.stats.sequential import DEFAULT_INFORMATION
from cxcausal.stats.sequential_power import Looking, equally_spaced

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

_UNKNOWN_PACE = 10
_MOST = 52


def looking_of(spec: "ExperimentSpec", units: int | None, per_week: float | None) -> Looking | None:
    """Return the looks to plan for, equally spaced; None where the plan is read once.

    Those of a plan that may be read at any time are its own, else weekly ones at the pace of enrolment, 52 at most;
    without a pace there are ten.
    """
    analysis = spec.analysis
    if analysis.peeking == "fixed_horizon":
        return None
    if analysis.peeking == "group_sequential":
        return Looking(shares=equally_spaced(len(analysis.look_dates)), alpha=analysis.alpha)
    weekly = ceil(units / per_week) if units is not None and per_week else _UNKNOWN_PACE
    looks = len(analysis.looks) or min(max(weekly, 1), _MOST)
    planned = analysis.horizon.units if analysis.horizon is not None else None
    return Looking(shares=equally_spaced(looks), tuned=planned or DEFAULT_INFORMATION, alpha=analysis.alpha)


def looking_note(looking: Looking, needed: int | None, read_once: int | None) -> str:
    """Return how often the plan is taken to be read, and how many more units that needs.

    Args:
        looking: the looks.
        needed: units with these looks, for the first size that the plan wants to see.
        read_once: units without them.

    Example:
        >>> looking_note(Looking(shares=(0.5, 1.0)), 1010, 1000)
        'Power counts 2 looks, equally spaced; looking 2 times needs 1 % more units than reading once.'
    """
    looks = len(looking.shares)
    told = f"Power counts {count(looks)} looks, equally spaced"
    if looking.tuned is not None:
        told = f"{told}, of a plan that may be read at any time and is tuned for {count(looking.tuned)} units"
    if not needed or not read_once:
        return f"{told}."
    return f"{told}; looking {count(looks)} times needs {percent(needed / read_once - 1)} more units than reading once."
