"""The plan's power: every metric and arm against what the plan wants to see, at the units it can have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import TYPE_CHECKING, cast

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.maturity import days_to_mature
from cxcausal.planning.assumptions import Assumptions
from cxcausal.planning.looking import looking_note, looking_of
from cxcausal.planning.moments import Base, missing_knowledge
from cxcausal.planning.result import Curve, PlanResult, PowerRow, Role, Source
from cxcausal.planning.sentences import judge
from cxcausal.stats.power import Setting, Test, power, smallest_size, units_needed
from cxcausal.stats.sequential_power import Looking

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

_DAYS = 7
_POINTS = 41
_WIDE = 2.0
"""The picture reaches to so many times the larger of planned and needed units."""
_MOST_WIDE = 10.0
"""And to no more than so many times the planned units, so that a hopeless metric doesn't flatten the others."""


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How many units there will be, and how fast: what planning takes as given."""

    units: int | None
    units_from: str | None
    per_week: float | None
    window_days: int

    def weeks(self, units: int | None) -> int | None:
        """Return the weeks to enrol so many units and to wait for the last one's window; None without a pace."""
        if units is None or self.per_week is None:
            return None
        return ceil(units / self.per_week) + ceil(self.window_days / _DAYS)


@dataclass(frozen=True, kw_only=True)
class _Question:
    """One comparison: who, what size, and by which test."""

    role: Role
    metric: "Metric"
    arm: str
    size: float | None
    size_from: Source | None
    test: Test
    asked: float


def refuse_unplannable(spec: "ExperimentSpec") -> None:
    """Raise where this version has no power for what the plan asks.

    Raises:
        PlanError: with every such key.
    """
    problems = []
    if spec.design.type == "observational":
        what = (
            "where nobody tosses a coin, power can't be told beforehand: what data are worth depends on how far the "
            "groups overlap, which only data show, and no number of units helps against what was not measured"
        )
        mend = "`cxcausal run` on past data tells the range, and how many units it is as good as; or plan a test"
        problems.append(_unplannable("design.type", what, mend))
    elif spec.design.type != "randomized":
        what = f"power for a design of type '{spec.design.type}' can't be computed by this version"
        problems.append(_unplannable("design.type", what, "plan a randomised design"))
    if problems:
        raise PlanError(problems)


def horizon_of(spec: "ExperimentSpec", assumptions: Assumptions, past_units: int | None) -> Horizon:
    """Return the units to plan for: stated, the plan's own horizon, pace × weeks, or as many as in the past data."""
    pace, weeks, horizon = assumptions.units_per_week, assumptions.weeks, spec.analysis.horizon
    own = horizon.units if horizon is not None else None
    paced = int(pace * weeks) if pace is not None and weeks is not None else None
    sources = ((assumptions.units, "stated"), (own, "analysis.horizon"), (paced, "units per week × weeks"))
    units, named = next(
        ((units, name) for units, name in (*sources, (past_units, "as many as in the past data")) if units is not None),
        (None, None),
    )
    return Horizon(units=units, units_from=named, per_week=pace, window_days=days_to_mature(spec) or 0)


def compute(spec: "ExperimentSpec", plan_hash: str, bases: Mapping[str, Base], horizon: Horizon) -> PlanResult:
    """Return the power of every planned comparison, and whether the question can be answered.

    Success metrics × arms are tested two-sided at Holm's first step, alpha/m; guardrails one-sided at alpha, each
    with a chance of beta/(G+1) to be missed, so that an arm that changes nothing passes all G of them (Schultzberg,
    Ankargren & Frånberg 2024, https://arxiv.org/abs/2402.11609); secondary metrics two-sided at alpha.

    Args:
        spec: a randomised plan (see `refuse_unplannable`).
        plan_hash: of the resolved plan.
        bases: what is known, by metric.
        horizon: the units to plan for.
    """
    looking = looking_of(spec, horizon.units, horizon.per_week)
    questions = _questions(spec, bases, looking)
    rows = tuple(_row(spec, question, bases[question.metric.name], horizon) for question in questions)
    looks = () if looking is None else (_looking_note(spec, looking, questions, rows, bases),)
    answer = judge(spec, rows, horizon.units)
    return PlanResult(
        experiment=spec.id,
        plan_hash=plan_hash,
        question=spec.question,
        answer=answer.answer,
        sentence=answer.sentence,
        reasons=answer.reasons,
        units=horizon.units,
        units_from=horizon.units_from,
        units_per_week=horizon.per_week,
        window_days=horizon.window_days,
        rows=rows,
        curves=tuple(_curves(spec, questions, rows, bases, horizon)),
        notes=(*looks, *_notes(spec, rows)),
    )


