"""Caps: how far a good verdict may go, by the evidence behind it and by when the plan was made."""

from dataclasses import dataclass, replace

from cxcausal.core.results import ArmVerdict, Grade, Verdict
from cxcausal.core.spec.models import ExperimentSpec

RANK: tuple[Verdict, ...] = ("ship", "ship_with_monitoring", "pilot", "hold", "stop", "no_decision")
"""Verdicts from best to worst."""
_CAPPABLE: tuple[Verdict, ...] = ("ship", "ship_with_monitoring", "pilot")
_BY_GRADE: dict[Grade, Verdict] = {"A": "ship", "B": "ship_with_monitoring", "C": "pilot", "D": "no_decision"}
_GRADE_WORDS: dict[Grade, str] = {
    "A": "randomised",
    "B": "as if random",
    "C": "adjusted for known differences only",
    "D": "a failed check",
}

_SPOKEN: dict[Verdict, str] = {
    "ship": "shipping",
    "ship_with_monitoring": "shipping with monitoring",
    "pilot": "a pilot",
    "hold": "holding",
    "stop": "stopping",
    "no_decision": "no decision",
}


@dataclass(frozen=True, kw_only=True)
class Cap:
    """The best verdict allowed, and why."""

    ceiling: Verdict
    why: str


def tightest_cap(spec: ExperimentSpec, grade: Grade, *, registered: bool) -> Cap:
    """Return the cap that binds most; where the plan's timing binds as much as the design, one that says both."""
    late: Cap | None = None
    if spec.retrospective:
        late = Cap(ceiling="pilot", why="the plan is retrospective: it was made after the data")
    elif not registered:
        late = Cap(ceiling="pilot", why="the plan was not registered before the data")
    cap = Cap(ceiling=_BY_GRADE[grade], why=f"the evidence is of grade {grade} ({_GRADE_WORDS[grade]})")
    return joined(cap, late)


def joined(cap: Cap, other: Cap | None) -> Cap:
    """Return the tighter of two caps; of equally tight ones, one that says both reasons.

    Example:
        >>> late = Cap(ceiling="pilot", why="the plan was late")
        >>> joined(late, Cap(ceiling="pilot", why="the bounds disagree")).why
        'the plan was late; also, the bounds disagree'
        >>> joined(Cap(ceiling="ship", why="grade A"), late).why, joined(late, None).why
        ('the plan was late', 'the plan was late')
    """
    if other is None or RANK.index(other.ceiling) < RANK.index(cap.ceiling):
        return cap
    if other.ceiling != cap.ceiling:
        return other
    return replace(cap, why=f"{cap.why}; also, {other.why}")


def capped(verdict: ArmVerdict, cap: Cap) -> ArmVerdict:
    """Return the verdict, no better than the cap allows; hold, stop and no_decision are never changed.

    Example:
        >>> cap = Cap(ceiling="pilot", why="the plan was not registered before the data")
        >>> capped(ArmVerdict(verdict="ship", reason="It works.", rule=3), cap).reason
        'It works. At most a pilot, because the plan was not registered before the data.'
        >>> capped(ArmVerdict(verdict="stop", reason="It harms.", rule=2), cap).verdict
        'stop'
    """
    if verdict.verdict not in _CAPPABLE or RANK.index(verdict.verdict) >= RANK.index(cap.ceiling):
        return verdict
    reason = f"{verdict.reason} At most {_SPOKEN[cap.ceiling]}, because {cap.why}."
    return replace(verdict, verdict=cap.ceiling, capped_from=verdict.verdict, reason=reason)
