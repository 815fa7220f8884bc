"""What moved, in plain sentences: one for page one, and what a reader must know beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cxcausal.core.movement import Cause, Drift, EffectMovement, Movement, Pooled, Step
from cxcausal.core.results import RunResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, listed, number, percent

CAUSES: Mapping[Cause, str] = {
    "code": "other code on the same data",
    "environment": "another environment on the same data",
    "code_and_environment": "other code and another environment on the same data",
    "unexplained": "something unexplained: the same data, code and environment",
    "erased": "units that are gone",
    "restated": "values that were restated",
    "late": "values that came late",
    "matured": "units whose window ended since",
    "new": "new units",
    "plan": "the changed plan",
    "data": "other data",
    "data_and_plan": "other data and the changed plan",
}
"""Every cause as the end of “moved by …”."""
_SHARE = "share of "
_LEAST = 0.005
"""Causes with a smaller share of the change are not named."""


def with_sentences(spec: ExperimentSpec, result: RunResult, movement: Movement) -> Movement:
    """Return the movement with its sentence and its notes."""
    leading = _leading(spec, result, movement)
    sentence = _nothing(movement) if leading is None else moved_sentence(spec, leading, movement.parent_created_at)
    return replace(movement, sentence=sentence, notes=tuple(_notes(spec, result, movement, leading)))


def moved_sentence(spec: ExperimentSpec, moved: EffectMovement, since: str) -> str:
    """Return where an effect came from, and what brought it here."""
    title = next(metric.title for _, metric in spec.metrics.with_roles() if metric.name == moved.metric)
    arm = spec.design.treatment.label(moved.arm)
    opening = f"Since the run of {since[:10]} the effect of “{arm}” on “{title}”"
    steps = [step for step in moved.steps if step.change]
    if not steps:
        return f"{opening} has not moved: {_size(moved.now, moved.unit)} ({_counted(moved.unit)})."
    told = [step for step in steps if step.share is None or abs(step.share) >= _LEAST]
    causes = listed([_part(step, moved.unit) for step in sorted(told, key=lambda step: -abs(step.change or 0.0))])
    before, now = _size(moved.before, moved.unit), _size(moved.now, moved.unit)
    return f"{opening} went from {before} to {now} ({_counted(moved.unit)}): {causes}."


def _size(value: float, unit: str, digits: int = 3) -> str:
    """Return a number in a unit, but for shares, which are counted out of a thousand as everywhere on page one."""
    return number(value * 1000 if unit.startswith(_SHARE) else value, digits)


def _counted(unit: str) -> str:
    return f"per 1,000 {unit.removeprefix(_SHARE)}" if unit.startswith(_SHARE) else unit


def _part(step: Step, unit: str) -> str:
    change = step.change or 0.0
    sign = "+" if change > 0 else ""
    units = "" if step.units is None or not step.units else f", {count(step.units)} of them"
    share = "" if step.share is None else f" ({percent(step.share)} of the change{units})"
    return f"{sign}{_size(change, unit)} by {CAUSES[step.cause]}{share}"


def _leading(spec: ExperimentSpec, result: RunResult, movement: Movement) -> EffectMovement | None:
    """Return the effect that is spoken of: the first success metric's, of the recommended arm where there is one."""
    first = spec.metrics.success[0].name
    arms = (result.recommended_arm, *spec.treated_arms)
    found = {(one.arm, one.metric): one for one in reversed(movement.effects) if one.control == spec.control}
    return next((found[arm, first] for arm in arms if arm is not None and (arm, first) in found), None)


def _nothing(movement: Movement) -> str:
    """Return why nothing can be told of any effect."""
    return f"The run of {movement.parent_created_at[:10]} and this one have no effect in common that both computed."


