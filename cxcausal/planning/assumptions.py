"""What the operator states about the future where no past data say it, checked against the plan's metrics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING

from cxcausal.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

EVERY = ""
"""The name under which a number holds for every metric that has none of its own."""

Stated = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Numbers by metric name; they win over what past data say.

    Attributes:
        base: the mean, rate or ratio without treatment. sd: of one unit's value.
        response: the fraction of units with a value. rho: correlation with the covariate of the adjustment.
        icc: the intra-cluster correlation of what is randomised whole; cluster_size: its mean number of units;
        cluster_cv: the sizes' standard deviation over their mean.
        units: planned in all arms together; units_per_week: enrolled; weeks: of enrolment.
    """

    base: Stated = field(default_factory=dict)
    sd: Stated = field(default_factory=dict)
    response: Stated = field(default_factory=dict)
    rho: Stated = field(default_factory=dict)
    icc: Stated = field(default_factory=dict)
    cluster_size: float | None = None
    cluster_cv: float | None = None
    units: int | None = None
    units_per_week: float | None = None
    weeks: int | None = None


_RANGES: Mapping[str, tuple[float, float, str]] = {
    "sd": (0.0, float("inf"), "not negative"),
    "response": (1e-9, 1.0, "above 0 and at most 1"),
    "rho": (-0.999, 0.999, "between -1 and 1"),
    "icc": (0.0, 1.0, "from 0 to 1"),
}
_LEAST: Mapping[str, float] = {"cluster_size": 1, "cluster_cv": 0, "units": 1, "units_per_week": 1e-9, "weeks": 1}


def of(stated: Stated, metric: str) -> float | None:
    """Return what is stated for a metric, or for every metric.

    Example:
        >>> of({"": 0.5, "margin": 0.7}, "margin"), of({"": 0.5}, "churn"), of({}, "churn")
        (0.7, 0.5, None)
    """
    return stated.get(metric, stated.get(EVERY))


def check(assumptions: Assumptions, spec: "ExperimentSpec") -> None:
    """Refuse numbers about metrics that are not planned, and numbers that nothing can have.

    Raises:
        UsageError: with everything that is wrong.
    """
    problems = (*_strangers(assumptions, spec), *_impossible(assumptions), *_impossible_rates(assumptions, spec))
    if problems:
        raise UsageError(problems)


def _strangers(assumptions: Assumptions, spec: "ExperimentSpec") -> Iterator[Problem]:
    names = [metric.name for _, metric in spec.metrics.with_roles()]
    for option in ("base", "sd", "response", "rho", "icc"):
        for name in getattr(assumptions, option):
            if name != EVERY and name not in names:
                near = get_close_matches(name, names, n=1)
                mend = f"did you mean '{near[0]}'?" if near else f"planned metrics: {', '.join(names)}"
                yield _problem(option, f"the plan has no metric '{name}'", mend)


def _impossible(assumptions: Assumptions) -> Iterator[Problem]:
    for option, (low, high, must) in _RANGES.items():
        for value in getattr(assumptions, option).values():
            if not low <= value <= high or not isfinite(value):
                yield _problem(option, f"{value:g} can't be: it is {must}", "state a number in that range")
    for option, least in _LEAST.items():
        value = getattr(assumptions, option)
        if value is not None and (value < least or not isfinite(value)):
            yield _problem(option, f"{value:g} is too little", f"state a number of at least {least:g}")


def _impossible_rates(assumptions: Assumptions, spec: "ExperimentSpec") -> Iterator[Problem]:
    for _, metric in spec.metrics.with_roles():
        base = of(assumptions.base, metric.name)
        if base is not None and metric.type in {"proportion", "top_box"} and not 0 <= base <= 1:
            what = f"{base:g} is no share of customers for '{metric.name}'"
            yield _problem("base", what, "state a share from 0 to 1: 14 % is 0.14")


def _problem(option: str, what: str, mend: str) -> Problem:
    return Problem(where=f"--{option.replace('_', '-')}", code="U220", what=what, mend=mend)
