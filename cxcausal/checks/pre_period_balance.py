"""Balance before the contact: were the arms alike in what was known at time zero?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.epochs import mixed_epochs
from cxcausal.core.answers import Counts, Moments, MomentTable
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CovariateQuery, Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import counted, number

ALL = "it tells the arms apart completely"
FEWEST_NAMED = 10
"""Units that must share a value of a text column for a sentence to print that value."""
_FEWEST_UNITS = 2


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """A standardised difference between one arm and the control."""

    place: str
    arm: str
    smd: float


@dataclass(frozen=True, kw_only=True)
class PrePeriodBalance:
    """The largest standardised mean difference, arm against control, over what is said to be known before the contact.

    That is covariates, effect modifiers and metrics' pre-period columns.

    Numeric columns by their means, text columns by the shares of their levels, both divided by the root of the two
    arms' mean variance (Austin 2009, https://doi.org/10.1002/sim.3697).

    Attributes:
        max_abs_smd: a larger absolute difference is a breach.
    """

    name: ClassVar[str] = "pre_period_balance"
    on_breach: OnBreach = "warn"
    max_abs_smd: float = 0.1

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return one query per column known at time zero."""
        return tuple(CovariateQuery(column=column) for column in _columns(spec))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the widest gap."""
        columns = _columns(spec)
        gaps = [gap for column in columns for gap in _gaps(spec, column, answers)]
        if not gaps:
            return CheckResult(
                name=self.name,
                verdict="could_not_run",
                on_breach=self.on_breach,
                threshold=self.max_abs_smd,
                text="Nothing is known about the arms before the contact: the plan names no covariates with values.",
            )
        widest = max(gaps, key=lambda gap: abs(gap.smd))
        return CheckResult(
            name=self.name,
            verdict=verdict_of(self.on_breach, breached=abs(widest.smd) > self.max_abs_smd),
            on_breach=self.on_breach,
            value=abs(widest.smd) if isfinite(widest.smd) else None,
            threshold=self.max_abs_smd,
            text=self._text(spec, widest, len(columns)),
        )

    def _text(self, spec: ExperimentSpec, widest: _Gap, columns: int) -> str:
        alike = abs(widest.smd) <= self.max_abs_smd
        spread = f"of the usual spread between {people_in(spec).many}"
        size = f"{number(abs(widest.smd), digits=2)} {spread}" if isfinite(widest.smd) else ALL
        opening = "The arms were alike before the contact" if alike else "The arms were not alike before the contact"
        return (
            f"{opening}: of {counted(columns, 'thing')} known then, the widest gap is in {widest.place}, "
            f"{quoted(spec, widest.arm)} against {quoted(spec, spec.control)}: "
            f"{size} (limit: {number(self.max_abs_smd)}).{'' if alike else mixed_epochs(spec)}"
        )


def _columns(spec: ExperimentSpec) -> tuple[str, ...]:
    own = (metric.covariate for _, metric in spec.metrics.with_roles() if metric.covariate is not None)
    return tuple(dict.fromkeys((*spec.covariates, *spec.effect_modifiers, *own)))


def _gaps(spec: ExperimentSpec, column: str, answers: Answers) -> Iterator[_Gap]:
    answer = answers[CovariateQuery(column=column)]
    table = cast("Mapping[object, object]", answer)
    if any(isinstance(cell, Moments) for cell in table.values()):
        yield from _numeric(spec, column, cast("MomentTable", answer))
    else:
        yield from _levels(spec, column, cast("Counts", answer))


def _numeric(spec: ExperimentSpec, column: str, table: MomentTable) -> Iterator[_Gap]:
    control = table.get((spec.control, ()))
    for arm in spec.treated_arms:
        treated = table.get((arm, ()))
        if treated is None or control is None or min(treated.n, control.n) < _FEWEST_UNITS:
            continue
        difference = float(treated.mean[0] - control.mean[0])
        spread = sqrt((_variance(treated) + _variance(control)) / 2)
        yield _Gap(place=f"'{column}'", arm=arm, smd=_standardised(difference, spread))


def _levels(spec: ExperimentSpec, column: str, table: Counts) -> Iterator[_Gap]:
    totals = {arm: sum(n for (of, _), n in table.items() if of == arm) for arm in spec.arms}
    for level in sorted({key for _, key in table}):
        shares = {arm: table.get((arm, level), 0) / total for arm, total in totals.items() if total}
        place = _place(column, level[0], sum(table.get((arm, level), 0) for arm in spec.arms))
        for arm in spec.treated_arms:
            if arm in shares and spec.control in shares:
                one, two = shares[arm], shares[spec.control]
                spread = sqrt((one * (1 - one) + two * (1 - two)) / 2)
                yield _Gap(place=place, arm=arm, smd=_standardised(one - two, spread))


def _place(column: str, level: str, units: int) -> str:
    """Return where a gap is, without the value where it is so rare that it could name a customer."""
    if not level:
        return f"'{column}' missing"
    return f"'{column}' = '{level}'" if units >= FEWEST_NAMED else f"a rare value of '{column}'"


def _variance(cell: Moments) -> float:
    return float(cell.m2[0, 0]) / (cell.n - 1)


def _standardised(difference: float, spread: float) -> float:
    if spread > 0:
        return difference / spread
    return 0.0 if difference == 0 else inf