def _notes(
    spec: ExperimentSpec, result: RunResult, movement: Movement, leading: EffectMovement | None
) -> Iterator[str]:
    yield from _decided(spec, result, movement)
    if movement.together is not None:
        yield f"Changes in the data can't be told apart, because {movement.together}."
    if spec.data.unit is None and movement.units.get("erased", 0) != 0:
        yield (
            "The plan names no data.unit, so that a row with another value is told as one that is gone and one that is "
            "new; whether the effect fades, and how cuts differ, can't be told."
        )
    if movement.plan_changed:
        yield f"The plan changed in: {', '.join(movement.plan_changed)}."
    if movement.accepted is not None:
        yield f"Data or a plan that would have been refused were accepted: “{movement.accepted}”."
    if movement.data_cut is not None:
        yield f"The end of observation was set to {movement.data_cut} for this run."
    for told in (
        None if leading is None or leading.drift is None else drift_sentence(leading.drift, leading.unit),
        None if leading is None or leading.pooled is None else pooled_sentence(leading.pooled, leading.unit),
        None if movement.looks is None else movement.looks.sentence,
    ):
        if told:
            yield told
    for overlap in movement.overlaps:
        units = "fewer than ten" if overlap.units is None else count(overlap.units)
        yield f"{units.capitalize()} of these units were at the same time in the experiment '{overlap.experiment}'."


def _decided(spec: ExperimentSpec, result: RunResult, movement: Movement) -> Iterator[str]:
    """Yield that the decision is another one, and whom to contact, before and now."""
    if movement.flipped:
        yield _flip(spec, result, movement)
    if movement.whom is not None and result.verdict != "no_decision":
        yield movement.whom.sentence


def _flip(spec: ExperimentSpec, result: RunResult, movement: Movement) -> str:
    """Return which decision became which; where only the rule is another, that it is."""
    before = _decision(spec, movement.verdict_before, movement.arm_before)
    now = _decision(spec, result.verdict, result.recommended_arm)
    if before == now:
        return f"The decision is another one: {now} as before, but by another rule for whom to contact."
    return f"The decision is another one: {before} before, {now} now."


def _decision(spec: ExperimentSpec, verdict: str, arm: str | None) -> str:
    words = verdict.replace("_", " ").upper()
    known = arm is not None and arm in spec.design.treatment.arms
    return f"{words} for “{spec.design.treatment.label(str(arm))}”" if known else words


def drift_sentence(drift: Drift, unit: str) -> str:
    """Return whether the effect among newly analysed units is another one.

    Example:
        >>> drift = Drift(known=-0.08, new=-0.02, difference=0.06, se=0.01, z=6.0, p=2e-9, trend="fading")
        >>> drift_sentence(drift, "share of customers").replace("\N{MINUS SIGN}", "-")
        'The effect is fading: -20 among newly analysed units, -80 among those before (per 1,000 customers).'
    """
    new, known = _size(drift.new, unit), _size(drift.known, unit)
    both = f"{new} among newly analysed units, {known} among those before ({_counted(unit)})"
    if drift.trend == "steady":
        return f"Nothing says that the effect fades or grows: {both}, a difference that chance explains."
    if drift.trend == "reversed":
        return f"The effect is the opposite of what it was: {both}."
    return f"The effect is {drift.trend}: {both}."


def pooled_sentence(pooled: Pooled, unit: str) -> str:
    """Return the mean effect over cuts, and whether Cochran's test says that cuts differ.

    Their variance beyond chance is estimated as more than zero in nearly half of all histories in which it is none.
    """
    spread = (
        "cuts differ no more than chance explains"
        if pooled.tau == 0 or pooled.p >= 1 - pooled.level
        else f"cuts differ by more than chance explains: beyond it by {_size(pooled.tau, unit, 2)} (one standard "
        f"deviation), which is {percent(pooled.i2)} of the variance between them"
    )
    mean = f"{_size(pooled.point, unit)} {_counted(unit)}"
    return (
        f"Over {pooled.cuts} cuts, each with its own units, the mean effect is {mean} "
        f"({percent(pooled.level)} range: {_size(pooled.low, unit)} to {_size(pooled.high, unit)}); {spread}."
    )
