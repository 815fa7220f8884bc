"""Whether the data may be read now, and as which of the readings that the plan allows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, cast

from cxcausal.core.answers import Flow, MaturedCounts
from cxcausal.core.errors import GateError, Problem
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.protocols import Answers, Dataset
from cxcausal.core.queries import FlowQuery, MaturedQuery, Query
from cxcausal.core.results import ArmValue, Estimate, ReadingFacts, ValueResult
from cxcausal.core.wording import count, number
from cxcausal.stats.sequential import (
    BURN_IN,
    DEFAULT_INFORMATION,
    READ_ONCE,
    AlwaysValid,
    GroupSequential,
    Reading,
)

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

_LATEST = 0.9
"""The share of the course from which looks before the last are taken as equally spaced, so that each of them, and the
last, has something left to spend."""
_LEAST_STEP = 1e-4
"""Looks between which the data grew by a smaller share are one and the same."""
_CONCLUSIVE = ("point", "low", "high", "level", "se", "p", "p_adjusted", "df", "set_low", "set_high", "look_level")
_ALTERNATIVES = "before the data of a new experiment, register looks or `peeking: always_valid` to read more often"


@dataclass(frozen=True, kw_only=True)
class ReadingNow:
    """The rule that this reading keeps, what the result tells of it, and notes for the reader.

    Attributes:
        rule: from an error level to the level of this look's intervals.
        facts: None where the plan is read once.
        notes: what was assumed.
    """

    rule: Reading = READ_ONCE
    facts: ReadingFacts | None = None
    notes: tuple[str, ...] = ()

    @property
    def waiting(self) -> str | None:
        """Why nothing is concluded yet."""
        return None if self.facts is None else self.facts.waiting


def reading_queries(spec: "ExperimentSpec") -> tuple[Query, ...]:
    """Return what must be known to tell which reading this is."""
    asked: tuple[Query, ...] = (FlowQuery(),)
    looks = spec.analysis.look_dates
    return (*asked, _matured_query(spec)) if looks and spec.data.time_zero is not None else asked


def refuse_early(spec: "ExperimentSpec", dataset: Dataset) -> None:
    """Refuse a reading that the plan doesn't allow, before any effect is computed or recorded.

    Raises:
        GateError: with what was read, and when it may be read.
    """
    horizon = spec.analysis.horizon
    if spec.analysis.peeking == "group_sequential":
        _look(spec, dataset.data_cut)
    elif spec.analysis.peeking == "fixed_horizon" and horizon is not None:
        if horizon.date is not None and dataset.data_cut is not None and dataset.data_cut < horizon.date:
            raise GateError(_too_early("horizon", dataset.data_cut, horizon.date))
        if horizon.units is not None:
            _refuse_few(cast("Flow", dataset.answer((FlowQuery(),))[FlowQuery()]).analysed, horizon.units)


def reading_of(spec: "ExperimentSpec", data_cut: str | None, answers: Answers) -> ReadingNow:
    """Return the reading that these data are.

    Args:
        spec: the resolved plan; `refuse_early` has had its say.
        data_cut: until when outcomes were observed.
        answers: at least those to `reading_queries(spec)`.

    Raises:
        GateError: the first planned look is still to come.
    """
    flow = cast("Flow", answers[FlowQuery()])
    if spec.analysis.peeking == "always_valid":
        return _always_valid(spec, flow)
    if spec.analysis.peeking == "group_sequential":
        return _group_sequential(spec, data_cut, flow, answers)
    return ReadingNow()


def withheld(rows: Sequence[Estimate], reason: str) -> tuple[Estimate, ...]:
    """Return the rows without any number that something could be concluded from."""
    return tuple(row if row.status != "ok" else _without(row, reason) for row in rows)


def withheld_value(value: ValueResult | None, reason: str) -> ValueResult | None:
    """Return the money without any amount of an arm."""
    if value is None:
        return None
    arms = (
        ArmValue(
            arm=arm.arm,
            control=arm.control,
            n_treated=arm.n_treated,
            status="not_computed",
            reason=arm.reason or reason,
        )
        for arm in value.arms
    )
    return replace(value, arms=tuple(arms))


def _without(row: Estimate, reason: str) -> Estimate:
    numbers: dict[str, Any] = dict.fromkeys(_CONCLUSIVE)
    return replace(row, status="not_computed", reason=reason, **numbers)


def _matured_query(spec: "ExperimentSpec") -> MaturedQuery:
    return MaturedQuery(dates=spec.analysis.look_dates, days=days_to_mature(spec) or 0)


def _too_early(what: str, data_cut: str, allowed: str) -> Problem:
    return Problem(
        where="analysis.horizon" if what == "horizon" else "analysis.looks[0]",
        code="G110",
        what=f"the data reach to {data_cut}, and this plan may be read from {allowed} on (its {what}); "
        "an interval that is read early, and again, errs more often than it says",
        mend=f"wait until the data reach {allowed}; {_ALTERNATIVES}",
    )


def _refuse_few(analysed: int, planned: int) -> None:
    if analysed >= planned:
        return
    raise GateError(
        Problem(
            where="analysis.horizon",
            code="G110",
            what=f"{count(analysed)} units have their whole window, and this plan may be read at {count(planned)} (its "
            "horizon); an interval that is read early, and again, errs more often than it says",
            mend=f"wait for the other {count(planned - analysed)}; {_ALTERNATIVES}",
        )
    )


def _look(spec: "ExperimentSpec", data_cut: str | None) -> int:
    """Return how many planned looks the data have reached."""
    looks = spec.analysis.look_dates
    if data_cut is None:
        what = "no row says until when outcomes were observed, so nobody knows which planned look this is"
        mend = "fill data.observed_until, or give it as a date"
        raise GateError(Problem(where="data.observed_until", code="G111", what=what, mend=mend))
    reached = sum(day <= data_cut for day in looks)
    if not reached:
        raise GateError(_too_early("first look", data_cut, looks[0]))
    return reached


def _group_sequential(spec: "ExperimentSpec", data_cut: str | None, flow: Flow, answers: Answers) -> ReadingNow:
    looks, look = spec.analysis.look_dates, _look(spec, data_cut)
    matured = cast("MaturedCounts", answers.get(_matured_query(spec), {}))
    rule, note = _rule(spec, [matured[day] for day in looks[:look] if day in matured], max(flow.analysed, 1), look)
    alpha = spec.analysis.alpha
    facts = ReadingFacts(
        peeking="group_sequential",
        sentence=f"Read at look {look} of {len(looks)}, planned for {looks[look - 1]}; intervals hold at every look.",
        boundary=_reach(rule.nominal(alpha)),
        usual=_reach(alpha),
        units=flow.analysed,
        look=look,
        looks=len(looks),
        look_date=looks[look - 1],
        spent=rule.spent,
    )
    return ReadingNow(rule=rule, facts=facts, notes=(_wider(facts), note))


def _rule(spec: "ExperimentSpec", matured: list[int], analysed: int, look: int) -> tuple[GroupSequential, str]:
    """Return the boundaries' rule, and how the course was measured.

    What a look spends is taken from the units on its own date, even where it is read later with more of them: so every
    later reading counts the same for it.

    Args:
        spec: the plan.
        matured: units on the date of each look so far; none where no clock counts them.
        analysed: units by now.
        look: which one this is, from 1.
    """
    looks = len(spec.analysis.look_dates)
    planned = spec.analysis.horizon.units if spec.analysis.horizon is not None else None
    information = (*map(float, matured[:-1]), float(analysed)) if matured else tuple(map(float, range(1, look + 1)))
    spent = [at / looks for at in range(1, look + 1)]
    if planned is None:
        note = "The planned looks are taken as equally spaced, because the plan has no horizon in units."
    elif not matured:
        note = "The planned looks are taken as equally spaced, because no data.time_zero dates the units."
    else:
        note = f"The course is measured in units with a whole window, of {count(planned)} planned."
        spent = [min(max(units, 1) / planned, _latest(at, looks)) for at, units in enumerate(matured, start=1)]
    if look == looks:
        spent[-1] = 1.0
    kept = _growing(information)
    rule = GroupSequential(spent=tuple(spent[at] for at in kept), information=tuple(information[at] for at in kept))
    return rule, note


def _latest(look: int, looks: int) -> float:
    return _LATEST + (1 - _LATEST) * look / looks


def _growing(information: tuple[float, ...]) -> list[int]:
    """Return the looks, ending with this one, before which the data grew: others show what a later look shows."""
    kept = [len(information) - 1]
    for at in range(len(information) - 2, -1, -1):
        if _LEAST_STEP * information[-1] <= information[at] <= information[kept[0]] - _LEAST_STEP * information[-1]:
            kept.insert(0, at)
    return kept


def _always_valid(spec: "ExperimentSpec", flow: Flow) -> ReadingNow:
    horizon, alpha = spec.analysis.horizon, spec.analysis.alpha
    planned = horizon.units if horizon is not None else None
    tuned = planned or DEFAULT_INFORMATION
    rule = AlwaysValid(units=max(flow.analysed, 1), tuned=tuned, alpha=alpha)
    facts = ReadingFacts(
        peeking="always_valid",
        sentence="The plan may be read at any time; intervals hold at every reading.",
        boundary=_reach(rule.nominal(alpha)),
        usual=_reach(alpha),
        units=flow.analysed,
        tuned_units=tuned,
        waiting=_waiting(flow),
    )
    why = "the plan's horizon" if planned is not None else "the default, as the plan has no horizon in units"
    best = f"They are narrowest, for what is known, at {count(tuned)} analysed units ({why})."
    return ReadingNow(rule=rule, facts=facts, notes=(_wider(facts), best))


def _wider(facts: ReadingFacts) -> str:
    ratio, reach = number(facts.boundary / facts.usual), number(facts.boundary)
    return (
        f"Intervals are {ratio} times as wide as if the plan were read once ({reach} instead of {number(facts.usual)} "
        "standard errors to either side), so that they hold at every reading."
    )


def _waiting(flow: Flow) -> str | None:
    fewest = min(flow.analysed_by_arm.values(), default=0)
    if fewest >= BURN_IN:
        return None
    return (
        f"an arm has {count(fewest)} analysed units, and a plan that may be read at any time concludes nothing before "
        f"every arm has {count(BURN_IN)}"
    )


def _reach(error: float) -> float:
    """Return how many standard errors a two-sided interval with this error reaches, in large samples."""
    return -NormalDist().inv_cdf(error / 2)