def _unplannable(key: str, what: str, mend: str) -> Problem:
    return Problem(where=key, code="P901", what=what, mend=mend)


def _questions(spec: "ExperimentSpec", bases: Mapping[str, Base], looking: Looking | None) -> tuple[_Question, ...]:
    planned = [(role, metric) for role, metric in spec.metrics.with_roles() if metric.name in bases]
    return tuple(
        replace(question, test=replace(question.test, looking=looking))
        for role, metric in planned
        for arm in spec.treated_arms
        for question in (_question(spec, cast("Role", role), metric, arm, bases[metric.name]),)
    )


def _question(spec: "ExperimentSpec", role: Role, metric: "Metric", arm: str, base: Base) -> _Question:
    analysis, guards = spec.analysis, len(spec.metrics.guardrails)
    size, source = _size(spec, role, metric, base)
    family = len(spec.metrics.success) * len(spec.treated_arms) if analysis.multiplicity == "holm" else 1
    relative = metric.margin.relative if metric.margin is not None else None
    test = Test(alpha=analysis.alpha / (family if role == "success" else 1))
    asked = analysis.power
    if role == "guardrail":
        test = Test(alpha=analysis.alpha, sides=1, ratio=1 - metric.sign * (relative or 0.0))
        asked = 1 - (1 - analysis.power) / (guards + 1)
    return _Question(role=role, metric=metric, arm=arm, size=size, size_from=source, test=test, asked=asked)


def _size(spec: "ExperimentSpec", role: Role, metric: "Metric", base: Base) -> tuple[float, Source] | tuple[None, None]:
    """Return what the plan wants to see, absolute: the margin of a guardrail, else MDE or worthwhile effect."""
    worthwhile = spec.decision.minimum_worthwhile_effect
    own = worthwhile if worthwhile is not None and worthwhile.metric == metric.name else None
    named: tuple[tuple[object, Source], ...] = ((metric.mde, "mde"), (own, "minimum_worthwhile_effect"))
    if role == "guardrail":
        named = ((metric.margin, "margin"),)
    for size, source in named:
        absolute, relative = getattr(size, "absolute", None), getattr(size, "relative", None)
        if absolute is not None:
            return absolute, source
        if relative is not None and base.mean is not None:
            return relative * abs(base.mean), source
    return None, None


def _row(spec: "ExperimentSpec", question: _Question, base: Base, horizon: Horizon) -> PowerRow:
    blank = _blank(spec, question, base)
    reason = missing_knowledge(spec, question.metric, base) or _no_shares(spec)
    if reason is not None:
        return _with(blank, status="not_computed", reason=reason)
    setting, test, sign = _setting(spec, question.arm, base), question.test, question.metric.sign
    signed = _signed(question)
    needed = None if signed is None else units_needed(setting, test, signed, question.asked)
    units = horizon.units
    return _with(
        blank,
        design_effect=setting.design_effect,
        smallest=None if units is None else smallest_size(setting, test, units, question.asked, sign),
        power=None if units is None or signed is None else _power(setting, test, units, signed),
        units_needed=needed,
        weeks_needed=horizon.weeks(needed),
    )


def _signed(question: _Question) -> float | None:
    """Return the size in the direction that is good; a margin has none."""
    if question.size is None:
        return None
    return question.size * (question.metric.sign if question.test.sides > 1 else 1)


def _looking_note(
    spec: "ExperimentSpec",
    looking: Looking,
    questions: tuple[_Question, ...],
    rows: tuple[PowerRow, ...],
    bases: Mapping[str, Base],
) -> str:
    """Return how often is looked, and what that costs the first metric that has a size."""
    for question, row in zip(questions, rows, strict=True):
        signed = _signed(question)
        if row.units_needed is not None and signed is not None:
            setting = _setting(spec, row.arm, bases[row.metric])
            once = units_needed(setting, replace(question.test, looking=None), signed, question.asked)
            return looking_note(looking, row.units_needed, once)
    return looking_note(looking, None, None)


def _blank(spec: "ExperimentSpec", question: _Question, base: Base) -> PowerRow:
    return PowerRow(
        metric=question.metric.name,
        role=question.role,
        arm=question.arm,
        control=spec.control,
        base=base.mean,
        sd=None if base.variance is None else sqrt(base.variance),
        share_with_value=base.response,
        rho=base.rho,
        size=question.size,
        size_from=question.size_from,
        alpha=question.test.alpha,
        sides=question.test.sides,
        power_asked=question.asked,
    )


def _with(row: PowerRow, **changes: object) -> PowerRow:
    return PowerRow(**{**vars(row), **changes})


def _no_shares(spec: "ExperimentSpec") -> str | None:
    if spec.epochs:
        return "the arms' shares change by epoch, and this version tells power for one split: plan with one of them"
    return None if spec.shares is not None else "the arms have no shares: write them, such as {share: 1/2}"


def _setting(spec: "ExperimentSpec", arm: str, base: Base) -> Setting:
    shares = {name: float(share) for name, share in (spec.shares or {}).items()}
    return Setting(
        base=0.0 if base.mean is None else base.mean,
        variance=base.variance or 0.0,
        binary=base.binary,
        treated=shares[arm] * base.response,
        control=shares[spec.control] * base.response,
        rho=base.rho,
        clusters=base.clusters,
    )


def _power(setting: Setting, test: Test, units: float, signed: float) -> float:
    """Return the power, and none for an effect that a rate can't have."""
    found = power(setting, test, units, signed)
    return min(max(found, 0.0), 1.0)


def _curves(
    spec: "ExperimentSpec",
    questions: tuple[_Question, ...],
    rows: tuple[PowerRow, ...],
    bases: Mapping[str, Base],
    horizon: Horizon,
) -> "list[Curve]":
    """Return the curves of what decides: success metrics and guardrails with a size."""
    shown = [(question, row) for question, row in zip(questions, rows, strict=True) if _has_curve(row)]
    if not shown:
        return []
    widest = _widest([row.units_needed for _, row in shown], horizon.units)
    units = tuple(widest * step / (_POINTS - 1) for step in range(1, _POINTS))
    curves = []
    for question, row in shown:
        setting, sign = _setting(spec, row.arm, bases[row.metric]), question.metric.sign
        signed = (row.size or 0.0) * (sign if row.sides > 1 else 1)
        values = tuple(_power(setting, question.test, count, signed) for count in units)
        curves.append(Curve(metric=row.metric, arm=row.arm, power_asked=row.power_asked, units=units, power=values))
    return curves


def _has_curve(row: PowerRow) -> bool:
    return row.status == "ok" and row.role != "secondary" and row.units_needed is not None


def _widest(needed: list[int | None], planned: int | None) -> float:
    most = max(float(units or 0) for units in needed)
    if planned is None:
        return _WIDE * most
    return min(_WIDE * max(most, planned), _MOST_WIDE * planned)


def _notes(spec: "ExperimentSpec", rows: tuple[PowerRow, ...]) -> tuple[str, ...]:
    split = [name for name in spec.clusters if name not in {spec.randomization_unit, spec.data.unit}]
    notes = [
        f"Units that share '{name}' are split over the arms, so that what they share is taken to cancel."
        for name in split
    ]
    if any(row.rho for row in rows):
        notes.append("Power counts the covariate's correlation; the analysis must be adjusted for that covariate.")
    if any(metric.type == "quantile" for _, metric in spec.metrics.with_roles()):
        notes.append("Power for quantiles takes from past data how close together the values around them lie.")
    return tuple(notes)
